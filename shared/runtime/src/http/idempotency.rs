//! The `Idempotency-Key` header, as in the IETF draft "The Idempotency-Key HTTP Header Field" and with the limits of
//! Stripe's API. The first request with a key is processed, and repeated requests get its saved response.
//!
//! - A key has 1 to 255 visible ASCII characters. Keys of different callers are independent.
//! - The status, the body and some headers of the response are saved for 24 hours.
//! - A request with the same key and a different body is rejected with 422. A request is rejected with 409 while the
//!   first request with its key is in progress.
//! - The key of a request that was rejected or failed can be used again.
//!
//! [`layer`] applies this to a handler and stores its own record. A handler that saves the response in the same
//! transaction as its change calls [`required_key`], [`fingerprint`], [`to_saved_response`] and [`replay`] instead.
//!
//! ```
//! use ferrite_core::ports::{Clock, IdempotencyStore};
//! use ferrite_runtime::http::{Problem, Request, Response, idempotency, no_content};
//! use ferrite_runtime::idempotency::Idempotency;
//! use lambda_http::service_fn;
//! use lambda_http::tower::{Service, ServiceBuilder};
//!
//! fn idempotent<'a>(
//!     store: &'a Idempotency<impl IdempotencyStore + Send, impl Clock + Send>,
//! ) -> impl Service<Request, Response = Response, Error = Problem> + 'a {
//!     ServiceBuilder::new()
//!         .layer(idempotency::layer(store))
//!         .service(service_fn(async |_: Request| Ok::<_, Problem>(no_content())))
//! }
//! ```

use std::collections::BTreeMap;
use std::task::{Context, Poll};

use ferrite_core::IdempotencyKey;
use ferrite_core::ports::{Clock, Fingerprint, IdempotencyStore, SavedResponse};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use lambda_http::Body;
use lambda_http::tower::{Layer, Service};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JsonBody, Problem, Request, Response, caller, header};
use crate::BoxFuture;
use crate::idempotency::{Idempotency, IdempotencyError, digest};

const HEADER: &str = "idempotency-key";

/// The headers that are saved with a response. All other headers are specific to a single request.
const SAVED_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// Returns the idempotency key of the request, or `None` if the request has none.
///
/// # Errors
/// Returns a 400 problem if the key is invalid.
pub fn key(request: &Request) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(text) = header(request, HEADER)? else { return Ok(None) };
    IdempotencyKey::try_from(text.to_owned()).map(Some).map_err(|error| invalid_key(&error))
}

/// Returns the idempotency key of the request.
///
/// # Errors
/// Returns a 400 problem if the key is missing or invalid.
pub fn required_key(request: &Request) -> Result<IdempotencyKey, Problem> {
    key(request)?.ok_or_else(|| invalid_key(&"is missing"))
}

fn invalid_key(reason: &dyn std::fmt::Display) -> Problem {
    Problem::malformed("The request needs a valid `Idempotency-Key` header.").field(HEADER, reason)
}

/// Returns a hash of the request body, which detects a different request with the same key. It does not depend on white
/// space or on the order of JSON keys.
///
/// # Errors
/// Returns a 500 problem if the body cannot be serialized.
pub fn fingerprint(body: &JsonBody) -> Result<Fingerprint, Problem> {
    digest(body.value()).map(Fingerprint).map_err(Problem::internal)
}

/// A saved response, in the format that a Python function returns to API Gateway.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredResponse {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl StoredResponse {
    fn from_response(response: &Response) -> Self {
        let text = |name: &HeaderName| Some((name.to_string(), response.headers().get(name)?.to_str().ok()?.to_owned()));
        let body: &[u8] = response.body();
        Self {
            status_code: response.status().as_u16(),
            headers: SAVED_HEADERS.iter().filter_map(text).collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    fn into_response(self) -> Result<Response, Problem> {
        let mut response = Response::new(if self.body.is_empty() { Body::Empty } else { Body::Text(self.body) });
        *response.status_mut() = StatusCode::from_u16(self.status_code).map_err(Problem::internal)?;
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).map_err(Problem::internal)?;
            response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(Problem::internal)?);
        }
        Ok(response)
    }
}

/// Converts a response to the form that is saved for repeated requests.
///
/// # Errors
/// Returns a 500 problem if the response cannot be serialized.
pub fn to_saved_response(response: &Response, fingerprint: Fingerprint) -> Result<SavedResponse, Problem> {
    let response = serde_json::to_string(&StoredResponse::from_response(response)).map_err(Problem::internal)?;
    Ok(SavedResponse { fingerprint, response })
}

/// Returns the saved response to a repeated request.
///
/// # Errors
/// Returns a 422 problem if `fingerprint` differs from that of the first request with the key.
pub fn replay(saved: &SavedResponse, fingerprint: &Fingerprint) -> Result<Response, Problem> {
    if saved.fingerprint != *fingerprint {
        return Err(key_reused());
    }
    serde_json::from_str::<StoredResponse>(&saved.response).map_err(Problem::internal)?.into_response()
}

/// Returns the layer that processes requests with the same `Idempotency-Key` only once. Requests without a key are
/// passed through.
pub fn layer<R, C>(idempotency: &Idempotency<R, C>) -> IdempotencyLayer<'_, R, C> {
    IdempotencyLayer(idempotency)
}

/// The layer created by [`layer`].
#[derive(Debug)]
pub struct IdempotencyLayer<'a, R, C>(&'a Idempotency<R, C>);

impl<'a, R, C, S> Layer<S> for IdempotencyLayer<'a, R, C> {
    type Service = IdempotencyService<'a, R, C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        IdempotencyService { idempotency: self.0, inner }
    }
}

/// A handler that processes requests with the same idempotency key only once.
#[derive(Debug)]
pub struct IdempotencyService<'a, R, C, S> {
    idempotency: &'a Idempotency<R, C>,
    inner: S,
}

impl<'a, R, C, S> Service<Request> for IdempotencyService<'a, R, C, S>
where
    R: IdempotencyStore,
    C: Clock,
    S: Service<Request, Response = Response>,
    S::Error: Into<Problem>,
    S::Future: Send + 'a,
{
    type Response = Response;
    type Error = Problem;
    type Future = BoxFuture<'a, Result<Response, Problem>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let idempotency = self.idempotency;
        let keyed = KeyedRequest::from_request(&mut request);
        let work = self.inner.call(request);
        Box::pin(async move {
            let Some(KeyedRequest { key, payload }) = keyed? else { return work.await.map_err(Into::into) };
            let work = async { work.await.map(|response| StoredResponse::from_response(&response)).map_err(Into::into) };
            idempotency.once(&key, &payload, work).await?.into_response()
        })
    }
}

/// The idempotency key and the payload of a request.
struct KeyedRequest {
    /// The subject of the caller, and the value of the `Idempotency-Key` header.
    key: (String, String),
    payload: Value,
}

impl KeyedRequest {
    fn from_request(request: &mut Request) -> Result<Option<Self>, Problem> {
        let Some(key) = key(request)? else { return Ok(None) };
        let subject = caller(request)?.subject().to_string();
        let payload = match JsonBody::parse_and_store(request) {
            Some(body) => body.value().clone(),
            None => String::from_utf8_lossy(request.body()).into(),
        };
        Ok(Some(Self { key: (subject, key.into()), payload }))
    }
}

/// Creates a 409 problem: another request with the same idempotency key is in progress.
pub fn key_in_flight() -> Problem {
    let title = "A request with this Idempotency-Key is in progress";
    Problem::new(StatusCode::CONFLICT, "idempotency-key-in-flight", title)
        .detail("Retry the request in a moment to get its response.")
}

/// Creates a 422 problem: the idempotency key was used for another request.
fn key_reused() -> Problem {
    let title = "The Idempotency-Key was used for another request";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title)
        .detail("Send the original request again, or use a new key.")
}

impl From<IdempotencyError<Problem>> for Problem {
    fn from(error: IdempotencyError<Problem>) -> Self {
        match error {
            IdempotencyError::InProgress => key_in_flight(),
            IdempotencyError::Reused => key_reused(),
            IdempotencyError::Panicked(error) => error.into(),
            IdempotencyError::Failed(problem) => problem,
            IdempotencyError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use ferrite_core::contract;
    use ferrite_core::memory::{FixedClock, MemoryIdempotency};
    use http::Method;
    use lambda_http::service_fn;
    use serde_json::json;

    use super::*;
    use crate::http::json as json_response;
    use crate::http::testing::{TestRequest, request};

    fn post(key: &str, body: &Value) -> Request {
        request(Method::POST).with_caller("ada", "").header(HEADER, key).json(body)
    }

    /// A handler that counts the requests that it processes.
    ///
    /// It rejects `{"reject": true}` and panics on `{"panic": true}`.
    struct CountingHandler {
        idempotency: Idempotency<MemoryIdempotency, FixedClock>,
        processed: AtomicU32,
    }

    impl CountingHandler {
        fn new() -> Self {
            let idempotency = Idempotency::new(MemoryIdempotency::default(), FixedClock(contract::now()), "create");
            Self { idempotency, processed: AtomicU32::new(0) }
        }

        async fn send(&self, request: Request) -> Result<Response, Problem> {
            let handler = service_fn(|request: Request| async move {
                match JsonBody::read(&request)?.value() {
                    body if body["reject"] == true => Err(Problem::malformed("no")),
                    body if body["panic"] == true => panic!("ouch"),
                    _ => {
                        let n = self.processed.fetch_add(1, Ordering::Relaxed);
                        let mut response = json_response(StatusCode::CREATED, &json!({ "n": n }))?;
                        response.headers_mut().insert(LOCATION, HeaderValue::from_static("notes/1"));
                        Ok(response)
                    }
                }
            });
            layer(&self.idempotency).layer(handler).call(request).await
        }

        async fn status(&self, request: Request) -> u16 {
            self.send(request).await.map_or_else(|problem| problem.status().as_u16(), |response| response.status().as_u16())
        }
    }

    #[tokio::test]
    async fn accepts_keys_of_up_to_255_visible_ascii_characters() {
        let handler = CountingHandler::new();
        assert_eq!(handler.status(post(&"k".repeat(255), &json!({}))).await, 201);
        for key in ["k".repeat(256), "two words".to_owned()] {
            assert_eq!(handler.status(post(&key, &json!({}))).await, 400);
        }
    }

    #[tokio::test]
    async fn returns_the_saved_status_and_body_to_repeated_requests() {
        let handler = CountingHandler::new();
        let first = handler.send(post("k", &json!({"a": 1, "b": 2}))).await.unwrap();
        let repeated = handler.send(post("k", &json!({"b": 2, "a": 1}))).await.unwrap();
        assert_eq!(
            (first.status(), first.headers(), first.body()),
            (repeated.status(), repeated.headers(), repeated.body())
        );
        assert_eq!(first.headers()[LOCATION], "notes/1");
        assert_eq!(handler.processed.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn rejects_a_different_body_with_the_same_key() {
        let handler = CountingHandler::new();
        assert_eq!(handler.status(post("k", &json!({"a": 1}))).await, 201);
        assert_eq!(handler.status(post("k", &json!({"a": 2}))).await, 422);
    }

    #[tokio::test]
    async fn rejects_a_request_while_the_first_is_in_progress() {
        let handler = CountingHandler::new();
        let slow = service_fn(|_: Request| std::future::pending::<Result<Response, Problem>>());
        let mut slow = layer(&handler.idempotency).layer(slow);
        let first = slow.call(post("k", &json!({})));
        assert!(futures_util::poll!(first).is_pending());
        assert_eq!(handler.status(post("k", &json!({}))).await, 409);
    }

    #[tokio::test]
    async fn does_not_save_rejections_or_failures() {
        let handler = CountingHandler::new();
        assert_eq!(handler.status(post("k", &json!({"reject": true}))).await, 400);
        assert_eq!(handler.status(post("k", &json!({"panic": true}))).await, 500);
        assert_eq!(handler.status(post("k", &json!({}))).await, 201);
    }

    #[tokio::test]
    async fn saves_responses_for_24_hours() {
        let mut handler = CountingHandler::new();
        assert_eq!(handler.status(post("k", &json!({"a": 1}))).await, 201);
        let day = 24 * 60 * 60 * 1000;
        for (delay, status) in [(day - 1000, 422), (day + 1000, 201)] {
            let now = ferrite_core::Timestamp::from_unix_millis(contract::now().unix_millis() + delay);
            handler.idempotency = handler.idempotency.with_clock(FixedClock(now));
            assert_eq!(handler.status(post("k", &json!({"a": 2}))).await, status, "after {delay} ms");
        }
    }

    #[tokio::test]
    async fn separates_keys_by_caller_and_processes_requests_without_a_key() {
        let handler = CountingHandler::new();
        assert_eq!(handler.status(post("k", &json!({}))).await, 201);
        let grace = request(Method::POST).with_caller("grace", "").header(HEADER, "k").json(&json!({}));
        assert_eq!(handler.status(grace).await, 201);
        assert_eq!(handler.status(request(Method::POST).json(&json!({}))).await, 201);
        assert_eq!(handler.processed.load(Ordering::Relaxed), 3);
    }
}
