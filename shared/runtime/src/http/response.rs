//! Responses.

use http::{HeaderValue, StatusCode};
use lambda_http::Body;
use serde::Serialize;

use super::{Problem, Response};

pub(super) fn with_body(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A response whose body is `value` as JSON.
///
/// # Errors
/// `value` cannot be written as JSON, which is a mistake in this program.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(value).map_err(Problem::internal)?;
    Ok(with_body(status, "application/json", Body::Text(text)))
}

/// 204 without a body.
pub fn no_content() -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// `response` with a `Location` header. `location` is relative to the URL of the request (RFC 9110, section 10.2.2), so
/// that it is right behind any stage and domain: `notes/note_1` in the response to `POST /notes`.
///
/// # Errors
/// `location` cannot be a header value, which is a mistake in this program.
pub fn located(mut response: Response, location: &str) -> Result<Response, Problem> {
    response.headers_mut().insert(http::header::LOCATION, HeaderValue::try_from(location).map_err(Problem::internal)?);
    Ok(response)
}
