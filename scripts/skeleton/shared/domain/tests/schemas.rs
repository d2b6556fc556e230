//! Checks that the committed JSON Schemas of the events, which consumers in other languages use, match the types.
//!
//! `./scripts/generate` writes them.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not treat helper functions as tests"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use domain::DomainEvent;
use ferrite_core::schema;
use serde_json::Value;

fn path(event_type: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{event_type}.json"))
}

#[test]
fn committed_schemas_match_the_types() {
    for (event_type, mut schema) in schema::of_events::<DomainEvent>().unwrap() {
        // Other crates may enable the feature of serde_json that preserves the order of keys.
        schema.sort_all_objects();
        if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
            fs::write(path(&event_type), format!("{schema:#}\n")).unwrap();
        }
        let committed = fs::read_to_string(path(&event_type)).unwrap_or_default();
        let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
        assert_eq!(committed, schema, "the schema of {event_type} is out of date; run ./scripts/generate");
    }
}
