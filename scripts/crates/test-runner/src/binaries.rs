//! The test binaries of the workspace. They are built together, and then run in groups by what they need.
//!
//! A `cargo test` per group would select other features of the same dependencies each time and compile them again.
//! cargo-nextest is not used, because it starts a process for each test, which takes longer here, and does not run
//! documentation tests.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::functions::{Binary, built_binary, cargo};
use ferrite_local_stack::process::{ProcessError, capture, each_line, each_line_logged};

use crate::counts::Counts;

/// The error of a test binary that has no test result.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The binary could not be started, was interrupted, or crashed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The binary ended without printing a test result.
    #[error("{0} printed no test result")]
    NoResult(String),
}

/// The requirements of the integration tests in each folder. All other tests need nothing.
const NEEDS: [(&str, Needs); 6] = [
    ("shared/aws", Needs::Aws),
    ("shared/store", Needs::Aws),
    ("tests/conformance", Needs::Powertools),
    ("tests/migration", Needs::Aws),
    ("tests/platform", Needs::Aws),
    ("tests", Needs::Stack),
];

/// The requirements of a test binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// AWS or an emulator at `AWS_ENDPOINT_URL`.
    Aws,
    /// The same as `Aws`, and Powertools for AWS Lambda (Python).
    Powertools,
    /// A deployed stack.
    Stack,
}

/// A test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestBinary {
    /// The requirements of its tests.
    pub needs: Needs,
    /// The name in reports, such as `shared/domain` or `tests/application`.
    pub name: String,
    path: PathBuf,
    package: PathBuf,
}

/// The results of a build.
#[derive(Debug, Default)]
pub struct Built {
    /// The binaries of the functions, if requested.
    pub functions: Vec<Binary>,
    /// The binaries of the commands in scripts/, if requested.
    pub commands: Vec<Binary>,
    /// The test binaries.
    pub tests: Vec<TestBinary>,
    /// The number of warnings of the compiler and of clippy.
    pub warnings: usize,
}

/// A cargo command that compiles the crates of the workspace with clippy.
///
/// The tests and the lints then share one build. `cargo clippy` checks every dependency without producing code, so the build
/// of the tests would compile all of them again. Use this function for every cargo command that compiles the workspace in a
/// test run, because cargo keeps the results of the two compilers apart. clippy disables a few optimizations of rustc, so
/// use it only for tests.
#[must_use]
pub fn cargo_with_clippy(checkout: &Checkout) -> Command {
    let mut command = cargo(checkout);
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    command
}

/// Builds and lints all tests of the workspace and, with `everything`, all binaries. Prints each warning.
///
/// # Errors
/// Returns an error if the build fails.
pub fn build_tests(checkout: &Checkout, everything: bool) -> Result<Built, ProcessError> {
    let targets = if everything { "--all-targets" } else { "--tests" };
    let mut built = Built::default();
    // A warning in a library appears once for the library and once for its unit tests.
    let mut warnings = BTreeSet::new();
    let mut command = cargo_with_clippy(checkout);
    command.args(["build", "--workspace", targets, "--message-format", "json"]);
    each_line(&mut command, |line| {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        if let Some((level, text)) = diagnostic(&message) {
            if level != "warning" || warnings.insert(text.to_owned()) {
                report(text);
            }
        } else if let Some(test) = test_binary(&message, checkout.root()) {
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
    built.warnings = warnings.len();
    built.tests.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(built)
}

/// The level and the text of a compiler message. Without the summary "3 warnings emitted", which is a warning without a
/// lint.
fn diagnostic(message: &Value) -> Option<(&str, &str)> {
    if message["reason"] != "compiler-message" {
        return None;
    }
    let diagnostic = &message["message"];
    let level = diagnostic["level"].as_str()?;
    let is_summary = level == "warning" && diagnostic["code"].is_null();
    let text = diagnostic["rendered"].as_str()?.trim_end();
    (!is_summary).then_some((level, text))
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
    /// Whether `filter` selects any of its tests.
    ///
    /// # Errors
    /// Returns an error if the binary cannot list its tests.
    pub fn matches(&self, filter: &str) -> Result<bool, ProcessError> {
        Ok(!self.list(filter)?.is_empty())
    }

    /// The names of its tests.
    ///
    /// # Errors
    /// Returns an error if the binary cannot list its tests.
    pub fn tests(&self) -> Result<Vec<String>, ProcessError> {
        self.list("")
    }

    /// The names of the tests that `filter` selects: all tests of the crate with this name, or the tests whose names contain
    /// it. Hyphens count as underscores.
    ///
    /// # Errors
    /// Returns an error if the binary cannot list its tests.
    pub fn tests_matching(&self, filter: &str) -> Result<Vec<String>, ProcessError> {
        self.list(filter)
    }

    fn list(&self, filter: &str) -> Result<Vec<String>, ProcessError> {
        let filter = self.libtest_filter(filter);
        let list = capture(self.command().args([&filter, "--list", "--format", "terse"]))?;
        Ok(list.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned)).collect())
    }

    /// Runs the single test `name` and returns whether it passed. `prepare` sets the environment; the output goes to the
    /// file `log`.
    ///
    /// # Errors
    /// Returns an error if the binary cannot be started or is interrupted.
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

    /// Runs the tests that `filter` selects, except those whose names contain one of `skipped`. `prepare` sets the
    /// environment. Tests that need AWS are printed as they finish. The output of other tests is printed only if one fails.
    ///
    /// # Errors
    /// Returns an error if the binary cannot be started, is interrupted, or ends without a result. Failed tests are part of
    /// the counts.
    pub fn run(
        &self,
        filter: Option<&str>,
        skipped: &[String],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Counts, TestError> {
        let mut command = self.command();
        command.args(filter.map(|filter| self.libtest_filter(filter)));
        command.args(skipped.iter().flat_map(|test| ["--skip", test]));
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

    /// The text that the names of the selected tests contain. Names of functions and crates have hyphens, and those of tests
    /// have underscores.
    fn libtest_filter(&self, filter: &str) -> String {
        let filter = filter.replace('-', "_");
        let is_name = self.package.file_name().and_then(OsStr::to_str).is_some_and(|name| name.replace('-', "_") == filter);
        if is_name { String::new() } else { filter }
    }

    /// A command with the working directory and the variable that `cargo test` sets.
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

    fn artifact(folder: &str, kind: &str, name: &str) -> TestBinary {
        let message = json!({"reason": "compiler-artifact", "manifest_path": format!("/x/{folder}/Cargo.toml"),
            "target": {"kind": [kind], "name": name}, "profile": {"test": true}, "executable": "/t/binary"});
        test_binary(&message, Path::new("/x")).unwrap()
    }

    #[test]
    fn finds_the_requirements_of_integration_tests_by_folder() {
        assert_eq!(artifact("tests", "test", "notes").needs, Needs::Stack);
        assert_eq!(artifact("shared/aws", "test", "queues").needs, Needs::Aws);
        assert_eq!(artifact("tests/conformance", "test", "conformance").needs, Needs::Powertools);
        for other in [
            artifact("tests", "lib", "ferrite_tests"),
            artifact("shared/aws", "lib", "ferrite_aws"),
            artifact("functions/process-image", "test", "photos"),
            artifact("functions/authorize", "bin", "authorize"),
        ] {
            assert_eq!(other.needs, Needs::Nothing, "{}", other.name);
        }
    }

    #[test]
    fn reads_diagnostics_without_the_summary_of_warnings() {
        let message = |level: &str, code: Value| json!({"reason": "compiler-message", "message": {"level": level, "code": code, "rendered": "text\n"}});
        let lint = json!({"code": "clippy::unwrap_used"});
        assert_eq!(diagnostic(&message("warning", lint.clone())), Some(("warning", "text")));
        assert_eq!(diagnostic(&message("warning", Value::Null)), None);
        assert_eq!(diagnostic(&message("error", Value::Null)), Some(("error", "text")));
        assert_eq!(diagnostic(&json!({"reason": "build-finished"})), None);
    }

    #[test]
    fn selects_all_tests_of_the_crate_with_the_name_of_the_filter() {
        let binary = artifact("functions/get-item", "bin", "get-item");
        for (filter, expected) in [("get-item", ""), ("get_item", ""), ("item", "item"), ("after-a-crash", "after_a_crash")]
        {
            assert_eq!(binary.libtest_filter(filter), expected, "{filter}");
        }
    }

    #[test]
    fn names_a_test_binary_by_its_folder_and_target() {
        assert_eq!(artifact("tests", "test", "notes").name, "tests/notes");
        assert_eq!(artifact("shared/domain", "lib", "ferrite_domain").name, "shared/domain");
    }
}
