//! Clients for end-to-end tests of a deployed stack. `./scripts/test` deploys the stack and sets the environment variables
//! that these clients read. Errors fail the test.
//!
//! ```no_run
//! use ferrite_test_harness::api::Api;
//! use ferrite_test_harness::{poll, unique};
//! use serde_json::json;
//!
//! let api = Api::under_test();
//! assert_eq!(api.request("GET", "/items").send().status, 401);
//!
//! let user = unique("ada");
//! let created = api.as_user(&user, "POST", "/items").json(&json!({"name": "Tea"})).send();
//! assert_eq!(created.status, 201, "{}", created.text());
//! poll::wait_for("the item to be processed", || {
//!     let item = api.as_user(&user, "GET", &created.location("/items")).send().json();
//!     (item["status"] == "processed").then_some(())
//! });
//! ```
#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "an error here fails the test")]

pub mod api;
pub mod aws;
pub mod cleanup;
pub mod events;
pub mod function_log;
pub mod idempotency;
pub mod mailbox;
pub mod poll;
pub mod queues;
pub mod redrive;
pub mod routes;
pub mod sdk;
pub mod stack;

/// Returns `prefix` with a random suffix, so that tests do not share names.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::new_v4().simple())
}

/// Returns a variable that `./scripts/test` sets.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests through ./scripts/test"))
}
