//! Problem documents (RFC 9457): the body of error responses.

use std::error::Error;

use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use lambda_http::Body;
use serde::Serialize;

use super::Response;
use super::response::with_body;

/// A validation error of one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Path of the field in the body, such as `items[0].quantity`, or name of the parameter or header.
    pub field: String,
    /// Description of the error. Clients can display it after the field name, as in "must not be empty".
    pub message: String,
}

/// An error response: a problem document with its HTTP status.
///
/// Its `type` is a stable URN that clients can compare. The title and the detail are for people and can change.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

// Boxed to keep the `Result` of every handler small.
#[derive(Debug, Serialize)]
struct Parts {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "status_code")]
    status: StatusCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
    #[serde(skip)]
    challenge: Option<HeaderValue>,
    #[serde(skip)]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

fn status_code<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Creates a problem with the type `urn:ferrite:problem:<name>`.
    pub fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        Self(Box::new(Parts {
            kind: format!("urn:ferrite:problem:{name}"),
            title,
            status,
            detail: None,
            instance: None,
            errors: Vec::new(),
            retry_after_seconds: None,
            challenge: None,
            cause: None,
        }))
    }

    /// Creates a 400 problem: the request is malformed.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-request", "The request is malformed").detail(detail)
    }

    /// Creates a 401 problem: the request has no token. Its `WWW-Authenticate` header contains no error code (RFC 6750,
    /// section 3.1).
    pub fn unauthorized() -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication required");
        problem.challenge(HeaderValue::from_static("Bearer"))
    }

    /// Creates a 401 problem: the token of the request is invalid or has expired. Its `WWW-Authenticate` header contains
    /// the error code `invalid_token` (RFC 6750, section 3.1).
    pub fn invalid_token() -> Self {
        Self::unauthorized().challenge(HeaderValue::from_static(r#"Bearer error="invalid_token""#))
    }

    /// Creates a 403 problem: the token does not have `scope`. Its `WWW-Authenticate` header contains the error code
    /// `insufficient_scope` and the scope (RFC 6750, section 3.1).
    pub fn insufficient_scope(scope: &str) -> Self {
        let problem = Self::new(StatusCode::FORBIDDEN, "missing-scope", "Access denied");
        // Only a text that is not a scope (RFC 6749, section 3.3) can be an invalid header value.
        let challenge = HeaderValue::try_from(format!(r#"Bearer error="insufficient_scope", scope="{scope}""#));
        let challenge = challenge.unwrap_or(HeaderValue::from_static(r#"Bearer error="insufficient_scope""#));
        problem.challenge(challenge).detail(format!("The token needs the scope `{scope}`."))
    }

    /// Creates a 404 problem: the resource does not exist, or belongs to another caller. The response does not
    /// distinguish the two cases.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found")
    }

    /// Creates a 422 problem: the request is well-formed, but some fields are invalid.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation", "Some fields are not valid");
        problem.0.errors = errors;
        problem
    }

    /// Creates a 500 problem. `cause` is logged and is not sent to the client.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal server error");
        problem.0.cause = Some(cause.into());
        problem
    }

    /// Creates a 503 problem: a dependency failed, and the client can retry the request after one second. `cause` is
    /// logged and is not sent to the client.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is temporarily unavailable");
        problem.0.retry_after_seconds = Some(1);
        problem.0.cause = Some(cause.into());
        problem
    }

    /// Sets the `WWW-Authenticate` header of the response. REST APIs rename it to `x-amzn-Remapped-WWW-Authenticate`
    /// ("Amazon API Gateway important notes"); HTTP APIs and function URLs do not.
    fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// Sets the detail, which describes this occurrence of the problem.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the error of one field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl ToString) -> Self {
        self.0.errors.push(FieldError { field: field.into(), message: message.to_string() });
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the problem type, a URN.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Returns the errors of the fields.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Returns the error that caused the problem. It is logged and is not sent to the client.
    pub fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }

    /// Converts the problem to a response. Its `instance` contains `request_id`, which identifies the occurrence in the
    /// log.
    pub fn into_response(mut self, request_id: &str) -> Response {
        self.0.instance = Some(format!("urn:ferrite:request:{request_id}"));
        // Serializing strings and numbers cannot fail. If it did, the response would still have the correct status.
        let body = serde_json::to_string(&*self.0).unwrap_or_default();
        let mut response = with_body(self.0.status, "application/problem+json", Body::Text(body));
        if let Some(seconds) = self.0.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.0.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
