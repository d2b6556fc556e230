//! `cargo lambda deploy` reads a function's memory and timeout from its manifest, `sam deploy` from the template: whichever
//! comes last must change nothing.

use std::fs;
use std::path::Path;

use serde_yaml_ng::Value;

#[test]
fn the_manifests_say_what_the_template_says() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let template: Value = serde_yaml_ng::from_str(&fs::read_to_string(checkout.join("template.yaml")).unwrap()).unwrap();
    let defaults = &template["Globals"]["Function"];
    let resources = template["Resources"].as_mapping().unwrap().values();
    let functions = resources.filter(|resource| resource["Type"] == "AWS::Serverless::Function");

    let mut seen = 0;
    for function in functions {
        let properties = &function["Properties"];
        let number = |name| properties.get(name).unwrap_or(&defaults[name]).as_i64();
        let name = properties["CodeUri"].as_str().unwrap().trim_start_matches("target/lambda/").trim_end_matches('/');
        let manifest = fs::read_to_string(checkout.join(format!("functions/{name}/Cargo.toml"))).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let said = &manifest["package"]["metadata"]["lambda"]["deploy"];
        let said = (said["memory"].as_integer(), said["timeout"].as_integer());
        assert_eq!(said, (number("MemorySize"), number("Timeout")), "{name}");
        seen += 1;
    }
    assert_eq!(seen, fs::read_dir(checkout.join("functions")).unwrap().count(), "every function is in the template");
}
