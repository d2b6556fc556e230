//! Lists the Lambda functions of the workspace and builds them for this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::checkout::Checkout;
use crate::process::{ProcessError, capture, each_line};

/// Error returned when the functions cannot be listed or built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A crate in functions/ does not have exactly one binary with the crate's name.
    #[error("functions/{0}: expected exactly one binary, with the same name as the crate")]
    InvalidFunctionCrate(String),
    /// The output of cargo is not valid JSON.
    #[error("cannot parse the output of cargo metadata")]
    Metadata(#[from] serde_json::Error),
    /// cargo failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A binary built by cargo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Name of the binary. For a function, it is also the name of its crate and of its folder.
    pub name: String,
    /// Path of the executable.
    pub path: PathBuf,
}

/// Returns a `cargo` command that runs in the root of the checkout.
#[must_use]
pub fn cargo(checkout: &Checkout) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(checkout.root());
    remove_package_variables(&mut command);
    command
}

/// Removes the environment variables that `cargo run` sets for this program's crate.
///
/// Otherwise, the build scripts of other crates would inherit them. For example, ring's build script depends on
/// `CARGO_PKG_NAME`, so cargo would rebuild ring each time.
pub fn remove_package_variables(command: &mut Command) {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
}

/// Returns the names of all functions, which are the crates in functions/, in alphabetical order.
///
/// # Errors
/// Returns an error if cargo fails, or if a crate in functions/ does not have exactly one binary with the crate's name.
pub fn functions(checkout: &Checkout) -> Result<Vec<String>, BuildError> {
    let text = capture(cargo(checkout).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata = serde_json::from_str(&text)?;
    functions_in(&metadata, &checkout.path("functions"))
}

fn functions_in(metadata: &Value, folder: &Path) -> Result<Vec<String>, BuildError> {
    let mut names = Vec::new();
    for package in list(&metadata["packages"]) {
        let manifest = Path::new(text(&package["manifest_path"]));
        if !manifest.starts_with(folder) {
            continue;
        }
        let name = text(&package["name"]);
        let binaries: Vec<&Value> = list(&package["targets"]).filter(|target| is_binary(target)).collect();
        match binaries[..] {
            [only] if text(&only["name"]) == name => names.push(name.to_owned()),
            _ => return Err(BuildError::InvalidFunctionCrate(name.to_owned())),
        }
    }
    names.sort();
    Ok(names)
}

/// Builds the functions with cargo's dev profile. Cargo prints its own progress and the compiler's messages.
///
/// The binaries have no symbols: writing them takes a tenth of the time of a build that links every function, and only a
/// debugger would need them.
///
/// # Errors
/// Returns an error if the build fails.
pub fn build(checkout: &Checkout, functions: &[String]) -> Result<Vec<Binary>, BuildError> {
    let mut command = cargo(checkout);
    command.args(["build", "--bins", "--message-format", "json-render-diagnostics"]);
    for function in functions {
        command.args(["-p", function]);
        for setting in ["debug=false", "strip=\"symbols\""] {
            command.args(["--config", &format!("profile.dev.package.{function}.{setting}")]);
        }
    }
    let mut binaries = Vec::new();
    each_line(&mut command, |line| {
        if let Some((function, path)) = serde_json::from_str(line).ok().as_ref().and_then(built_binary) {
            binaries.push(Binary { name: function.to_owned(), path: path.into() });
        }
    })?;
    Ok(binaries)
}

/// Returns the name and the path of the binary that a `compiler-artifact` message from cargo reports.
///
/// Returns `None` for any other message, including one about a test harness.
#[must_use]
pub fn built_binary(message: &Value) -> Option<(&str, &str)> {
    let wanted =
        message["reason"] == "compiler-artifact" && is_binary(&message["target"]) && message["profile"]["test"] == false;
    let path = message["executable"].as_str().filter(|_| wanted)?;
    Some((text(&message["target"]["name"]), path))
}

fn is_binary(target: &Value) -> bool {
    list(&target["kind"]).any(|kind| kind == "bin")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(path: &str, name: &str, binary: &str) -> Value {
        json!({"name": name, "manifest_path": path, "targets": [
            {"name": name, "kind": ["lib"]}, {"name": binary, "kind": ["bin"]}, {"name": "it", "kind": ["test"]},
        ]})
    }

    #[test]
    fn lists_the_crates_in_the_functions_folder() {
        let metadata = json!({"packages": [
            package("/x/functions/create-item/Cargo.toml", "create-item", "create-item"),
            package("/x/functions/authorize/Cargo.toml", "authorize", "authorize"),
            package("/x/scripts/Cargo.toml", "ferrite-scripts", "ferrite"),
        ]});
        let names = functions_in(&metadata, Path::new("/x/functions")).unwrap();
        assert_eq!(names, ["authorize", "create-item"]);
    }

    #[test]
    fn rejects_a_function_whose_binary_has_another_name() {
        let metadata = json!({"packages": [package("/x/functions/a/Cargo.toml", "a", "b")]});
        let error = functions_in(&metadata, Path::new("/x/functions")).unwrap_err();
        assert!(error.to_string().starts_with("functions/a:"), "{error}");
    }

    #[test]
    fn ignores_artifacts_of_test_harnesses() {
        let message = |test: bool| {
            json!({"reason": "compiler-artifact", "target": {"name": "a", "kind": ["bin"]},
                   "profile": {"test": test}, "executable": "/t/a"})
        };
        assert_eq!(built_binary(&message(false)), Some(("a", "/t/a")));
        assert_eq!(built_binary(&message(true)), None);
    }
}
