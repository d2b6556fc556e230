//! Checks settings of the storefront that must agree.

use std::fs;
use std::path::{Path, PathBuf};

use ferrite_local_stack::template::Template;
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
