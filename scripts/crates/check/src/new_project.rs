//! A project of its own: created by `./scripts/new-project`, built, tested and deployed.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::files::at;
use ferrite_local_stack::functions::remove_package_variables;
use ferrite_local_stack::process::{each_line, each_line_logged};
use ferrite_test_runner::binaries::Built;

use crate::progress::{Outcome, Step};
use crate::steps::RUN;

/// The command that creates projects, and its program. Projects do not have it.
const COMMAND: &str = "scripts/new-project";
const PROGRAM: &str = "ferrite-new-project";

/// The program of `./scripts/test`.
const CHECK: &str = "ferrite-check";

/// The name of the project. It is longer than that of this repository, because a longer name breaks lines elsewhere and
/// may exceed limits of AWS.
const NAME: &str = "aurora-borealis";

/// Creates a project, and runs its tests: unit tests, end-to-end tests against its own stack, and the permission check.
/// Returns `None` in a project.
pub(crate) fn step(checkout: &Checkout, built: &Built) -> Option<Step> {
    if !checkout.has(COMMAND) {
        return None;
    }
    let [program, check] = [PROGRAM, CHECK].map(|name| {
        let found = built.commands.iter().find(|binary| binary.name == name).map(|binary| binary.path.clone());
        found.with_context(|| format!("the workspace has no command {name}"))
    });
    let programs = program.and_then(|program| Ok((program, check?)));
    Some(Step::new(format!("A new project ({NAME})"), move |checkout| {
        let (program, check) = programs.as_ref().map_err(|error| anyhow!("{error:#}"))?;
        let root = create(checkout, program)?;
        run_tests(checkout, &root, check)?;
        Ok(Outcome::Passed)
    }))
}

/// Creates the project in the folder of the run, and returns its root.
fn create(checkout: &Checkout, program: &Path) -> anyhow::Result<PathBuf> {
    let run_folder = checkout.run_folder(RUN)?;
    let root = run_folder.join(NAME);
    match fs::remove_dir_all(&root) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(&root)(error).into()),
        _ => {}
    }
    let mut command = Command::new(program);
    command.arg(NAME).arg(&root).current_dir(checkout.root());
    each_line_logged(&mut command, &run_folder.join("new-project.log"), |_| {})?;
    let tools = root.join(".tools");
    symlink(checkout.path(".tools"), &tools).map_err(at(&tools))?;
    Ok(root)
}

/// Runs `./scripts/test --tests` in the project with the program `check` of this checkout. The file of the running program
/// may have been replaced by a build.
fn run_tests(checkout: &Checkout, root: &Path, check: &Path) -> anyhow::Result<()> {
    // The target folder of the workspace already contains the dependencies. Cargo identifies a crate of a workspace by its
    // path in the workspace, so the crates of the project would replace those of this checkout. They do not, because their
    // profile differs. The profile of the dependencies stays the same, since Cargo.toml sets their debug information.
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.path("target"), PathBuf::from);
    let mut command = Command::new(check);
    remove_package_variables(&mut command);
    command.arg("--tests").env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "none").current_dir(root);
    Ok(each_line(&mut command, |line| report(&format!("  {line}")))?)
}
