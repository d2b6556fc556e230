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
