//! The JSON Schemas of the events, which consumers in other languages are written from.
//!
//! `schemas/<type>.json` is what the events are now, generated from the types. `schemas/released/<type>.json` is what they were in
//! the last release: a release copies the first over the second, and adds what is new. A change that a consumer of the last
//! release could not read is a new type (`….v2`) beside the old one.
//!
//! ```sh
//! FERRITE_WRITE_SCHEMAS=1 cargo test -p ferrite-domain --features schema,testing --test schemas
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but a test's own functions are none to clippy"
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

/// The schemas in a folder of this crate, by the events' types.
fn committed(folder: &str) -> BTreeMap<String, Value> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().map(|entry| entry.unwrap().path());
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
        fs::write(path, format!("{schema:#}\n")).unwrap();
    }
}

#[test]
fn the_committed_schemas_are_what_the_types_are_now() {
    if env::var_os("FERRITE_WRITE_SCHEMAS").is_some() {
        write(&generated());
    }
    let (generated, committed) = (generated(), committed(CURRENT));
    let kinds = |schemas: &BTreeMap<String, Value>| schemas.keys().cloned().collect::<Vec<_>>();
    let how = "FERRITE_WRITE_SCHEMAS=1 cargo test -p ferrite-domain --features schema,testing --test schemas";
    assert_eq!(kinds(&committed), kinds(&generated), "write what is new: {how}; delete by hand what is no more");
    for (kind, schema) in generated {
        assert_eq!(committed[&kind], schema, "schemas/{kind}.json is not what the type is; write it anew: {how}");
    }
}

#[test]
fn who_reads_the_last_release_can_read_what_is_told_now() {
    let (current, released) = (generated(), committed(RELEASED));
    assert!(!released.is_empty());
    for (kind, released) in released {
        let Some(current) = current.get(&kind) else { panic!("consumers of {kind} would hear nothing any more") };
        let breaks = compatibility::breaks("the event", &released, current);
        assert!(breaks.is_empty(), "{kind} breaks who reads the last release; make it a new type: {breaks:#?}");
    }
}
