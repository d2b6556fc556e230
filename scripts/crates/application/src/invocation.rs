//! An event for a function, with a check of the function's response.

use serde_json::{Value, json};

/// The event with which the benchmark invokes a function, with a check of the response.
#[derive(Debug, Clone)]
pub struct Invocation {
    event: Value,
    succeeded: fn(&Value) -> bool,
}

impl Invocation {
    /// Creates an invocation from an event and a check of the response. The check is needed because a request that
    /// fails is fast, so its duration must not be measured.
    #[must_use]
    pub fn new(event: Value, succeeded: fn(&Value) -> bool) -> Self {
        Self { event, succeeded }
    }

    /// Returns the event of the invocation with this number.
    ///
    /// Each event has its own idempotency key and message ID. With the same key, the function would only return its saved
    /// response.
    #[must_use]
    pub fn event(&self, number: u32) -> String {
        let mut event = self.event.clone();
        let key = json!(format!("bench-{number}"));
        if let Some(single) = event.pointer_mut("/headers/Idempotency-Key") {
            *single = key.clone();
        }
        if let Some(multiple) = event.pointer_mut("/multiValueHeaders/Idempotency-Key") {
            *multiple = json!([key]);
        }
        if let Some(message) = event.pointer_mut("/Records/0/messageId") {
            *message = key;
        }
        event.to_string()
    }

    /// Returns `true` if `response` shows that the function handled the event successfully.
    #[must_use]
    pub fn succeeded(&self, response: &[u8]) -> bool {
        serde_json::from_slice(response).is_ok_and(|response| (self.succeeded)(&response))
    }
}
