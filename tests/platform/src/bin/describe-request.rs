//! GET /requests and GET /requests/{requestId} without a token, and GET /caller with one. The responses depend only on the
//! request.

use std::io;
use std::str::FromStr;

use ::http::StatusCode;
use ferrite_core::ValueError;
use ferrite_runtime::http::{self, Problem, Request, Response, caller, not_modified, path_id, query, route_path, with_etag};
use ferrite_runtime::{InitError, service_fn};
use serde_json::json;

/// The only request id that exists.
const FIRST: &str = "first";
const ETAG: &str = "\"1\"";

/// The query parameter `outcome`.
enum Outcome {
    Success,
    Internal,
    Unavailable,
    Panic,
}

impl FromStr for Outcome {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "success" => Ok(Self::Success),
            "internal" => Ok(Self::Internal),
            "unavailable" => Ok(Self::Unavailable),
            "panic" => Ok(Self::Panic),
            _ => Err(ValueError::NotOneOf { allowed: "success, internal, unavailable and panic" }),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    http::serve(service_fn(describe_request)).await
}

async fn describe_request(request: Request) -> Result<Response, Problem> {
    match route_path(&request) {
        Some("/caller") => http::json(StatusCode::OK, &json!({"user": caller(&request)?.subject()})),
        Some("/requests/{requestId}") => {
            path_id::<String>(&request, "requestId").ok().filter(|id| id == FIRST).ok_or_else(Problem::not_found)?;
            let response = with_etag(http::json(StatusCode::OK, &json!({"id": FIRST}))?, ETAG)?;
            not_modified(&request, ETAG)?.map_or(Ok(response), Ok)
        }
        _ => fail_or_succeed(query(&request, "outcome")?.unwrap_or(Outcome::Success)),
    }
}

#[allow(clippy::panic, reason = "the tests check the response to a request that panics")]
fn fail_or_succeed(outcome: Outcome) -> Result<Response, Problem> {
    let cause = || io::Error::other("the secret cause");
    match outcome {
        Outcome::Success => http::json(StatusCode::OK, &json!({"items": []})),
        Outcome::Internal => Err(Problem::internal(cause())),
        Outcome::Unavailable => Err(Problem::unavailable(cause())),
        Outcome::Panic => panic!("the secret cause"),
    }
}
