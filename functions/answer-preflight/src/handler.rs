use std::collections::BTreeMap;

use ferrite_runtime::http::{Problem, Request, Response, no_content, route_path};
use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ALLOW,
};

/// Request headers that the handlers read and that are not CORS-safelisted (Fetch Standard, "CORS-safelisted
/// request-header"), so that a browser sends them only with permission.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Traceparent, X-Correlation-Id",
);

/// The methods that the legacy backend may serve on any path.
const ALL_METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, HEAD, PATCH, POST, PUT");

/// How long a browser may cache the response: two hours, which is Chromium's maximum.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// The routes of the API.
pub(crate) struct Routes {
    /// The allowed methods of each route path.
    pub(crate) methods: BTreeMap<String, String>,
    /// Whether API Gateway forwards the other methods to a legacy backend.
    pub(crate) forwards_other_methods: bool,
}

/// Returns the methods and headers that are allowed on a path (Fetch Standard, "CORS-preflight request").
///
/// If a legacy backend serves the other methods, they and the requested headers are allowed, too, because the function does
/// not know what the backend accepts. The runtime adds `Access-Control-Allow-Origin`, as it does to every response.
pub(crate) async fn answer_preflight(routes: &Routes, request: Request) -> Result<Response, Problem> {
    let methods = route_path(&request).and_then(|path| routes.methods.get(path)).ok_or_else(Problem::not_found)?;
    let requested_headers = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS);
    let (methods, allowed_headers) = if routes.forwards_other_methods {
        (ALL_METHODS, requested_headers.cloned().unwrap_or(ALLOWED_HEADERS))
    } else {
        (HeaderValue::try_from(methods).map_err(Problem::internal)?, ALLOWED_HEADERS)
    };
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert(ALLOW, methods.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use ferrite_runtime::http::testing::request;
    use http::{Method, StatusCode};
    use lambda_http::RequestExt;
    use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
    use lambda_http::request::RequestContext;

    use super::*;

    async fn preflight(path: &str, forwards_other_methods: bool) -> Result<Response, Problem> {
        let methods = [("/notes".to_owned(), "GET, HEAD, POST".to_owned())].into();
        let mut context = ApiGatewayProxyRequestContext::default();
        context.resource_path = Some(path.to_owned());
        let mut request = request(Method::OPTIONS).with_request_context(RequestContext::ApiGatewayV1(context));
        request.headers_mut().insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("x-csrf-token"));
        answer_preflight(&Routes { methods, forwards_other_methods }, request).await
    }

    #[tokio::test]
    async fn allows_the_methods_of_the_route() {
        let response = preflight("/notes", false).await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, POST");
        assert_eq!(response.headers()[ALLOW], "GET, HEAD, POST");
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_HEADERS], ALLOWED_HEADERS);
    }

    #[tokio::test]
    async fn allows_all_methods_and_the_requested_headers_if_a_legacy_backend_serves_the_other_methods() {
        let response = preflight("/notes", true).await.unwrap();
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], ALL_METHODS);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "x-csrf-token");
    }

    #[tokio::test]
    async fn returns_404_for_an_unknown_route() {
        assert_eq!(preflight("/unknown", false).await.unwrap_err().status(), StatusCode::NOT_FOUND);
    }
}
