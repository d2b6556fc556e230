//! The subjects of the measurement: the functions as they are shipped, and the two reference functions.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

use crate::error::BenchError;
use ferrite_application_tools::Invocation;
use ferrite_application_tools::workload::Workload;
use ferrite_local_stack::binary_size::{binary_size, bootstrap};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::step;
use ferrite_local_stack::files::at;
use ferrite_local_stack::functions::remove_package_variables;
use ferrite_local_stack::lambda_build::build_for_lambda;
use ferrite_local_stack::process::run;
use ferrite_local_stack::stack::host_architecture;
use ferrite_local_stack::template::Function;
use ferrite_local_stack::tools::Tools;

/// A function that returns the invocation for a function and a token, and the token of the caller.
type Invocations<'a> = (fn(&Function, &str) -> Option<Invocation>, &'a str);

/// A function to measure.
pub(crate) struct Subject {
    /// Name of the function.
    pub(crate) name: String,
    /// Kind of the subject.
    pub(crate) kind: Kind,
    /// Path of the binary, as shipped.
    pub(crate) binary: PathBuf,
    /// Environment variables that the template sets.
    pub(crate) variables: BTreeMap<String, String>,
    /// The invocation; `None` if there is no event for the subject, which is then only started.
    pub(crate) invocation: Option<Invocation>,
}

/// The kind of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The reference function that uses only `lambda_runtime`.
    Floor,
    /// The reference function that uses the AWS SDK with its default features.
    Default,
    /// A function that API Gateway invokes.
    Http,
    /// Any other function.
    Event,
}

/// Names and kinds of the reference functions in `tests/yardsticks`.
pub(crate) const REFERENCE_FUNCTIONS: [(&str, Kind); 2] = [("floor", Kind::Floor), ("default", Kind::Default)];

impl Subject {
    /// A function whose binary is in `folder`, with its environment variables.
    pub(crate) fn function(
        function: Function,
        folder: &Path,
        variables: BTreeMap<String, String>,
        (invocation, token): Invocations<'_>,
    ) -> Self {
        Self {
            kind: if function.route.is_some() { Kind::Http } else { Kind::Event },
            binary: bootstrap(folder, &function.name),
            invocation: invocation(&function, token),
            name: function.name,
            variables,
        }
    }

    /// A reference function whose binary is in `folder`.
    pub(crate) fn reference((name, kind): (&str, Kind), folder: &Path, workload: &Workload) -> Self {
        let invocation = if kind == Kind::Floor { workload.floor } else { workload.default };
        Self {
            name: name.to_owned(),
            kind,
            binary: bootstrap(folder, &package(name)),
            variables: BTreeMap::from([("TABLE_NAME".to_owned(), "ferrite-bench-table".to_owned())]),
            invocation: invocation(),
        }
    }

    /// Sizes of the binary and of its deployment package, in bytes.
    ///
    /// # Errors
    /// Returns an error if the subject has not been built.
    pub(crate) fn sizes(&self) -> Result<(u64, u64), BenchError> {
        if !self.binary.exists() {
            return Err(BenchError::NotBuilt(self.name.clone()));
        }
        let code = fs::read(&self.binary).map_err(at(&self.binary))?;
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).unix_permissions(0o755);
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("bootstrap", options)?;
        archive.write_all(&code).map_err(at(&self.binary))?;
        Ok((binary_size(&self.binary)?, archive.finish()?.into_inner().len() as u64))
    }
}

/// Builds the reference functions and `functions` into `folder`, as `./scripts/deploy` does, for the architecture of this
/// machine.
///
/// # Errors
/// Returns an error if a build fails.
pub(crate) fn build(checkout: &Checkout, tools: &Tools, folder: &Path, functions: &[Function]) -> Result<(), BenchError> {
    let names: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
    step(&format!("Building {} as shipped", function_count(names.len())), || {
        build_for_lambda(checkout, tools, folder, host_architecture(), &names)
    })?;
    for (name, _) in REFERENCE_FUNCTIONS {
        step(&format!("Building the reference function {name}"), || {
            build_reference_function(checkout, tools, folder, name)
        })?;
    }
    Ok(())
}

fn build_reference_function(checkout: &Checkout, tools: &Tools, folder: &Path, name: &str) -> Result<(), BenchError> {
    let mut command = tools.command("cargo-lambda");
    remove_package_variables(&mut command);
    command.args(["lambda", "build", "--release", "--locked", "--lambda-dir"]).arg(folder);
    command.arg(if host_architecture() == "arm64" { "--arm64" } else { "--x86-64" });
    command.arg("--manifest-path").arg(checkout.path("tests/yardsticks").join(name).join("Cargo.toml"));
    // Use the target folder of the functions: most dependencies of the floor have already been built there.
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", checkout.path("target"));
    }
    Ok(run(command.current_dir(checkout.root()))?)
}

/// Returns the crate name of a reference function.
fn package(name: &str) -> String {
    format!("yardstick-{name}")
}

fn function_count(functions: usize) -> String {
    if functions == 1 { "one function".to_owned() } else { format!("{functions} functions") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::{Table, Value};

    fn manifest(path: &str) -> Table {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path);
        fs::read_to_string(path).unwrap().parse().unwrap()
    }

    /// A requirement as a table, so that `"1"` and `{ version = "1" }` are the same.
    fn requirement(dependencies: &Value, name: &str) -> Table {
        match &dependencies[name] {
            Value::Table(table) => table.clone(),
            version => Table::from_iter([("version".to_owned(), version.clone())]),
        }
    }

    #[test]
    fn floor_has_the_release_profile_of_the_functions() {
        let workspace = manifest("Cargo.toml");
        let floor = manifest("tests/yardsticks/floor/Cargo.toml");
        // Ignore the overrides for single packages: the floor depends on none of them.
        let mut profile = workspace["profile"]["release"].as_table().unwrap().clone();
        profile.remove("package");
        assert_eq!(floor["profile"]["release"].as_table().unwrap(), &profile);
        let ours = requirement(&workspace["workspace"]["dependencies"], "lambda_runtime");
        assert_eq!(requirement(&floor["dependencies"], "lambda_runtime"), ours);
    }

    #[test]
    fn default_has_the_workspace_versions_and_default_features() {
        let workspace = manifest("Cargo.toml");
        let default = manifest("tests/yardsticks/default/Cargo.toml");
        assert!(default.get("profile").is_none(), "the default must use the profile of cargo-lambda");
        for name in ["aws-sdk-dynamodb", "lambda_http", "lambda_runtime"] {
            let theirs = requirement(&default["dependencies"], name);
            let ours = requirement(&workspace["workspace"]["dependencies"], name);
            assert_eq!((theirs.len(), &theirs["version"]), (1, &ours["version"]), "{name}");
        }
    }
}
