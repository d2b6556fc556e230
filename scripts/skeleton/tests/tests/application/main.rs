//! End-to-end tests of the deployed stack: HTTP requests, queue messages, uploads and schedules, as clients and AWS send
//! them.
//!
//! `./scripts/test` deploys the stack and sets the environment variables that these tests need. Each test creates its own
//! authors and notes.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

mod import_notes;
mod notes;
mod process_note;
mod purge_notes;
mod relay_events;
mod routes;

use ferrite_test_harness::api::{Api, Response};
use ferrite_test_harness::cleanup::Activity;
use serde_json::json;

/// The API of the stack. It records what the tests create, so that it can be deleted from a stack that is kept.
fn api() -> Api {
    Api::under_test().with_cleanup(|activity| match activity {
        Activity::Token { user } => Some(format!("AUTHOR#{user}")),
        Activity::Response { .. } => None,
    })
}

/// Creates a note.
fn create_note(api: &Api, author: &str, text: &str) -> Response {
    let response = api.as_user(author, "POST", "/notes").json(&json!({ "text": text })).send();
    assert_eq!(response.status, 201, "{}", response.text());
    response
}
