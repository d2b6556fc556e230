//! The `Idempotency-Key` contract of POST /orders (the IETF draft "The Idempotency-Key HTTP Header Field"): the first
//! request under a key is carried out, every other gets its answer, and a key is never used for two different requests.

use ferrite_domain::ports::{Fingerprint, SavedAnswer};
use ferrite_domain::{IdempotencyKey, Order, Timestamp};
use ferrite_runtime::http::{Problem, Request, Response, header, json};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// How long a key stands for its first request.
const LIFETIME_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The request's key.
pub(crate) fn key(request: &Request) -> Result<IdempotencyKey, Problem> {
    let refused = |why: &dyn std::fmt::Display| {
        Problem::malformed("The request needs an `Idempotency-Key` of its own.").field("idempotency-key", why)
    };
    let text = header(request, "idempotency-key")?.ok_or_else(|| refused(&"is missing"))?;
    IdempotencyKey::try_from(text.to_owned()).map_err(|error| refused(&error))
}

/// When a key that is used now may be used for another request.
pub(crate) fn expiry(now: Timestamp) -> Timestamp {
    Timestamp::from_unix_millis(now.unix_millis() + LIFETIME_MILLIS)
}

/// A digest of what the body says: the same for the same JSON, however it is spaced and its keys are ordered.
pub(crate) fn fingerprint(request: &Request) -> Fingerprint {
    let bytes: &[u8] = request.body();
    // What is no JSON has been refused before it gets here.
    let mut json: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    json.sort_all_objects();
    let canonical = json.to_string();
    Fingerprint(Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[derive(Serialize, Deserialize)]
struct Answer {
    location: String,
    body: Box<RawValue>,
}

/// What is kept of the answer to a placed order.
pub(crate) fn save(order: &Order, fingerprint: Fingerprint) -> Result<SavedAnswer, Problem> {
    let body = serde_json::value::to_raw_value(&ferrite_api::OrderBody::from(order.clone())).map_err(Problem::internal)?;
    // Relative to the request's own URL (RFC 9110, section 10.2.2), which ends in `orders` behind whatever stage.
    let answer = Answer { location: format!("orders/{}", order.id), body };
    Ok(SavedAnswer { fingerprint, answer: serde_json::to_string(&answer).map_err(Problem::internal)? })
}

/// The answer as it was given the first time, to the request that it was given to.
///
/// # Errors
/// 422: `fingerprint` is another request's.
pub(crate) fn replay(saved: &SavedAnswer, fingerprint: &Fingerprint) -> Result<Response, Problem> {
    if saved.fingerprint != *fingerprint {
        let title = "The Idempotency-Key was used for another request";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title);
        return Err(problem.detail("Send what you sent the first time, or take a new key."));
    }
    let answer: Answer = serde_json::from_str(&saved.answer).map_err(Problem::internal)?;
    let mut response = json(StatusCode::ACCEPTED, &answer.body)?;
    let location = HeaderValue::try_from(answer.location).map_err(Problem::internal)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
