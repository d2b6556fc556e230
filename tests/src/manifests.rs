//! What is said in two places, or follows from another thing: the template held to the manifests, and to itself.

use std::fs;
use std::path::Path;

use ferrite_local_stack::template::{Template, function_name};

fn template() -> Template {
    Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

/// An e-mail must not be sent again before the event of SES about it was handled.
#[test]
fn what_ses_tells_may_be_handled_in_vain_twice_before_a_mail_is_sent_again() {
    let template = template();
    let template = template.root();
    let visibility = template["Resources"]["ConfirmationsQueue"]["Properties"]["VisibilityTimeout"].as_i64().unwrap();
    let window = template["Parameters"]["EmailConfirmationSeconds"]["Default"].as_i64().unwrap();
    assert!(window >= 3 * visibility, "{window} s against {visibility} s");
}

/// `cargo lambda deploy` reads a function's memory and timeout from its manifest, `sam deploy` from the template: whichever
/// comes last must change nothing.
#[test]
fn the_manifests_say_what_the_template_says() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let template = template();
    let defaults = &template.root()["Globals"]["Function"];

    let mut seen = 0;
    for (_, properties) in template.resources_of_type("AWS::Serverless::Function") {
        let number = |name| properties.get(name).unwrap_or(&defaults[name]).as_i64();
        let name = function_name(properties).unwrap();
        let manifest = fs::read_to_string(checkout.join(format!("functions/{name}/Cargo.toml"))).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let said = &manifest["package"]["metadata"]["lambda"]["deploy"];
        let said = (said["memory"].as_integer(), said["timeout"].as_integer());
        assert_eq!(said, (number("MemorySize"), number("Timeout")), "{name}");
        seen += 1;
    }
    assert_eq!(seen, fs::read_dir(checkout.join("functions")).unwrap().count(), "every function is in the template");
}

/// A crate that leaves out the workspace's lints could have unsafe code.
#[test]
fn no_crate_may_have_unsafe_code() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = |folder: &Path| fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse::<toml::Table>().unwrap();
    let workspace = &manifest(&checkout)["workspace"];
    assert_eq!(workspace["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for member in workspace["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        let folders: Vec<_> = match member.strip_suffix("/*") {
            Some(parent) => fs::read_dir(checkout.join(parent)).unwrap().map(|entry| entry.unwrap().path()).collect(),
            None => vec![checkout.join(member)],
        };
        assert!(!folders.is_empty(), "{member}");
        for folder in folders {
            let lints = manifest(&folder).get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
            assert_eq!(lints, Some(true), "{}", folder.display());
        }
    }
}
