//! Domain events as they arrive in a queue: inside what an EventBridge rule put there.

use ferrite_domain::{CloudEvent, EventError};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct FromRule<'a> {
    #[serde(borrow)]
    detail: &'a RawValue,
}

/// The domain event in the body of a message that an EventBridge rule sent ("Events in Amazon EventBridge").
///
/// # Errors
/// It is no such body, or holds no event that is known here.
pub fn from_rule(body: &str) -> Result<CloudEvent, EventError> {
    let event: FromRule<'_> = serde_json::from_str(body).map_err(|error| EventError::Malformed(error.to_string()))?;
    CloudEvent::parse(event.detail.get())
}
