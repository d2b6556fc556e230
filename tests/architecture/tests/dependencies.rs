//! Tests the dependency rules between crates: the kit does not depend on the application, functions do not depend on
//! each other, and deployed code does not depend on code for tests or scripts.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates of shared/, each with the workspace crates that it may depend on. The first four are the kit.
const SHARED: [(&str, &[&str]); 8] = [
    ("shared/core", &[]),
    ("shared/runtime", &["shared/core"]),
    ("shared/aws", &["shared/core"]),
    ("shared/openapi", &["shared/core"]),
    ("shared/domain", &["shared/core"]),
    ("shared/api", &["shared/core", "shared/domain", "shared/openapi", "shared/runtime"]),
    ("shared/store", &["shared/aws", "shared/core", "shared/domain"]),
    ("shared/images", &[]),
];

const KIT: [&str; 4] = ["shared/core", "shared/runtime", "shared/aws", "shared/openapi"];

/// The crates of a workspace by their folders, with their dependencies.
#[derive(Debug, Default)]
struct Workspace {
    crates: BTreeMap<String, Dependencies>,
}

#[derive(Debug, Default)]
struct Dependencies {
    /// Whether the crate is a command, which `./scripts/NAME` runs.
    is_command: bool,
    /// Normal and build dependencies.
    deployed: BTreeSet<String>,
    /// Dev-dependencies.
    tests: BTreeSet<String>,
}

impl Workspace {
    fn parse(metadata: &Value) -> Self {
        let root = Path::new(metadata["workspace_root"].as_str().unwrap());
        let folder = |path: &str| Path::new(path).strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let mut workspace = Self::default();
        for package in metadata["packages"].as_array().unwrap() {
            let manifest = package["manifest_path"].as_str().unwrap();
            let own = folder(manifest.trim_end_matches("/Cargo.toml"));
            let dependencies = workspace.crates.entry(own.clone()).or_default();
            let has_binary = package["targets"].as_array().unwrap().iter().any(|target| target["kind"][0] == "bin");
            dependencies.is_command = has_binary && own.starts_with("scripts/");
            for dependency in package["dependencies"].as_array().unwrap() {
                let Some(path) = dependency["path"].as_str().map(folder).filter(|path| *path != own) else { continue };
                let is_for_tests = dependency["kind"] == "dev";
                if is_for_tests { &mut dependencies.tests } else { &mut dependencies.deployed }.insert(path);
            }
        }
        workspace
    }

    /// Describes each dependency that violates the rules.
    fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let is_kit = |folder: &str| KIT.contains(&folder);
        let is_application =
            |folder: &str| folder.starts_with("functions/") || (folder.starts_with("shared/") && !is_kit(folder));
        let is_command = |folder: &str| self.crates.get(folder).is_some_and(|found| found.is_command);
        for (folder, Dependencies { deployed, tests, is_command: depends_as_command }) in &self.crates {
            let allowed = SHARED.iter().find(|(name, _)| name == folder).map(|(_, allowed)| *allowed);
            if folder.starts_with("shared/") && allowed.is_none() {
                found.push(format!("{folder} is not in the list SHARED of this test"));
            }
            for other in deployed {
                let is_allowed = match allowed {
                    Some(allowed) => allowed.contains(&other.as_str()),
                    None if folder.starts_with("functions/") => other.starts_with("shared/"),
                    None => !depends_as_command || !is_command(other),
                };
                if !is_allowed {
                    found.push(format!("{folder} must not depend on {other}"));
                }
            }
            for other in tests {
                if is_kit(folder) && is_application(other) {
                    found.push(format!("the tests of {folder} must not depend on {other}"));
                }
                if folder.starts_with("functions/") && other.starts_with("functions/") {
                    found.push(format!("the tests of {folder} must not depend on {other}"));
                }
            }
        }
        found
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn crates_depend_only_on_what_the_rules_allow() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root()).output();
    let workspace = Workspace::parse(&serde_json::from_slice(&output.unwrap().stdout).unwrap());
    assert!(workspace.crates.len() > 20, "{:?}", workspace.crates.keys());
    let violations = workspace.violations();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn reports_forbidden_dependencies() {
    let crates = |name: &str, dependencies: &[(&str, Option<&str>)]| {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(folder, kind)| serde_json::json!({"path": format!("/x/{folder}"), "kind": kind}))
            .collect();
        let targets = [serde_json::json!({"kind": [if name.ends_with("stack") { "lib" } else { "bin" }]})];
        serde_json::json!({
            "manifest_path": format!("/x/{name}/Cargo.toml"), "dependencies": dependencies, "targets": targets
        })
    };
    let packages = [
        crates("shared/runtime", &[("shared/core", None), ("shared/domain", None), ("shared/api", Some("dev"))]),
        crates("functions/a", &[("shared/runtime", None), ("functions/b", None), ("tests", Some("dev"))]),
        crates("scripts/bench", &[]),
        crates("scripts/dev", &[("scripts/bench", None), ("scripts/local-stack", None)]),
        crates("scripts/local-stack", &[]),
        crates("shared/new", &[]),
    ];
    let violations = Workspace::parse(&serde_json::json!({"workspace_root": "/x", "packages": packages})).violations();
    let expected = [
        "functions/a must not depend on functions/b",
        "scripts/dev must not depend on scripts/bench",
        "shared/new is not in the list SHARED of this test",
        "shared/runtime must not depend on shared/domain",
        "the tests of shared/runtime must not depend on shared/api",
    ];
    assert_eq!(violations, expected);
}
