//! Checks the JSON Schemas of the events, which consumers in other languages use.
//!
//! `schemas/<type>.json` contains the current schemas, generated from the types. `schemas/released/<type>.json`
//! contains the schemas of the last release; each release copies the current schemas there. A change that a consumer of
//! the last release cannot read requires a new event type (`….v2`) in addition to the old one.
//!
//! To generate the current schemas, run:
//!
//! ```sh
//! FERRITE_WRITE_SCHEMAS=1 cargo test -p ferrite-domain --test schemas
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but clippy does not treat helper functions as tests"
)]

mod events;

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use ferrite_core::schema::{self, compatibility};
use ferrite_domain::DomainEvent;
use serde_json::Value;

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

fn write(schemas: &BTreeMap<String, Value>) {
    for (kind, schema) in schemas {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CURRENT).join(format!("{kind}.json"));
        // Other crates may enable the feature of serde_json that preserves the order of keys.
        let mut schema = schema.clone();
        schema.sort_all_objects();
        fs::write(path, format!("{schema:#}\n")).unwrap();
    }
}

#[test]
fn committed_schemas_match_the_types() {
    if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
        write(&generated());
    }
    let generated = generated();
    let committed = committed(CURRENT);
    let kinds = |schemas: &BTreeMap<String, Value>| schemas.keys().cloned().collect::<Vec<_>>();
    let command = "FERRITE_WRITE_SCHEMAS=1 cargo test -p ferrite-domain --test schemas";
    assert_eq!(kinds(&committed), kinds(&generated), "run `{command}` to add missing schemas; delete obsolete ones by hand");
    for (kind, schema) in generated {
        assert_eq!(committed[&kind], schema, "schemas/{kind}.json is out of date; run `{command}`");
    }
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
