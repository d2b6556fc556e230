//! Checks that the template of the tests forwards requests in the same way as the template of the application.

use std::fs;
use std::path::Path;

use serde_yaml_ng::Value;

/// The template at a path relative to the root of the checkout, or `None` if there is no such file.
fn template(path: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join(path)).ok()?;
    Some(serde_yaml_ng::from_str(&text).unwrap())
}

#[test]
fn every_template_forwards_requests_in_the_same_way() {
    let tested = template("tests/migration/template.yaml").unwrap();
    let application = template("template.yaml").unwrap();
    let skeleton = template("scripts/skeleton/template.yaml");
    for template in [Some(application), skeleton].into_iter().flatten() {
        let parts = |template: &Value| {
            let api = &template["Resources"]["Api"]["Properties"];
            let parameter = &template["Parameters"]["LegacyOrigin"];
            let condition = &template["Conditions"]["HasLegacyOrigin"];
            [parameter, condition, &api["MergeDefinitions"], &api["DefinitionBody"]].map(Clone::clone)
        };
        let message =
            "LegacyOrigin differs from tests/migration/template.yaml, which the tests deploy: copy the change to both";
        assert_eq!(parts(&template), parts(&tested), "{message}");
    }
}

#[test]
fn accepts_only_an_origin_with_https_or_on_this_machine() {
    let template = template("tests/migration/template.yaml").unwrap();
    let pattern = template["Parameters"]["LegacyOrigin"]["AllowedPattern"].as_str().unwrap();
    // CloudFormation compares the whole value with the pattern.
    let pattern = fancy_regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
    let is_allowed = |value: &str| pattern.is_match(value).unwrap();
    for value in ["", "https://legacy.example.com", "https://10.0.0.1:8443", "http://127.0.0.1:8080", "http://localhost"] {
        assert!(is_allowed(value), "{value}");
    }
    for value in [
        "http://legacy.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "https://legacy.example.com/",
        "https://legacy.example.com/path",
        "https://legacy.example.com?x=1",
        "https://user@legacy.example.com",
        "https://${stageVariables.host}",
        "https://{proxy}",
        "https://",
        "legacy.example.com",
        "ftp://legacy.example.com",
    ] {
        assert!(!is_allowed(value), "{value}");
    }
}
