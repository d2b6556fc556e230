//! Answers.

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

/// An answer whose body is `value` as JSON.
///
/// # Errors
/// `value` cannot be written as JSON, which is a mistake in this program.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(value).map_err(Problem::internal)?;
    Ok(with_body(status, "application/json", Body::Text(text)))
}

/// 204, without a body.
pub fn no_content() -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
