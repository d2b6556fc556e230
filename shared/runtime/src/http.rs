//! HTTP handlers for API Gateway: requests, responses, and errors as problem details (RFC 9457).
//!
//! Handlers use the same [`Request`] and [`Response`] for REST APIs, HTTP APIs (payload format 2.0) and function URLs.
//!
//! ```no_run
//! use ferrite_runtime::http::{self, Problem, Request, Response, no_content};
//! use ferrite_runtime::{InitError, service_fn};
//!
//! async fn delete_note(request: Request) -> Result<Response, Problem> {
//!     http::caller(&request)?.require_scope("notes:write")?;
//!     Ok(no_content())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), InitError> {
//!     http::serve(service_fn(delete_note)).await
//! }
//! ```

mod body;
mod caller;
mod conditional;
mod cors;
mod errors;
mod headers;
pub mod idempotency;
mod problem;
mod request;
mod response;
mod serve;
#[cfg(feature = "testing")]
pub mod testing;

pub use body::{BodyLimitMiddleware, InvalidBody, JsonBody, json_body, limit_body};
pub use caller::{Caller, TOKEN_LEEWAY_SECONDS, caller};
pub use conditional::{if_match, not_modified, with_etag};
pub use problem::{FieldError, Problem};
pub use request::{header, header_list, path_id, query, route_path};
pub use response::{json, no_content, with_location};
pub use serve::serve;

/// An HTTP request from API Gateway.
pub type Request = lambda_http::Request;

/// An HTTP response to API Gateway.
pub type Response = http::Response<lambda_http::Body>;
