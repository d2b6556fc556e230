//! What the functions are asked.

use serde_json::json;
use uuid::Uuid;

use crate::function::Handler;

pub(crate) const CORRELATION_ID: &str = "checkout-7";

/// Something to be done once: asked again and again, it is the same thing.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    handler: Handler,
    key: String,
    /// JSON, as it comes over the wire.
    text: String,
}

impl Asked {
    /// Something that nobody else asks.
    pub(crate) fn new(handler: Handler) -> Self {
        Self::saying(handler, r#"{"amount": 1250}"#)
    }

    /// Something that nobody else asks, put as the JSON `text`; an event has it in its key as well.
    pub(crate) fn saying(handler: Handler, text: &str) -> Self {
        let id = Uuid::new_v4();
        let key = match handler {
            Handler::Event => format!(r#"["{id}", {text}]"#),
            Handler::Request => id.to_string(),
        };
        Self { handler, key, text: text.to_owned() }
    }

    /// Something else under the same key.
    pub(crate) fn changed(&self) -> Self {
        Self { text: r#"{"amount": 9}"#.to_owned(), ..self.clone() }
    }

    /// What the function is invoked with.
    pub(crate) fn event(&self) -> String {
        match self.handler {
            // Put together as text, so that numbers arrive as they were written.
            Handler::Event => format!(r#"{{"key": {}, "asked": {}}}"#, self.key, self.text),
            Handler::Request => request(&self.key, &self.text),
        }
    }
}

/// A request as a REST API hands it over ("Set up Lambda proxy integrations in API Gateway").
fn request(key: &str, body: &str) -> String {
    let path = "/charges";
    json!({
        "resource": path, "path": path, "httpMethod": "POST",
        "headers": {"content-type": "application/json", "idempotency-key": key, "x-correlation-id": CORRELATION_ID},
        "multiValueHeaders": {}, "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": null, "stageVariables": null, "body": body, "isBase64Encoded": false,
        "requestContext": {
            "resourcePath": path, "httpMethod": "POST", "path": path, "stage": "v1", "requestId": "r", "identity": {},
            "authorizer": {"sub": "ada", "scope": ""},
        },
    })
    .to_string()
}
