//! The subjects of the measurement: the functions as they ship, and the two yardsticks.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

use crate::error::BenchError;
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
use ferrite_storefront_tools::Invocation;
use ferrite_storefront_tools::workload::Workload;

/// The invocation of a function, and a token of the caller.
type Invocations<'a> = (fn(&Function, &str) -> Option<Invocation>, &'a str);

/// Something to start, to invoke and to measure.
pub(crate) struct Subject {
    /// The function's name, or the yardstick's.
    pub(crate) name: String,
    /// Its kind.
    pub(crate) kind: Kind,
    /// The binary as it ships.
    pub(crate) binary: PathBuf,
    /// Its own variables.
    pub(crate) variables: BTreeMap<String, String>,
    /// What it is invoked with; `None` when there is no event for it, so that it is only started.
    pub(crate) invocation: Option<Invocation>,
}

/// The kind of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// lambda_runtime alone.
    Floor,
    /// The SDK as it comes.
    Default,
    /// A function that API Gateway invokes.
    Http,
    /// Any other function.
    Event,
}

/// The yardsticks, in tests/yardsticks: name and kind.
pub(crate) const YARDSTICKS: [(&str, Kind); 2] = [("floor", Kind::Floor), ("default", Kind::Default)];

impl Subject {
    /// A function that was built into `folder`, with the variables of its stack.
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

    /// A yardstick that was built into `folder`.
    pub(crate) fn yardstick((name, kind): (&str, Kind), folder: &Path, workload: &Workload) -> Self {
        let invocation = if kind == Kind::Floor { workload.floor } else { workload.default };
        Self {
            name: name.to_owned(),
            kind,
            binary: bootstrap(folder, &package(name)),
            variables: BTreeMap::from([("TABLE_NAME".to_owned(), "ferrite-bench-table".to_owned())]),
            invocation: invocation(),
        }
    }

    /// The bytes of its binary, and those of the deployment package that holds it.
    ///
    /// # Errors
    /// When it was not built.
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

/// Builds `functions` as ./scripts/deploy does for this machine's architecture, and the yardsticks, all into `folder`.
///
/// # Errors
/// When a build fails.
pub(crate) fn build(checkout: &Checkout, tools: &Tools, folder: &Path, functions: &[Function]) -> Result<(), BenchError> {
    let names: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
    step(&format!("Building {} as shipped", counted(names.len())), || {
        build_for_lambda(checkout, tools, folder, host_architecture(), &names)
    })?;
    for (name, _) in YARDSTICKS {
        step(&format!("Building the yardstick {name}"), || build_yardstick(checkout, tools, folder, name))?;
    }
    Ok(())
}

fn build_yardstick(checkout: &Checkout, tools: &Tools, folder: &Path, name: &str) -> Result<(), BenchError> {
    let mut command = tools.command("cargo-lambda");
    remove_package_variables(&mut command);
    command.args(["lambda", "build", "--release", "--locked", "--lambda-dir"]).arg(folder);
    command.arg(if host_architecture() == "arm64" { "--arm64" } else { "--x86-64" });
    command.arg("--manifest-path").arg(checkout.path("tests/yardsticks").join(name).join("Cargo.toml"));
    // The functions' own: most of what the floor needs is there already.
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", checkout.path("target"));
    }
    Ok(run(command.current_dir(checkout.root()))?)
}

fn package(yardstick: &str) -> String {
    format!("yardstick-{yardstick}")
}

fn counted(functions: usize) -> String {
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
    fn the_floor_is_built_like_the_functions() {
        let (workspace, floor) = (manifest("Cargo.toml"), manifest("tests/yardsticks/floor/Cargo.toml"));
        // Without what is said of single packages, none of which the floor has.
        let mut profile = workspace["profile"]["release"].as_table().unwrap().clone();
        profile.remove("package");
        assert_eq!(floor["profile"]["release"].as_table().unwrap(), &profile);
        let ours = requirement(&workspace["workspace"]["dependencies"], "lambda_runtime");
        assert_eq!(requirement(&floor["dependencies"], "lambda_runtime"), ours);
    }

    #[test]
    fn the_default_uses_the_same_versions_with_default_features() {
        let (workspace, default) = (manifest("Cargo.toml"), manifest("tests/yardsticks/default/Cargo.toml"));
        assert!(default.get("profile").is_none(), "cargo-lambda's own profile is the point");
        for name in ["aws-sdk-dynamodb", "lambda_http", "lambda_runtime"] {
            let theirs = requirement(&default["dependencies"], name);
            let ours = requirement(&workspace["workspace"]["dependencies"], name);
            assert_eq!((theirs.len(), &theirs["version"]), (1, &ours["version"]), "{name}");
        }
    }
}
