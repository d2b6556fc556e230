//! A project of its own: created by `./scripts/new-project`, built, tested and deployed.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
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

/// The name of the project. It is longer than that of this repository, because a longer name breaks lines elsewhere and
/// may exceed limits of AWS.
const NAME: &str = "aurora-borealis";

/// Creates a project, and runs its tests: unit tests, end-to-end tests against its own stack, and the permission check.
/// Returns `None` in a project.
pub(crate) fn step(checkout: &Checkout, built: &Built) -> Option<Step> {
    if !checkout.has(COMMAND) {
        return None;
    }
    let program = built.commands.iter().find(|binary| binary.name == PROGRAM).map(|binary| binary.path.clone());
    Some(Step::new(format!("A new project ({NAME})"), move |checkout| {
        let program = program.as_ref().with_context(|| format!("the workspace has no command {PROGRAM}"))?;
        let root = create(checkout, program)?;
        run_tests(checkout, &root)?;
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

/// Runs `./scripts/test --tests` in the project, without building its commands again: this program is the same.
fn run_tests(checkout: &Checkout, root: &Path) -> anyhow::Result<()> {
    let program = env::current_exe().context("cannot find this program")?;
    // The target folder of the workspace already contains the dependencies. Cargo identifies a crate of a workspace by its
    // path in the workspace, so the crates of the project would replace those of this checkout. They do not, because their
    // profile differs. The profile of the dependencies stays the same, since Cargo.toml sets their debug information.
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.path("target"), PathBuf::from);
    let mut command = Command::new(program);
    remove_package_variables(&mut command);
    command.arg("--tests").env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "none").current_dir(root);
    Ok(each_line(&mut command, |line| report(&format!("  {line}")))?)
}
