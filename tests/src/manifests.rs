//! Checks values that must agree: settings in template.yaml with each other, and the functions' manifests with the
//! template and the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use ferrite_local_stack::template::{Template, function_name};
use ferrite_project_checks::features::{FeatureRule, violations};

fn template() -> Template {
    Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

/// An e-mail must not be sent again before confirm-email has handled the SES event about it. The window leaves time for
/// two failed attempts.
#[test]
fn the_confirmation_window_is_at_least_three_visibility_timeouts() {
    let template = template();
    let template = template.root();
    let visibility = template["Resources"]["ConfirmationsQueue"]["Properties"]["VisibilityTimeout"].as_i64().unwrap();
    let window = template["Parameters"]["EmailConfirmationSeconds"]["Default"].as_i64().unwrap();
    assert!(window >= 3 * visibility, "EmailConfirmationSeconds is {window}, the visibility timeout {visibility} s");
}

/// `cargo lambda deploy` reads a function's memory and timeout from its manifest, `sam deploy` from the template.
/// Deploying with one after the other must not change them.
#[test]
fn manifests_and_template_have_the_same_memory_and_timeout() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let template = template();
    let defaults = &template.root()["Globals"]["Function"];

    let mut checked = 0;
    for (_, properties) in template.resources_of_type("AWS::Serverless::Function") {
        let number = |name| properties.get(name).unwrap_or(&defaults[name]).as_i64();
        let name = function_name(properties).unwrap();
        let manifest = fs::read_to_string(checkout.join(format!("functions/{name}/Cargo.toml"))).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let deploy = &manifest["package"]["metadata"]["lambda"]["deploy"];
        let in_manifest = (deploy["memory"].as_integer(), deploy["timeout"].as_integer());
        assert_eq!(in_manifest, (number("MemorySize"), number("Timeout")), "{name}");
        checked += 1;
    }
    assert_eq!(checked, folders(&checkout.join("functions")).len(), "every function is in the template");
}

/// Returns the folders in `parent`.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// The features of the storefront's adapters.
const FEATURES: [FeatureRule; 2] = [
    FeatureRule { package: "ferrite-store", adapters: &["ImageBucket", "ReportBucket"], feature: "s3" },
    FeatureRule { package: "ferrite-store", adapters: &["Mailer"], feature: "ses" },
];

#[test]
fn every_function_enables_exactly_the_features_of_its_adapters() {
    for folder in folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        let found = violations(name, &read("Cargo.toml").parse().unwrap(), &read("src/main.rs"), &FEATURES);
        assert!(found.is_empty(), "{found:#?}");
    }
}
