//! The input of the functions.

use serde_json::json;
use uuid::Uuid;

use crate::function::Handler;

pub(crate) const CORRELATION_ID: &str = "request-7";

/// The input of an idempotent charge. Every invocation with the same payload has the same idempotency key.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    handler: Handler,
    key: String,
    /// The content, as JSON text.
    json: String,
}

impl Payload {
    /// Creates a payload with a new idempotency key.
    pub(crate) fn new(handler: Handler) -> Self {
        Self::with_json(handler, r#"{"amount": 1250}"#)
    }

    /// Creates a payload with a new idempotency key and the content `json`. For events, the content is also part of the
    /// key.
    pub(crate) fn with_json(handler: Handler, json: &str) -> Self {
        let id = Uuid::new_v4();
        let key = match handler {
            Handler::Event => format!(r#"["{id}", {json}]"#),
            Handler::Request => id.to_string(),
        };
        Self { handler, key, json: json.to_owned() }
    }

    /// Other content with the same idempotency key.
    pub(crate) fn changed(&self) -> Self {
        Self { json: r#"{"amount": 9}"#.to_owned(), ..self.clone() }
    }

    /// The event that invokes the function.
    pub(crate) fn event(&self) -> String {
        match self.handler {
            // Formatted as text, so that numbers keep the notation in which they were written.
            Handler::Event => format!(r#"{{"key": {}, "payload": {}}}"#, self.key, self.json),
            Handler::Request => request(&self.key, &self.json),
        }
    }
}

/// The event that a REST API sends ("Set up Lambda proxy integrations in API Gateway").
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
