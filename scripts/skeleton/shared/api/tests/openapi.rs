//! Checks that the committed OpenAPI document and HTML page match the code. `./scripts/generate` writes them.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not treat helper functions as tests"
)]

use std::path::Path;
use std::{env, fs};

use api::openapi;

#[test]
fn committed_document_and_page_match_the_code() {
    let document = openapi::document();
    for (name, text) in [("openapi.json", format!("{document:#}\n")), ("openapi.html", openapi::page(&document))] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "shared/api/{name} is out of date; run ./scripts/generate");
    }
}
