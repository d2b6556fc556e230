//! Checks that the committed OpenAPI document and HTML page match the code, and that clients of the last release still
//! work.
//!
//! `openapi.json` is the current document, generated from the types and the table of operations. `openapi.html` shows
//! it as a page. `released/openapi.json` is the document of the last release; each release copies the current document
//! there. A breaking change fails a test. Add a new operation or field instead, and keep the old one. If a change is
//! necessary although it breaks clients, add it to `INTENDED_BREAKING_CHANGES`.
//!
//! `./scripts/generate` writes the document and the page: it runs these tests with the variable `FERRITE_WRITE_SCHEMAS`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but clippy does not treat helper functions as tests"
)]

mod bodies;

use std::path::{Path, PathBuf};
use std::{env, fs};

use ferrite_api::openapi;
use ferrite_openapi::compatibility;
use serde_json::Value;
use similar::TextDiff;

const COMMAND: &str = "./scripts/generate";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn committed(name: &str) -> String {
    fs::read_to_string(path(name))
        .unwrap_or_else(|error| panic!("cannot read {name}: {error}; to generate it, run {COMMAND}"))
}

#[test]
fn committed_document_and_page_match_the_code() {
    let document = openapi::document();
    let files = [("openapi.json", format!("{document:#}\n")), ("openapi.html", openapi::page(&document))];
    if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
        for (name, text) in &files {
            fs::write(path(name), text).unwrap();
        }
        return;
    }
    for (name, text) in files {
        let committed = committed(name);
        let diff = TextDiff::from_lines(&committed, &text).unified_diff().context_radius(1).to_string();
        assert!(committed == text, "shared/api/{name} is out of date; run {COMMAND}:\n{diff}");
    }
}

/// Parts of the descriptions of breaking changes since the last release that are intended, with the reasons. Remove them
/// with the next release.
const INTENDED_BREAKING_CHANGES: [(&str, &str); 6] = [
    (" body.name: pattern", NAMES),
    (" body.description: pattern", VISIBLE),
    ("PUT /me body.email: not changed", "SES rejects addresses with misplaced dots"),
    ("PUT /me body.email: pattern changed", "SES rejects domains whose labels begin or end with a hyphen"),
    (".id: maxLength changed from 128 to 255", "the subject of a token may have 255 characters (OpenID Connect Core)"),
    ("401 WWW-Authenticate: is no longer required", "a REST API renames this header of a function's response"),
];

const NAMES: &str =
    "a name without visible characters, or with bidirectional controls or tag characters, misleads its readers";
const VISIBLE: &str = "a description without visible characters is blank";

#[test]
fn clients_of_the_last_release_still_work() {
    let released: Value = serde_json::from_str(&committed("released/openapi.json")).unwrap();
    let mut breaking = compatibility::breaking_changes(&released, &openapi::document());
    for (intended, _) in INTENDED_BREAKING_CHANGES {
        let before = breaking.len();
        breaking.retain(|change| !change.contains(intended));
        assert!(
            breaking.len() < before,
            "INTENDED_BREAKING_CHANGES contains a change that is not in the document: {intended}"
        );
    }
    assert!(
        breaking.is_empty(),
        "the change breaks clients of the last release; keep what they use, or add a change that is \
         necessary to INTENDED_BREAKING_CHANGES with the reason:\n{}",
        breaking.join("\n")
    );
}

#[test]
fn operations_share_problem_responses_and_parameters() {
    let document = openapi::document();
    let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
    for (_, operation) in operations {
        let id = &operation["operationId"];
        for field in ["summary", "description"] {
            assert!(operation[field].as_str().is_some_and(|text| !text.is_empty()), "{id} has no {field}");
        }
        let tags = document["tags"].as_array().unwrap();
        assert!(tags.iter().any(|tag| tag["name"] == operation["tags"][0]), "{id} has no tag");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(status < &"400".to_owned() || response["$ref"].is_string(), "{id} {status} is not shared");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["$ref"].is_string(), "{id} {} is not shared", parameter["name"]);
        }
    }
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        for (media_type, content) in response["content"].as_object().unwrap() {
            assert!(content["schema"]["$ref"].is_string(), "{name} {media_type}: the schema has no name");
        }
    }
}

/// Returns the current document. It does not read the committed file, which another test may be writing.
fn document() -> Value {
    openapi::document()
}
