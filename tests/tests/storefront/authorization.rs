//! Tests of which routes require a token or a scope.

use std::path::Path;

use ferrite_application_tools::scopes::ADMIN_SCOPE;
use ferrite_local_stack::template::Template;
use ferrite_test_harness::api::Api;
use ferrite_test_harness::routes::assert_protected_routes_require_a_token;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

#[test]
fn returns_401_without_a_token() {
    let template = Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap();
    assert_protected_routes_require_a_token(&Api::storefront(), &template);
}

/// The method and path of each operation for which the API document demands the administrators' scope.
fn routes_for_administrators() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(include_str!("../../../shared/api/openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, operations)| {
        operations.as_object().unwrap().iter().map(move |(method, operation)| (method, path, operation))
    });
    operations
        .filter(|(.., operation)| operation["security"][0]["token"] == json!([ADMIN_SCOPE]))
        .map(|(method, path, _)| (method.to_uppercase(), path.replace(['{', '}'], "")))
        .collect()
}

#[test]
fn returns_403_without_the_scope() {
    let api = Api::storefront();
    let routes = routes_for_administrators();
    assert!(!routes.is_empty());
    for (method, path) in routes {
        let response = api.as_user("ada", &method, &path).json(&json!({})).send();
        assert_eq!((response.status, response.problem_type().as_str()), (403, "missing-scope"), "{method} {path}");
        // A REST API on AWS renames this header of a function's response.
        let challenges = ["www-authenticate", "x-amzn-remapped-www-authenticate"].map(|name| response.header(name));
        assert!(challenges.contains(&r#"Bearer error="insufficient_scope", scope="products:write""#), "{challenges:?}");
    }
}
