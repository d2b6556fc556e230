//! Problem documents (RFC 9457): what a client is told when its request was not carried out.

use std::error::Error;

use http::StatusCode;
use lambda_http::Body;
use serde::Serialize;

use super::Response;
use super::response::with_body;

/// One field of a request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it stands in the body (`lines[0].quantity`), or the name of the parameter or header.
    pub field: String,
    /// What is wrong, to follow the field's name: "must not be empty".
    pub message: String,
}

/// Why a request was not carried out.
///
/// `type` is a URN that stays the same for ever and that clients may compare; the other texts are for people.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

// Behind a pointer, because every handler's result has room for a problem and few have one.
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
    cause: Option<Box<dyn Error + Send + Sync>>,
}

fn status_code<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of the type `urn:ferrite:problem:<name>`.
    pub fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        Self(Box::new(Parts {
            kind: format!("urn:ferrite:problem:{name}"),
            title,
            status,
            detail: None,
            instance: None,
            errors: Vec::new(),
            retry_after_seconds: None,
            cause: None,
        }))
    }

    /// 400: it cannot be read as what it should be.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-request", "The request cannot be read").detail(detail)
    }

    /// 404: it is not there, or it is another's, which is not told apart.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing here")
    }

    /// 422: it can be read and is not valid; every field at fault is named.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation", "Some fields are not valid");
        problem.0.errors = errors;
        problem
    }

    /// 500: our fault; the log says more, the client learns nothing.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side");
        problem.0.cause = Some(cause.into());
        problem
    }

    /// 503: what the function depends on did not do its part; the same request may succeed in a moment.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer just now");
        problem.0.retry_after_seconds = Some(1);
        problem.0.cause = Some(cause.into());
        problem
    }

    /// The same problem with a text about this one request.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// The same problem with one field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl ToString) -> Self {
        self.0.errors.push(FieldError { field: field.into(), message: message.to_string() });
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Its `type`.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The fields at fault.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// What led to it, for the log alone.
    pub fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }

    /// The answer; `request_id` names this occurrence to whoever reads the log.
    pub fn into_response(mut self, request_id: &str) -> Response {
        self.0.instance = Some(format!("urn:ferrite:request:{request_id}"));
        // Serializing strings and numbers cannot fail; if it ever did, the status alone would still be right.
        let body = serde_json::to_string(&*self.0).unwrap_or_default();
        let mut response = with_body(self.0.status, "application/problem+json", Body::Text(body));
        if let Some(seconds) = self.0.retry_after_seconds {
            response.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
