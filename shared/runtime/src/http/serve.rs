//! Runs a handler behind API Gateway.

use std::convert::Infallible;

use ferrite_core::{CorrelationId, TraceContext};
use http::header::ORIGIN;
use http::{HeaderValue, Method};
use lambda_http::tower::{Service, ServiceBuilder};
use lambda_http::{Body, Context, IntoResponse, RequestExt, service_fn};
use serde_json::{Map, Value};

use super::{Problem, Request, Response, body, cors, headers};
use crate::invocation::InvocationEvent;
use crate::log::{Classify, Exception, LogSummary, Outcome, OutcomeCounts};
use crate::{BoxFuture, InitError, LocalBoxFuture, deadline, invocation, log, metrics, panics, settings, shutdown, trace};

/// The header with the correlation ID that a client chooses for its request. It appears in all log lines caused by the
/// request and in the response. If it is missing or invalid, Lambda's request ID is used instead.
const CORRELATION_ID: &str = "x-correlation-id";

impl InvocationEvent for Request {
    fn context(&self) -> Context {
        self.lambda_context_ref().cloned().unwrap_or_default()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method(), self.raw_http_path())
    }

    fn fields(&self) -> Map<String, Value> {
        Map::from_iter([
            ("method".to_owned(), self.method().as_str().into()),
            ("path".to_owned(), self.raw_http_path().into()),
        ])
    }

    fn trace_context(&self) -> TraceContext {
        let text = |name| self.headers().get(name)?.to_str().ok();
        let client_id = text(CORRELATION_ID).and_then(|id| CorrelationId::try_from(id.to_owned()).ok());
        let request_id = || CorrelationId::try_from(self.lambda_context_ref()?.request_id.clone()).ok();
        TraceContext {
            traceparent: text("traceparent").and_then(|traceparent| traceparent.parse().ok()),
            correlation_id: client_id.or_else(request_id),
        }
    }
}

impl Classify for Result<Response, Problem> {
    fn counts(&self) -> OutcomeCounts {
        match self {
            Ok(_) => Outcome::Succeeded,
            Err(problem) if problem.status().is_server_error() => Outcome::Failed,
            Err(_) => Outcome::Rejected,
        }
        .into()
    }

    fn summary(&self) -> LogSummary {
        let status = |status: http::StatusCode| Map::from_iter([("status".to_owned(), status.as_u16().into())]);
        let problem = match self {
            Ok(response) => {
                let fields = status(response.status());
                return LogSummary { message: "the request succeeded", fields, exception: None };
            }
            Err(problem) => problem,
        };
        let failed = problem.status().is_server_error();
        let message = if failed { "the request failed" } else { "the request was rejected" };
        let mut fields = status(problem.status());
        fields.insert("problem".to_owned(), problem.kind().into());
        LogSummary { message, fields, exception: problem.cause().map(Exception::new) }
    }
}

/// Runs the function: passes each request from a REST API, an HTTP API (payload format 2.0) or a function URL to
/// `handler`.
///
/// The handler can be any [`Service`]. The simplest is a function in `service_fn`. Its errors are returned as problem
/// documents, as are panics and exceeded deadlines.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<'a, S>(mut handler: S) -> Result<(), InitError>
where
    S: Service<Request, Response = Response> + 'a,
    S::Error: Into<Problem> + 'a,
    S::Future: Send + 'a,
{
    run(Box::new(move |request| {
        let work = handler.call(request);
        Box::pin(async { work.await.map_err(Into::into) })
    }))
    .await
}

/// A handler whose type is erased. The middleware and the Lambda runtime are compiled once in this crate for it, and not
/// again in each function for the type of its handler.
type BoxedHandler<'a> = Box<dyn FnMut(Request) -> BoxFuture<'a, Result<Response, Problem>> + 'a>;

/// Returns a boxed future for the same reason: the code of an `async fn` is compiled in the crate that polls it.
fn run(handler: BoxedHandler<'_>) -> LocalBoxFuture<'_, Result<(), InitError>> {
    Box::pin(async {
        log::init()?;
        shutdown::until_terminated(lambda_http::run(stack(service_fn(handler)))).await
    })
}

/// Wraps a handler in the middleware stack. The first layer is the outermost.
fn stack<'a, S>(handler: S) -> impl Service<Request, Response = RawResponse, Error = Infallible, Future: Send + 'a>
where
    S: Service<Request, Response = Response, Error = Problem, Future: Send + 'a>,
{
    let mut handler = ServiceBuilder::new()
        .layer(invocation::layer())
        .layer(trace::layer())
        .layer(log::layer())
        .layer(metrics::layer())
        .layer(deadline::layer())
        .layer(body::limit_body())
        .layer(panics::layer())
        .service(handler);
    service_fn(move |request: Request| {
        let context = ResponseContext::from_request(&request);
        let work = handler.call(request);
        async move { Ok(RawResponse(context.into_response(work.await))) }
    })
}

/// A response with its final body. For other types, lambda_http decodes the body according to its charset, which links
/// 150 kB of encoding tables.
struct RawResponse(Response);

impl IntoResponse for RawResponse {
    fn into_response(self) -> BoxFuture<'static, Response> {
        Box::pin(std::future::ready(self.0))
    }
}

/// The properties of a request that its response depends on.
struct ResponseContext {
    is_head: bool,
    request_id: String,
    correlation_id: Option<CorrelationId>,
    origin: Option<HeaderValue>,
}

impl ResponseContext {
    fn from_request(request: &Request) -> Self {
        Self {
            is_head: request.method() == Method::HEAD,
            request_id: request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default(),
            correlation_id: request.trace_context().correlation_id,
            origin: request.headers().get(ORIGIN).cloned(),
        }
    }

    fn into_response(self, result: Result<Response, Problem>) -> Response {
        let mut response = result.unwrap_or_else(|problem| problem.into_response(&self.request_id));
        let correlation_id = self.correlation_id.and_then(|id| HeaderValue::try_from(String::from(id)).ok());
        if let Some(id) = correlation_id {
            response.headers_mut().insert(CORRELATION_ID, id);
        }
        headers::add_defaults(response.headers_mut());
        cors::add_headers(response.headers_mut(), self.origin, &settings::settings().allowed_origins);
        // A HEAD response is a GET response without the body (RFC 9110, section 9.3.2), so handlers of GET routes serve
        // both.
        if self.is_head {
            *response.body_mut() = Body::Empty;
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lambda_http::request::from_str;
    use lambda_runtime::tower::ServiceExt;
    use serde_json::{Value, json};
    use tracing::Instrument;

    use super::*;
    use crate::http::{caller, json as json_response, json_body, path_id, query};
    use crate::invocation::testing::context_with_timeout;

    ferrite_core::prefixed_id!(
        /// Identifies a note.
        NoteId,
        "note_"
    );

    /// Returns the events for one request as sent by a REST API, by an HTTP API with a Lambda authorizer, and by an
    /// HTTP API with a JWT authorizer.
    fn payloads(method: &str, headers: &Value, body: Option<&str>) -> [Value; 3] {
        let id = "note_0192f0c1a2b37c4d8e5f60718293a4b5";
        let path = format!("/notes/{id}");
        let multi_value = |map: &Value| -> Value {
            map.as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!([value]))).collect()
        };
        let query = json!({ "limit": "7" });
        let rest_api = json!({
            "resource": "/notes/{noteId}", "path": path, "httpMethod": method, "headers": headers,
            "multiValueHeaders": multi_value(headers), "queryStringParameters": query,
            "multiValueQueryStringParameters": multi_value(&query), "pathParameters": {"noteId": id}, "body": body,
            "isBase64Encoded": false,
            "requestContext": {
                "resourcePath": "/notes/{noteId}", "httpMethod": method, "path": path, "stage": "v1",
                "requestId": "r", "identity": {}, "authorizer": {"sub": "ada", "scope": "notes:write"},
            },
        });
        let version_2 = |authorizer: Value| {
            json!({
                "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "limit=7", "headers": headers,
                "queryStringParameters": query, "pathParameters": {"noteId": id}, "body": body, "isBase64Encoded": false,
                "requestContext": {
                    "accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r", "timeEpoch": 0,
                    "authorizer": authorizer, "http": {"method": method, "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1", "userAgent": "test"},
                },
            })
        };
        let claims = json!({ "jwt": {"claims": {"sub": "ada", "scope": "notes:write"}, "scopes": []} });
        [rest_api, version_2(json!({ "lambda": {"sub": "ada", "scope": "notes:write"} })), version_2(claims)]
    }

    #[derive(Debug, deserr::Deserr)]
    #[deserr(error = crate::http::InvalidBody)]
    struct Body {
        name: String,
    }

    /// Returns the parameters of the request. If the name in the body is `panic` or `hang`, the handler panics or never
    /// returns.
    async fn handle(request: Request) -> Result<Response, Problem> {
        let note: NoteId = path_id(&request, "noteId")?;
        let limit: Option<ferrite_core::PageLimit> = query(&request, "limit")?;
        caller(&request)?.require_scope("notes:write")?;
        let name = if request.body().is_empty() { String::new() } else { json_body::<Body>(&request)?.name };
        match name.as_str() {
            "panic" => panic!("the password is s3cret"),
            "hang" => std::future::pending().instrument(tracing::info_span!("wait")).await,
            _ => json_response(
                http::StatusCode::OK,
                &json!({ "note": note, "limited": limit.is_some(), "name": name, "caller": caller(&request)?.subject() }),
            ),
        }
    }

    async fn send_with(context: Context, payload: &Value) -> Response {
        let request = from_str(&payload.to_string()).unwrap().with_lambda_context(context);
        match stack(service_fn(|request| Box::pin(handle(request)))).oneshot(request).await {
            Ok(RawResponse(response)) => response,
        }
    }

    async fn send(payload: &Value) -> Response {
        send_with(Context::default(), payload).await
    }

    fn text(response: &Response) -> String {
        String::from_utf8(response.body().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn returns_the_same_response_for_every_kind_of_api() {
        let json_type = json!({ "content-type": "application/json", "x-correlation-id": "c-1" });
        for (method, headers, body, status) in [
            ("GET", json!({}), None, 200),
            ("PATCH", json_type.clone(), Some(r#"{"name": "draft"}"#), 200),
            ("PATCH", json_type.clone(), Some(r#"{"name": 1}"#), 422),
            ("PATCH", json_type.clone(), Some("{"), 400),
            ("PATCH", json!({}), Some("{}"), 415),
            ("PATCH", json_type, Some(r#"{"name": "panic"}"#), 500),
        ] {
            let mut responses = Vec::new();
            for payload in payloads(method, &headers, body) {
                let response = send(&payload).await;
                assert_eq!(response.status(), status, "{payload}");
                responses.push((response.headers().clone(), text(&response)));
            }
            assert_eq!(responses[0], responses[1]);
            assert_eq!(responses[0], responses[2]);
        }
    }

    #[tokio::test]
    async fn returns_no_body_for_head_requests() {
        for payload in payloads("HEAD", &json!({}), None) {
            let response = send(&payload).await;
            assert_eq!((response.status().as_u16(), response.body().is_empty()), (200, true));
            assert_eq!(response.headers()["content-type"], "application/json");
        }
    }

    #[tokio::test]
    async fn hides_the_panic_message_from_the_client() {
        let [rest_api, ..] = payloads("PATCH", &json!({"content-type": "application/json"}), Some(r#"{"name": "panic"}"#));
        let response = send(&rest_api).await;
        let problem: Value = serde_json::from_str(&text(&response)).unwrap();
        assert_eq!(problem["type"], "urn:ferrite:problem:internal");
        assert!(!text(&response).contains("s3cret"), "{problem}");
    }

    #[tokio::test]
    async fn logs_a_panic_before_the_handler_returns_its_future() {
        log::testing::init();
        let [rest_api, ..] = payloads("GET", &json!({}), None);
        let request = from_str(&rest_api.to_string()).unwrap().with_lambda_context(Context::default());
        let handler = service_fn(|_: Request| -> std::future::Ready<Result<Response, Problem>> {
            tracing::info!("about to panic");
            panic!("too early")
        });
        let Ok(RawResponse(response)) = stack(handler).oneshot(request).await;
        assert_eq!(response.status(), 500);
        // With the `otlp` feature, a third line reports that no collector is available.
        let [event, line, ..] = &log::testing::take_lines()[..] else { panic!("expected two lines") };
        assert!(event["function_request_id"].is_string(), "{event}");
        assert_eq!((&line["level"], &line["exception_name"]), (&json!("ERROR"), &json!("PanicError")));
        assert_eq!(line["exception"], "panicked: too early");
        assert_eq!((&line["status"], &line["Failed"]), (&json!(500), &json!([1.0])));
    }

    #[tokio::test(start_paused = true)]
    async fn returns_503_shortly_before_the_function_timeout() {
        let [rest_api, ..] = payloads("PATCH", &json!({"content-type": "application/json"}), Some(r#"{"name": "hang"}"#));
        let response = send_with(context_with_timeout(Duration::from_secs(3)), &rest_api).await;
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &HeaderValue::from(1)));
    }

    #[tokio::test]
    async fn returns_413_for_bodies_over_the_size_limit() {
        let body = format!(r#"{{"name": "{}"}}"#, "x".repeat(64 * 1024));
        let [rest_api, ..] = payloads("PATCH", &json!({"content-type": "application/json"}), Some(&body));
        let response = send(&rest_api).await;
        let problem: Value = serde_json::from_str(&text(&response)).unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
            (413, "application/problem+json")
        );
        assert_eq!(problem["type"], "urn:ferrite:problem:body-too-large");
        assert_eq!(problem["detail"], "The body must not be larger than 65536 bytes.");
    }

    #[tokio::test]
    async fn returns_the_correlation_id_of_the_client_or_the_lambda_request_id() {
        let mut context = Context::default();
        context.request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72".to_owned();
        for (headers, expected) in [
            (json!({ "x-correlation-id": "import-7" }), "import-7"),
            (json!({}), "52fdfc07-2182-154f-163f-5f0f9a621d72"),
            (json!({ "x-correlation-id": "two words" }), "52fdfc07-2182-154f-163f-5f0f9a621d72"),
        ] {
            let [rest_api, ..] = payloads("GET", &headers, None);
            let response = send_with(context.clone(), &rest_api).await;
            assert_eq!(response.headers()["x-correlation-id"], expected);
        }
    }
}
