//! The API's contract: the committed document and page are what the code is now.
//!
//! `openapi.json` is what the API is now, generated from the types and the table of operations, and `openapi.html` shows it.
//! `released/openapi.json` is what it was in the last release: a release copies the first over it. A change that a client of the
//! last release could not bear is named below, and is a new operation or a new field beside the old one.
//!
//! ```sh
//! FERRITE_WRITE_SCHEMAS=1 cargo test -p ferrite-api --features schema --test openapi
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but a test's own functions are none to clippy"
)]

mod bodies;
mod compatibility;

use std::path::{Path, PathBuf};
use std::{env, fs};

use ferrite_api::openapi;
use serde_json::Value;

const HOW: &str = "FERRITE_WRITE_SCHEMAS=1 cargo test -p ferrite-api --features schema --test openapi";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn committed(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}; write it: {HOW}"))
}

#[test]
fn the_committed_document_and_page_are_what_the_api_is_now() {
    let document = openapi::document();
    let files = [("openapi.json", format!("{document:#}\n")), ("openapi.html", openapi::page(&document))];
    if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
        for (name, text) in &files {
            fs::write(path(name), text).unwrap();
        }
    }
    for (name, text) in files {
        assert!(committed(name) == text, "shared/api/{name} is not what the code says; write it anew: {HOW}");
    }
}

#[test]
fn who_was_written_for_the_last_release_gets_on_with_what_is_now() {
    let released: Value = serde_json::from_str(&committed("released/openapi.json")).unwrap();
    let broken = compatibility::broken_clients(&released, &openapi::document());
    assert!(broken.is_empty(), "this breaks clients of the last release:\n{}", broken.join("\n"));
}

/// The committed document.
fn document() -> Value {
    serde_json::from_str(&committed("openapi.json")).unwrap()
}
