//! What is measured: the functions as they ship, and the two yardsticks beside them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

use super::BenchError;
use super::events::{Invocation, is_anything, is_success};
use crate::budget::{binary_size, bootstrap};
use crate::build::forget_this_crate;
use crate::checkout::Checkout;
use crate::console::step;
use crate::deploy::build_for_lambda;
use crate::process::run;
use crate::stack::host_architecture;
use crate::template::Function;
use crate::tools::Tools;
use crate::trouble::{Trouble, at};

/// Something to start, to invoke and to measure.
pub(super) struct Subject {
    /// The function's name, or the yardstick's.
    pub(super) name: String,
    /// Which of the three kinds it is.
    pub(super) kind: Kind,
    /// The binary as it ships.
    pub(super) binary: PathBuf,
    /// Its own variables.
    pub(super) variables: BTreeMap<String, String>,
    /// What it is invoked with; `None` when nobody has written an event for it, so that it is only started.
    pub(super) invocation: Option<Invocation>,
}

/// What a subject is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) const YARDSTICKS: [(&str, Kind); 2] = [("floor", Kind::Floor), ("default", Kind::Default)];

impl Subject {
    /// A function that was built into `folder`, with the variables of its stack.
    pub(super) fn function(function: Function, folder: &Path, variables: BTreeMap<String, String>, token: &str) -> Self {
        Self {
            kind: if function.route.is_some() { Kind::Http } else { Kind::Event },
            binary: bootstrap(folder, &function.name),
            invocation: Invocation::of(&function, token),
            name: function.name,
            variables,
        }
    }

    /// A yardstick that was built into `folder`.
    pub(super) fn yardstick((name, kind): (&str, Kind), folder: &Path) -> Self {
        let carried_out = if kind == Kind::Floor { is_anything } else { is_success };
        Self {
            name: name.to_owned(),
            kind,
            binary: bootstrap(folder, &package(name)),
            variables: BTreeMap::from([("TABLE_NAME".to_owned(), "ferrite-bench-table".to_owned())]),
            invocation: Invocation::of_yardstick(carried_out),
        }
    }

    /// The bytes of its binary, and those of the deployment package that holds it.
    ///
    /// # Errors
    /// When it was not built.
    pub(super) fn sizes(&self) -> Result<(u64, u64), Trouble> {
        if !self.binary.exists() {
            return Err(BenchError::NotBuilt(self.name.clone()).into());
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
pub(super) fn build(checkout: &Checkout, tools: &Tools, folder: &Path, functions: &[Function]) -> Result<(), Trouble> {
    let names: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
    step(&format!("Building {} as shipped", counted(names.len())), || {
        build_for_lambda(checkout, tools, folder, host_architecture(), &names)
    })?;
    for (name, _) in YARDSTICKS {
        step(&format!("Building the yardstick {name}"), || build_yardstick(checkout, tools, folder, name))?;
    }
    Ok(())
}

fn build_yardstick(checkout: &Checkout, tools: &Tools, folder: &Path, name: &str) -> Result<(), Trouble> {
    let mut command = tools.command("cargo-lambda");
    forget_this_crate(&mut command);
    command.args(["lambda", "build", "--release", "--locked", "--lambda-dir"]).arg(folder);
    command.arg(if host_architecture() == "arm64" { "--arm64" } else { "--x86-64" });
    command.arg("--manifest-path").arg(checkout.path("tests/yardsticks").join(name).join("Cargo.toml"));
    // The functions' own: most of what the floor needs is there already.
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", checkout.path("target"));
    }
    run(command.current_dir(checkout.root()))
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
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
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
    fn the_default_takes_the_same_versions_as_they_come() {
        let (workspace, default) = (manifest("Cargo.toml"), manifest("tests/yardsticks/default/Cargo.toml"));
        assert!(default.get("profile").is_none(), "cargo-lambda's own profile is the point");
        for name in ["aws-sdk-dynamodb", "lambda_http", "lambda_runtime"] {
            let theirs = requirement(&default["dependencies"], name);
            let ours = requirement(&workspace["workspace"]["dependencies"], name);
            assert_eq!((theirs.len(), &theirs["version"]), (1, &ours["version"]), "{name}");
        }
    }
}
