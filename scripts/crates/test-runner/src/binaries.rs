//! The workspace's test binaries, which are built together and then run by what each of them needs.
//!
//! A `cargo test` for each group would choose other features for the same dependencies each time, and compile them again.
//! cargo-nextest is not used: it starts a process for each test, which takes longer here, and runs no documentation tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::counts::Counts;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::functions::{Binary, built_binary, cargo};
use ferrite_local_stack::process::{ProcessError, capture, each_line, each_line_logged};

/// Why a test binary gave no result.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// It could not be run, or ended in another way than with failed tests.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It printed no result.
    #[error("{0} printed no test result")]
    NoResult(String),
}

/// What the integration tests of a folder need. Every other test needs nothing.
const NEEDS: [(&str, Needs); 4] = [
    ("shared/aws", Needs::Aws),
    ("shared/store", Needs::Aws),
    ("tests/conformance", Needs::Powertools),
    ("tests", Needs::Stack),
];

/// What a test binary needs to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// AWS, at `AWS_ENDPOINT_URL`.
    Aws,
    /// The same, and Powertools for AWS Lambda (Python).
    Powertools,
    /// A deployed stack.
    Stack,
}

/// One test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestBinary {
    /// What it needs.
    pub needs: Needs,
    /// Its name in reports: `shared/domain`, `tests/orders`.
    pub name: String,
    path: PathBuf,
    package: PathBuf,
}

/// The results of a build.
#[derive(Debug, Default)]
pub struct Built {
    /// The functions' binaries, if requested.
    pub functions: Vec<Binary>,
    /// The binaries of the commands in scripts/, if requested.
    pub commands: Vec<Binary>,
    /// The test binaries.
    pub tests: Vec<TestBinary>,
}

/// Builds all tests of the workspace and, with `everything`, all binaries, with the same features of their dependencies.
///
/// # Errors
/// When the build fails.
pub fn build_tests(checkout: &Checkout, everything: bool) -> Result<Built, ProcessError> {
    let targets = if everything { "--all-targets" } else { "--tests" };
    let mut built = Built::default();
    let mut command = cargo(checkout);
    command.args(["build", "--workspace", targets, "--message-format", "json-render-diagnostics"]);
    each_line(&mut command, |line| {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        if let Some(test) = test_binary(&message, checkout.root()) {
            built.tests.push(test);
        } else if let Some((name, path)) = built_binary(&message) {
            let binary = Binary { name: name.to_owned(), path: path.into() };
            if manifest(&message).starts_with(checkout.path("functions")) {
                built.functions.push(binary);
            } else {
                built.commands.push(binary);
            }
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
    let needs = NEEDS.iter().find(|(known, _)| integration && folder == *known).map_or(Needs::Nothing, |(_, needs)| *needs);
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
    pub fn matches(&self, filter: &str) -> Result<bool, ProcessError> {
        Ok(!self.list(filter)?.is_empty())
    }

    /// The names of its tests.
    ///
    /// # Errors
    /// When it cannot list them.
    pub fn tests(&self) -> Result<Vec<String>, ProcessError> {
        self.list("")
    }

    fn list(&self, filter: &str) -> Result<Vec<String>, ProcessError> {
        let list = capture(self.command().args([filter, "--list", "--format", "terse"]))?;
        Ok(list.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned)).collect())
    }

    /// Whether the test `name` passes on its own. `prepare` sets its environment. Its output goes to the file `log`.
    ///
    /// # Errors
    /// When it cannot be started or is interrupted.
    pub fn passes(&self, name: &str, log: &Path, prepare: impl FnOnce(&mut Command)) -> Result<bool, ProcessError> {
        let mut command = self.command();
        command.args([name, "--exact"]);
        prepare(&mut command);
        match each_line_logged(&mut command, log, |_| {}) {
            Ok(()) => Ok(true),
            Err(ProcessError::Failed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Runs it without the tests whose names contain one of `skipped`. `prepare` sets its environment. Tests that need AWS are
    /// shown as they pass; the output of the others is shown when one fails.
    ///
    /// # Errors
    /// When it cannot be started, is interrupted, or ends without a result. Failed tests are in the counts.
    pub fn run(
        &self,
        filter: Option<&str>,
        skipped: &[String],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Counts, TestError> {
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
                report(&format!("  {line}"));
            }
        });
        if outcome.is_err() {
            held_back.iter().filter(|line| !line.ends_with("... ok")).for_each(|line| report(&format!("  {line}")));
        }
        match (counts, outcome) {
            (_, Err(ProcessError::Interrupted(interrupted))) => Err(ProcessError::from(interrupted).into()),
            (Some(counts), _) => Ok(counts),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(TestError::NoResult(self.name.clone())),
        }
    }

    /// In the folder that cargo runs tests in, with its variable.
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
    fn only_the_listed_integration_tests_need_something() {
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
    fn names_a_test_binary_by_its_folder_and_target() {
        assert_eq!(of("tests", "test", "orders").name, "tests/orders");
        assert_eq!(of("shared/domain", "lib", "ferrite_domain").name, "shared/domain");
    }
}
