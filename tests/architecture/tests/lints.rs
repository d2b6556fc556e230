//! Tests that the lints of the workspace apply to every crate.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

use std::fs;
use std::path::{Path, PathBuf};

fn manifest(folder: &Path) -> toml::Table {
    fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The crates in a workspace.
fn members(root: &Path) -> Vec<PathBuf> {
    let manifest = manifest(root);
    let members = manifest["workspace"]["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap());
    let folders = |member: &str| match member.strip_suffix("/*") {
        Some(parent) => {
            let entries = fs::read_dir(root.join(parent)).unwrap().map(|entry| entry.unwrap().path());
            entries.filter(|path| path.is_dir()).collect()
        }
        None => vec![root.join(member)],
    };
    members.flat_map(folders).collect()
}

fn inherits_lints(manifest: &toml::Table) -> bool {
    manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool()) == Some(true)
}

/// The workspace's lints forbid unsafe code, but a crate that does not inherit them may use it.
#[test]
fn every_crate_inherits_the_lints_that_forbid_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert_eq!(manifest(&root)["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let without: Vec<_> = members(&root).into_iter().filter(|folder| !inherits_lints(&manifest(folder))).collect();
    assert!(without.is_empty(), "add `[lints] workspace = true` to the manifests in {without:#?}");
}

#[test]
fn a_crate_inherits_lints_only_if_its_manifest_says_so() {
    for (text, expected) in [
        ("[lints]\nworkspace = true", true),
        ("[lints]\nworkspace = false", false),
        ("[lints.rust]\nunsafe_code = \"allow\"", false),
        ("[package]\nname = \"a\"", false),
    ] {
        assert_eq!(inherits_lints(&text.parse().unwrap()), expected, "{text}");
    }
}
