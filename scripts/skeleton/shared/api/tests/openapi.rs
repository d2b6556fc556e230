//! Checks that the committed OpenAPI document and HTML page match the code. `./scripts/generate` writes them.

use api::openapi;
use ferrite_core::contract::generated_files;

#[test]
fn committed_document_and_page_match_the_code() {
    let document = openapi::document();
    let files = [("openapi.json", format!("{document:#}\n")), ("openapi.html", openapi::page(&document))];
    generated_files::assert_current(env!("CARGO_MANIFEST_DIR"), files);
}
