//! Tests of all routes of the template.

use std::path::Path;

use ferrite_local_stack::template::Template;
use ferrite_test_harness::routes::{
    assert_every_route_has_a_test_of_its_responses, assert_protected_routes_require_a_token,
};

use super::api;

fn template() -> Template {
    Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

#[test]
fn every_route_without_a_token_returns_401() {
    assert_protected_routes_require_a_token(&api(), &template());
}

/// notes.rs tests create-note and get-note. The other two belong to the kit.
#[test]
fn every_route_has_a_test_of_its_responses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/application");
    let others = ["answer-preflight", "create-note", "describe-api", "get-note"];
    assert_every_route_has_a_test_of_its_responses(&template(), &folder, &others);
}
