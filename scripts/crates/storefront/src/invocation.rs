//! An event, and how to tell whether a function handled it.

use serde_json::{Value, json};

/// What a function is invoked with while it is measured.
#[derive(Debug, Clone)]
pub struct Invocation {
    event: Value,
    succeeded: fn(&Value) -> bool,
}

impl Invocation {
    /// An event, and whether a response to it means success. A request that fails is fast, and its time means nothing.
    #[must_use]
    pub fn new(event: Value, succeeded: fn(&Value) -> bool) -> Self {
        Self { event, succeeded }
    }

    /// The event of the invocation `number`. Each has its own idempotency key and message id, because a repeated one would
    /// only return the saved response.
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

    /// Whether the function handled the event.
    #[must_use]
    pub fn succeeded(&self, response: &[u8]) -> bool {
        serde_json::from_slice(response).is_ok_and(|response| (self.succeeded)(&response))
    }
}
