//! Checks the JSON Schemas of the events, which consumers in other languages use.
//!
//! `schemas/<type>.json` contains the current schemas, generated from the types. `schemas/released/<type>.json`
//! contains the schemas of the last release; each release copies the current schemas there. A change that a consumer of
//! the last release cannot read requires a new event type (`….v2`) in addition to the old one.
//!
//! `./scripts/generate` writes the current schemas: it runs these tests with the variable `FERRITE_WRITE_SCHEMAS`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but clippy does not treat helper functions as tests"
)]

mod events;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use ferrite_core::schema::{self, compatibility};
use ferrite_domain::DomainEvent;
use serde_json::Value;
use similar::TextDiff;

const CURRENT: &str = "schemas";
const RELEASED: &str = "schemas/released";

fn generated() -> BTreeMap<String, Value> {
    schema::of_events::<DomainEvent>().unwrap()
}

/// Returns the schemas in a directory of this crate, by event type.
fn committed(directory: &str) -> BTreeMap<String, Value> {
    let files =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let schema = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), schema)
        })
        .collect()
}

/// Writes the current schemas, and deletes those of event types that no longer exist.
fn write(schemas: &BTreeMap<String, Value>) {
    let path = |kind: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(CURRENT).join(format!("{kind}.json"));
    for (kind, schema) in schemas {
        fs::write(path(kind), text(schema)).unwrap();
    }
    for obsolete in committed(CURRENT).keys().filter(|kind| !schemas.contains_key(*kind)) {
        fs::remove_file(path(obsolete)).unwrap();
    }
}

/// The text of the file with a schema.
fn text(schema: &Value) -> String {
    // Other crates may enable the feature of serde_json that preserves the order of keys.
    let mut schema = schema.clone();
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

#[test]
fn committed_schemas_match_the_types() {
    let generated = generated();
    if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
        return write(&generated);
    }
    let committed = committed(CURRENT);
    let kinds: BTreeSet<_> = committed.keys().chain(generated.keys()).collect();
    let diff = |kind: &&String| {
        let [committed, generated] =
            [&committed, &generated].map(|schemas| schemas.get(*kind).map(text).unwrap_or_default());
        let diff = TextDiff::from_lines(&committed, &generated);
        diff.unified_diff().header(&format!("schemas/{kind}.json"), "generated").context_radius(1).to_string()
    };
    let differences: String = kinds.iter().map(diff).collect();
    assert!(differences.is_empty(), "the schemas are out of date; run ./scripts/generate:\n{differences}");
}

/// Fields and keywords of breaking changes since the last release that are intended, with the reasons. Remove them with
/// the next release.
const INTENDED_BREAKING_CHANGES: [(&str, &str, &str); 1] =
    [("the event.data.customerId", "maxLength", "the subject of a token may have 255 characters (OpenID Connect Core)")];

#[test]
fn consumers_of_the_last_release_can_read_current_events() {
    let current = generated();
    let released = committed(RELEASED);
    assert!(!released.is_empty());
    for (kind, released) in released {
        let Some(current) = current.get(&kind) else { panic!("the event type {kind} was removed") };
        let mut breaking_changes = compatibility::breaking_changes("the event", &released, current);
        breaking_changes.retain(|change| {
            let is_intended = |field: &str, keyword: &str| change.field == field && change.keyword == keyword;
            !INTENDED_BREAKING_CHANGES.iter().any(|(field, keyword, _)| is_intended(field, keyword))
        });
        assert!(
            breaking_changes.is_empty(),
            "the change to {kind} breaks consumers of the last release; define a new event type: {breaking_changes:#?}"
        );
    }
}
