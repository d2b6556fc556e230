//! The OpenAPI 3.1 document of the API, and an HTML page that shows it.
//!
//! The table in `operations` lists the operations with their access, parameters, and responses. No function contains this
//! module: `describe-api` serves the generated files, and a test checks that the files are up to date.

mod operations;

use ferrite_openapi::{Info, Schemas};
use serde_json::Value;

pub use ferrite_openapi::page;
use operations::{TAGS, operations};

/// The identity provider. The document is the same for all stacks, so this is not the issuer that a stack trusts: replace it
/// with that of your production stack.
const IDENTITY_PROVIDER: &str = "https://identity.example.com/oauth2";

/// Returns the OpenAPI document.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let operations = operations(&mut schemas);
    let info = Info {
        title: "Ferrite API",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Notes of authors.",
        contact: ("Support", "support@example.com"),
        identity_provider: IDENTITY_PROVIDER,
        scopes: &[(crate::NOTES_WRITE, "Administer notes.")],
        tags: &TAGS,
    };
    ferrite_openapi::document(&info, operations, schemas)
}
