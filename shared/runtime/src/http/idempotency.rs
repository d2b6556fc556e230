//! The `Idempotency-Key` contract (the IETF draft "The Idempotency-Key HTTP Header Field", with Stripe's lengths and
//! times): the first request under a key is carried out, every other gets its answer, and a key is never used for two
//! different requests.
//!
//! - a key has 1 to 255 visible ASCII characters, and each caller has keys of their own;
//! - the status and the body are given again, for 24 hours;
//! - another body under the same key is refused with 422, a request while the first is in progress with 409;
//! - what was refused or failed is not kept: the same key may be used to try again.
//!
//! [`layer`] does it around a handler, with a record of its own. A handler that keeps the answer in the same transaction as
//! what it changes uses [`required_key`], [`fingerprint`], [`save`] and [`replay`] itself.
//!
//! ```
//! use ferrite_core::ports::{Clock, IdempotencyStore};
//! use ferrite_runtime::http::{Problem, Request, Response, idempotency, no_content};
//! use ferrite_runtime::idempotency::Idempotency;
//! use lambda_http::service_fn;
//! use lambda_http::tower::{Service, ServiceBuilder};
//!
//! fn once<'a>(
//!     records: &'a Idempotency<impl IdempotencyStore + Send, impl Clock + Send>,
//! ) -> impl Service<Request, Response = Response, Error = Problem> + 'a {
//!     ServiceBuilder::new()
//!         .layer(idempotency::layer(records))
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

/// The headers of an answer that belong to what was done, and not to the request that it answers.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// The request's key, if it has one.
///
/// # Errors
/// 400: it is none.
pub fn key(request: &Request) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(text) = header(request, HEADER)? else { return Ok(None) };
    IdempotencyKey::try_from(text.to_owned()).map(Some).map_err(|error| bad_key(&error))
}

/// The request's key.
///
/// # Errors
/// 400: there is none, or it is none.
pub fn required_key(request: &Request) -> Result<IdempotencyKey, Problem> {
    key(request)?.ok_or_else(|| bad_key(&"is missing"))
}

fn bad_key(why: &dyn std::fmt::Display) -> Problem {
    Problem::malformed("The request needs an `Idempotency-Key` of its own.").field(HEADER, why)
}

/// What distinguishes the request from others under the same key: a digest of its body that ignores white space and the
/// order of keys.
///
/// # Errors
/// The digest could not be computed, which is a mistake in this program.
pub fn fingerprint(body: &JsonBody) -> Result<Fingerprint, Problem> {
    digest(body.value()).map(Fingerprint).map_err(Problem::internal)
}

/// An answer as it is kept: what a function in Python returns to API Gateway.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Kept {
    fn of(response: &Response) -> Self {
        let text = |name: &HeaderName| Some((name.to_string(), response.headers().get(name)?.to_str().ok()?.to_owned()));
        let body: &[u8] = response.body();
        Self {
            status_code: response.status().as_u16(),
            headers: KEPT_HEADERS.iter().filter_map(text).collect(),
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

/// What is kept of an answer, to be given again.
///
/// # Errors
/// The answer cannot be written as JSON, which is a mistake in this program.
pub fn save(response: &Response, fingerprint: Fingerprint) -> Result<SavedResponse, Problem> {
    let answer = serde_json::to_string(&Kept::of(response)).map_err(Problem::internal)?;
    Ok(SavedResponse { fingerprint, response: answer })
}

/// The answer as it was given the first time, to the request that it was given to.
///
/// # Errors
/// 422: `fingerprint` is another request's.
pub fn replay(saved: &SavedResponse, fingerprint: &Fingerprint) -> Result<Response, Problem> {
    if saved.fingerprint != *fingerprint {
        return Err(key_reused());
    }
    serde_json::from_str::<Kept>(&saved.response).map_err(Problem::internal)?.into_response()
}

/// The layer that carries requests with an `Idempotency-Key` out once, and those without one as they come.
pub fn layer<R, C>(idempotency: &Idempotency<R, C>) -> Once<'_, R, C> {
    Once(idempotency)
}

/// What [`layer`] makes.
#[derive(Debug)]
pub struct Once<'a, R, C>(&'a Idempotency<R, C>);

impl<'a, R, C, S> Layer<S> for Once<'a, R, C> {
    type Service = CarriedOutOnce<'a, R, C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        CarriedOutOnce { idempotency: self.0, inner }
    }
}

/// A handler whose requests are carried out once for each key.
#[derive(Debug)]
pub struct CarriedOutOnce<'a, R, C, S> {
    idempotency: &'a Idempotency<R, C>,
    inner: S,
}

impl<'a, R, C, S> Service<Request> for CarriedOutOnce<'a, R, C, S>
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
        let keyed = Keyed::of(&mut request);
        let work = self.inner.call(request);
        Box::pin(async move {
            let Some(Keyed { key, asked }) = keyed? else { return work.await.map_err(Into::into) };
            let work = async { work.await.map(|response| Kept::of(&response)).map_err(Into::into) };
            idempotency.once(&key, &asked, work).await?.into_response()
        })
    }
}

/// What a request with a key is known by.
struct Keyed {
    /// Whose key, and the key.
    key: (String, String),
    asked: Value,
}

impl Keyed {
    fn of(request: &mut Request) -> Result<Option<Self>, Problem> {
        let Some(key) = key(request)? else { return Ok(None) };
        let whose = caller(request)?.subject().to_string();
        let asked = match JsonBody::keep(request) {
            Some(body) => body.value().clone(),
            None => String::from_utf8_lossy(request.body()).into(),
        };
        Ok(Some(Self { key: (whose, key.into()), asked }))
    }
}

/// 409: another request under the same idempotency key is in progress.
pub fn key_in_flight() -> Problem {
    let title = "A request with this Idempotency-Key is being carried out";
    Problem::new(StatusCode::CONFLICT, "idempotency-key-in-flight", title)
        .detail("Send it again in a moment to get its answer.")
}

/// 422: the idempotency key was used for another request.
fn key_reused() -> Problem {
    let title = "The Idempotency-Key was used for another request";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title)
        .detail("Send what you sent the first time, or take a new key.")
}

impl From<IdempotencyError<Problem>> for Problem {
    fn from(error: IdempotencyError<Problem>) -> Self {
        match error {
            IdempotencyError::InProgress => key_in_flight(),
            IdempotencyError::Reused => key_reused(),
            IdempotencyError::Panicked(panicked) => panicked.into(),
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
        request(Method::POST).by_caller("ada", "").header(HEADER, key).json(body)
    }

    /// A handler that counts what it carries out, refuses `{"refuse": true}` and panics at `{"panic": true}`.
    struct Counting {
        idempotency: Idempotency<MemoryIdempotency, FixedClock>,
        carried_out: AtomicU32,
    }

    impl Counting {
        fn new() -> Self {
            let idempotency = Idempotency::new(MemoryIdempotency::default(), FixedClock(contract::now()), "create");
            Self { idempotency, carried_out: AtomicU32::new(0) }
        }

        async fn send(&self, request: Request) -> Result<Response, Problem> {
            let handler = service_fn(|request: Request| async move {
                match JsonBody::read(&request)?.value() {
                    body if body["refuse"] == true => Err(Problem::malformed("no")),
                    body if body["panic"] == true => panic!("ouch"),
                    _ => {
                        let n = self.carried_out.fetch_add(1, Ordering::Relaxed);
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
    async fn a_key_has_at_most_255_visible_ascii_characters() {
        let handler = Counting::new();
        assert_eq!(handler.status(post(&"k".repeat(255), &json!({}))).await, 201);
        for key in ["k".repeat(256), "two words".to_owned()] {
            assert_eq!(handler.status(post(&key, &json!({}))).await, 400);
        }
    }

    #[tokio::test]
    async fn the_status_and_body_are_given_again() {
        let handler = Counting::new();
        let first = handler.send(post("k", &json!({"a": 1, "b": 2}))).await.unwrap();
        let again = handler.send(post("k", &json!({"b": 2, "a": 1}))).await.unwrap();
        assert_eq!((first.status(), first.headers(), first.body()), (again.status(), again.headers(), again.body()));
        assert_eq!(first.headers()[LOCATION], "notes/1");
        assert_eq!(handler.carried_out.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn another_body_under_the_same_key_is_refused() {
        let handler = Counting::new();
        assert_eq!(handler.status(post("k", &json!({"a": 1}))).await, 201);
        assert_eq!(handler.status(post("k", &json!({"a": 2}))).await, 422);
    }

    #[tokio::test]
    async fn a_request_while_the_first_is_in_progress_is_refused() {
        let handler = Counting::new();
        let slow = service_fn(|_: Request| std::future::pending::<Result<Response, Problem>>());
        let mut slow = layer(&handler.idempotency).layer(slow);
        let first = slow.call(post("k", &json!({})));
        assert!(futures_util::poll!(first).is_pending());
        assert_eq!(handler.status(post("k", &json!({}))).await, 409);
    }

    #[tokio::test]
    async fn what_was_refused_or_failed_is_not_kept() {
        let handler = Counting::new();
        assert_eq!(handler.status(post("k", &json!({"refuse": true}))).await, 400);
        assert_eq!(handler.status(post("k", &json!({"panic": true}))).await, 500);
        assert_eq!(handler.status(post("k", &json!({}))).await, 201);
    }

    #[tokio::test]
    async fn an_answer_is_kept_for_a_day() {
        let mut handler = Counting::new();
        assert_eq!(handler.status(post("k", &json!({"a": 1}))).await, 201);
        let day = 24 * 60 * 60 * 1000;
        for (later, status) in [(day - 1000, 422), (day + 1000, 201)] {
            let now = ferrite_core::Timestamp::from_unix_millis(contract::now().unix_millis() + later);
            handler.idempotency = handler.idempotency.at(FixedClock(now));
            assert_eq!(handler.status(post("k", &json!({"a": 2}))).await, status, "{later} ms later");
        }
    }

    #[tokio::test]
    async fn each_caller_has_keys_of_their_own_and_a_request_without_one_is_carried_out() {
        let handler = Counting::new();
        assert_eq!(handler.status(post("k", &json!({}))).await, 201);
        let grace = request(Method::POST).by_caller("grace", "").header(HEADER, "k").json(&json!({}));
        assert_eq!(handler.status(grace).await, 201);
        assert_eq!(handler.status(request(Method::POST).json(&json!({}))).await, 201);
        assert_eq!(handler.carried_out.load(Ordering::Relaxed), 3);
    }
}
