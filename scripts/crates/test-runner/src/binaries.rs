//! The workspace's test binaries: built in one go, then run by what each of them needs.
//!
//! `cargo test` per group would choose other features for the same dependencies each time, and compile them again.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::build::{Binary, built_binary, cargo};
use crate::checkout::Checkout;
use crate::console::say;
use crate::counts::Counts;
use crate::process::{capture, each_line, each_line_logged};
use crate::trouble::Trouble;

/// What a test binary needs beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// AWS, at `AWS_ENDPOINT_URL`: the tests of shared/aws in shared/aws/tests.
    Aws,
    /// The same, and Powertools for AWS Lambda (Python): the tests in tests/conformance.
    Powertools,
    /// A deployed stack: the tests in tests/tests.
    Stack,
}

/// One test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestBinary {
    /// What it needs.
    pub needs: Needs,
    /// How it is called in reports: `shared/domain`, `tests/orders`.
    pub name: String,
    path: PathBuf,
    package: PathBuf,
}

/// What one build gave.
#[derive(Debug, Default)]
pub struct Built {
    /// The functions' own binaries, when they were asked for.
    pub functions: Vec<Binary>,
    /// The test binaries.
    pub tests: Vec<TestBinary>,
}

/// Builds all tests of the workspace and, with `everything`, all binaries with the same dependencies.
///
/// # Errors
/// When the build fails.
pub fn build_tests(checkout: &Checkout, everything: bool) -> Result<Built, Trouble> {
    let targets = if everything { "--all-targets" } else { "--tests" };
    let mut built = Built::default();
    let mut command = cargo(checkout);
    command.args(["build", "--workspace", targets, "--message-format", "json-render-diagnostics"]);
    each_line(&mut command, |line| {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        if let Some(test) = test_binary(&message, checkout.root()) {
            built.tests.push(test);
        } else if let Some((function, path)) = built_binary(&message)
            && manifest(&message).starts_with(checkout.path("functions"))
        {
            built.functions.push(Binary { function: function.to_owned(), path: path.into() });
        }
    })?;
    built.tests.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(built)
}

fn manifest(message: &Value) -> &Path {
    Path::new(message["manifest_path"].as_str().unwrap_or_default())
}

fn test_binary(message: &Value, root: &Path) -> Option<TestBinary> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let path = message["executable"].as_str()?;
    let package = manifest(message).parent()?;
    let folder = package.strip_prefix(root).ok()?.to_str()?;
    let integration = message["target"]["kind"][0] == "test";
    let needs = match folder {
        "shared/aws" if integration => Needs::Aws,
        "tests/conformance" if integration => Needs::Powertools,
        "tests" if integration => Needs::Stack,
        _ => Needs::Nothing,
    };
    let name = match message["target"]["name"].as_str() {
        Some(target) if integration => format!("{folder}/{target}"),
        _ => folder.to_owned(),
    };
    Some(TestBinary { needs, name, path: path.into(), package: package.to_owned() })
}

impl TestBinary {
    /// Whether any of its tests has a name that contains `filter`.
    ///
    /// # Errors
    /// When it cannot list its tests.
    pub fn matches(&self, filter: &str) -> Result<bool, Trouble> {
        Ok(!self.list(filter)?.is_empty())
    }

    /// The names of its tests.
    ///
    /// # Errors
    /// When it cannot list them.
    pub fn tests(&self) -> Result<Vec<String>, Trouble> {
        self.list("")
    }

    fn list(&self, filter: &str) -> Result<Vec<String>, Trouble> {
        let list = capture(self.command().args([filter, "--list", "--format", "terse"]))?;
        Ok(list.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned)).collect())
    }

    /// Whether the test called `name` passes by itself, with `prepare` setting its environment. What it prints is kept in
    /// the file `log`.
    ///
    /// # Errors
    /// When it cannot be started or is interrupted.
    pub fn passes(&self, name: &str, log: &Path, prepare: impl FnOnce(&mut Command)) -> Result<bool, Trouble> {
        let mut command = self.command();
        command.args([name, "--exact"]);
        prepare(&mut command);
        match each_line_logged(&mut command, log, |_| {}) {
            Ok(()) => Ok(true),
            Err(Trouble::Failed { .. }) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// Runs it but for the tests whose names begin as `skipped` says, with `prepare` setting its environment. Tests that need something slow are shown as they pass; of the
    /// others, what they print is shown when one fails.
    ///
    /// # Errors
    /// When it cannot be started, is interrupted, or ends without a result. Failed tests are in the counts.
    pub fn run(
        &self,
        filter: Option<&str>,
        skipped: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Counts, Trouble> {
        let mut command = self.command();
        command.args(filter).args(skipped.iter().flat_map(|test| ["--skip", test]));
        prepare(&mut command);
        let mut counts = None;
        let mut held_back = Vec::new();
        let outcome = each_line(&mut command, |line| {
            counts = counts.or(Counts::of_libtest(line));
            if line.is_empty() || line.starts_with("running ") || line.starts_with("test result: ") {
                return;
            }
            if self.needs == Needs::Nothing {
                held_back.push(line.to_owned());
            } else {
                say(&format!("  {line}"));
            }
        });
        if outcome.is_err() {
            held_back.iter().filter(|line| !line.ends_with("... ok")).for_each(|line| say(&format!("  {line}")));
        }
        match (counts, outcome) {
            (_, Err(Trouble::Interrupted)) => Err(Trouble::Interrupted),
            (Some(counts), _) => Ok(counts),
            (None, Err(trouble)) => Err(trouble),
            (None, Ok(())) => Err(Trouble::Unexpected { program: self.name.clone(), reason: "no test result".to_owned() }),
        }
    }

    /// In the folder and with the variable that cargo gives tests.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.package).env("CARGO_MANIFEST_DIR", &self.package);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(folder: &str, kind: &str, name: &str) -> TestBinary {
        let message = json!({"reason": "compiler-artifact", "manifest_path": format!("/x/{folder}/Cargo.toml"),
            "target": {"kind": [kind], "name": name}, "profile": {"test": true}, "executable": "/t/binary"});
        test_binary(&message, Path::new("/x")).unwrap()
    }

    #[test]
    fn only_the_suite_and_the_adapters_tests_need_something() {
        assert_eq!(of("tests", "test", "orders").needs, Needs::Stack);
        assert_eq!(of("shared/aws", "test", "products").needs, Needs::Aws);
        assert_eq!(of("tests/conformance", "test", "conformance").needs, Needs::Powertools);
        for other in [
            of("tests", "lib", "ferrite_tests"),
            of("shared/aws", "lib", "ferrite_aws"),
            of("functions/process-image", "test", "photos"),
            of("functions/authorize", "bin", "authorize"),
        ] {
            assert_eq!(other.needs, Needs::Nothing, "{}", other.name);
        }
    }

    #[test]
    fn a_test_binary_is_named_after_its_place() {
        assert_eq!(of("tests", "test", "orders").name, "tests/orders");
        assert_eq!(of("shared/domain", "lib", "ferrite_domain").name, "shared/domain");
    }
}
