//! Checks values that must agree: settings in template.yaml with each other, and the functions' manifests with the
//! template and the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ferrite_local_stack::template::{Template, function_name};

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

/// The adapters that need a feature of `ferrite-aws` or `ferrite-store`.
const FEATURES: [(&str, &[&str], &str); 4] = [
    ("ferrite-aws", &["Bus"], "eventbridge"),
    ("ferrite-aws", &["Queue", "DeadLetters"], "sqs"),
    ("ferrite-store", &["ImageBucket", "ReportBucket"], "s3"),
    ("ferrite-store", &["Mailer"], "ses"),
];

/// A build of the workspace enables the features of all functions, so it does not detect a missing one.
#[test]
fn every_function_enables_exactly_the_features_of_its_adapters() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in folders(&checkout.join("functions")) {
        let main = fs::read_to_string(folder.join("src/main.rs")).unwrap();
        let words: BTreeSet<_> = main.split(|character: char| !character.is_alphanumeric()).collect();
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        for (package, adapters, feature) in FEATURES {
            let enabled = manifest["dependencies"].get(package).and_then(|dependency| dependency.get("features"));
            let enabled = enabled.and_then(toml::Value::as_array);
            assert_eq!(
                enabled.into_iter().flatten().any(|enabled| enabled.as_str() == Some(feature)),
                adapters.iter().any(|adapter| words.contains(adapter)),
                "{}: the feature {feature} of {package} is for {}",
                folder.display(),
                adapters.join(", "),
            );
        }
    }
}

/// The workspace's lints forbid unsafe code, but a crate that does not inherit them may use it.
#[test]
fn every_crate_inherits_the_lints_that_forbid_unsafe_code() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = |folder: &Path| fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse::<toml::Table>().unwrap();
    let workspace = &manifest(&checkout)["workspace"];
    assert_eq!(workspace["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for member in workspace["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        let packages = match member.strip_suffix("/*") {
            Some(parent) => folders(&checkout.join(parent)),
            None => vec![checkout.join(member)],
        };
        assert!(!packages.is_empty(), "{member}");
        for folder in packages {
            let lints = manifest(&folder).get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
            assert_eq!(lints, Some(true), "{}", folder.display());
        }
    }
}
