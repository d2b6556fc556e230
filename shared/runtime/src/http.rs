//! A handler behind API Gateway: what comes in, what goes out, and every refusal as a problem document.
//!
//! REST APIs, HTTP APIs (payload 2.0) and function URLs give the same [`Request`] and take the same [`Response`].

mod body;
mod caller;
mod conditional;
pub mod idempotency;
mod problem;
mod refusals;
mod request;
mod response;
mod serve;
#[cfg(feature = "testing")]
pub mod testing;

pub use body::{InvalidBody, Limited, json_body, limit};
pub use caller::{Caller, caller};
pub use conditional::{expected_tag, not_modified, tagged};
pub use problem::{FieldError, Problem};
pub use request::{header, header_list, path_id, query};
pub use response::{json, no_content};
pub use serve::{answer, serve};

/// A request from API Gateway.
pub type Request = lambda_http::Request;

/// An answer to API Gateway.
pub type Response = http::Response<lambda_http::Body>;
