//! The API document and the schemas of the events, which tests of the crates that define the types write and check.

use std::process::Command;

use anyhow::Context as _;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::functions::cargo;
use ferrite_local_stack::process::{capture, each_line};
use ferrite_test_runner::binaries::cargo_with_clippy;
use serde_json::Value;

/// The names of the integration tests that write the documents if `WRITE` is set.
const TESTS: [&str; 2] = ["openapi", "schemas"];

/// The beginning of the names of the test functions that write. The others compare the documents with those of the last
/// release, and fail after a breaking change, which must not prevent writing.
const WRITERS: &str = "committed_";

const WRITE: &str = "FERRITE_WRITE_SCHEMAS";

/// Writes the documents.
pub(crate) fn write(checkout: &Checkout) -> anyhow::Result<()> {
    let Some(mut tests) = tests(checkout)? else { return Ok(()) };
    step("Writing the API document and the schemas of events", || run(tests.args(["--", WRITERS]).env(WRITE, "1")))
}

/// Fails if a document is out of date.
pub(crate) fn check(checkout: &Checkout) -> anyhow::Result<()> {
    let Some(mut tests) = tests(checkout)? else { return Ok(()) };
    step("Checking the API document and the schemas of events", || run(tests.env_remove(WRITE)))
}

/// The tests, or `None` if no crate has such tests.
fn tests(checkout: &Checkout) -> anyhow::Result<Option<Command>> {
    let metadata = capture(cargo(checkout).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets: Vec<_> = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten()).collect();
    let exists = |test: &&str| targets.iter().any(|target| target["kind"][0] == "test" && target["name"] == **test);
    let tests: Vec<_> = TESTS.into_iter().filter(exists).flat_map(|test| ["--test", test]).collect();
    // All features of the workspace, so that the build of ./scripts/test is used.
    let mut command = cargo_with_clippy(checkout);
    command.args(["test", "--quiet", "--workspace", "--no-fail-fast"]).args(&tests);
    Ok((!tests.is_empty()).then_some(command))
}

fn run(tests: &mut Command) -> anyhow::Result<()> {
    let mut output = String::new();
    let result = each_line(tests, |line| {
        output.push_str(line);
        output.push('\n');
    });
    result.inspect_err(|_| report(&output)).context("a test of the documents failed")
}
