//! Functions that create responses.

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

/// Creates a response with `value` as its JSON body.
///
/// # Errors
/// Returns a 500 problem if `value` cannot be serialized.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(value).map_err(Problem::internal)?;
    Ok(with_body(status, "application/json", Body::Text(text)))
}

/// Creates a 204 response without a body.
pub fn no_content() -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Adds a `Location` header to `response`.
///
/// Use a `location` that is relative to the URL of the request (RFC 9110, section 10.2.2), such as `notes/note_1` in
/// the response to `POST /notes`. It is then correct for any stage and domain.
///
/// # Errors
/// Returns a 500 problem if `location` is not a valid header value.
pub fn with_location(mut response: Response, location: &str) -> Result<Response, Problem> {
    response.headers_mut().insert(http::header::LOCATION, HeaderValue::try_from(location).map_err(Problem::internal)?);
    Ok(response)
}
