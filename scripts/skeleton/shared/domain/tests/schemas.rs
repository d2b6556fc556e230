//! Checks that the committed JSON Schemas of the events, which consumers in other languages use, match the types.
//!
//! `./scripts/generate` writes them.

use domain::DomainEvent;
use ferrite_core::contract::generated_files;
use ferrite_core::schema;

#[test]
fn committed_schemas_match_the_types() {
    let schemas = schema::of_events::<DomainEvent>().unwrap().into_iter().map(|(event_type, mut schema)| {
        // Other crates may enable the feature of serde_json that preserves the order of keys.
        schema.sort_all_objects();
        (format!("{event_type}.json"), format!("{schema:#}\n"))
    });
    generated_files::assert_current(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"), schemas);
}
