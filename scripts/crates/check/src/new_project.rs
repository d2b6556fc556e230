//! A project of its own: created by `./scripts/new-project`, built, tested and deployed.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::files::{at, delete_folder_if_exists};
use ferrite_local_stack::functions::remove_package_variables;
use ferrite_local_stack::process::{each_line, each_line_logged};
use ferrite_test_runner::binaries::Built;

use crate::progress::{Outcome, Step};
use crate::steps::RUN;

/// The command that creates projects, and its program. Projects do not have it.
pub(crate) const COMMAND: &str = "scripts/new-project";
const PROGRAM: &str = "ferrite-new-project";

/// The program of `./scripts/test`.
const CHECK: &str = "ferrite-check";

/// The name of the project. It is longer than that of this repository, because a longer name breaks lines elsewhere and
/// may exceed limits of AWS.
const NAME: &str = "aurora-borealis";

/// Copies of the commands of this checkout. The builds of the projects replace the originals in the target folder.
#[derive(Debug, Clone)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// Copies the commands to the folder of the run.
    ///
    /// # Errors
    /// Returns an error if a file cannot be copied.
    pub(crate) fn copy(checkout: &Checkout, built: &Built) -> anyhow::Result<Self> {
        let folder = checkout.run_folder(RUN)?.join("commands");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        for binary in &built.commands {
            fs::copy(&binary.path, folder.join(&binary.name)).map_err(at(&binary.path))?;
        }
        Ok(Self(folder))
    }

    /// A command that runs the program `name` in the project `root`, and uses the target folder of the checkout.
    pub(crate) fn command(&self, name: &str, checkout: &Checkout, root: &Path) -> Command {
        // The target folder of the workspace already contains the dependencies. Cargo identifies a crate of a workspace by
        // its path in the workspace, so the crates of the project would replace those of this checkout. They do not, because
        // their profile differs. The profile of the dependencies stays the same, since Cargo.toml sets their debug information.
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.path("target"), PathBuf::from);
        let mut command = Command::new(self.0.join(name));
        remove_package_variables(&mut command);
        command.env("CARGO_TARGET_DIR", checkout.path("").join(target)).env("CARGO_PROFILE_DEV_DEBUG", "none");
        command.current_dir(root);
        command
    }
}

/// Creates a project, and runs its tests: unit tests, end-to-end tests against its own stack, and the permission check.
pub(crate) fn step(programs: Programs) -> Step {
    Step::new(format!("A new project ({NAME})"), move |checkout| {
        let root = root(checkout)?;
        create(checkout, &programs, checkout.root(), &root)?;
        run_tests(checkout, &programs, &root)?;
        Ok(Outcome::Passed)
    })
}

/// The root of the new project.
///
/// # Errors
/// Returns an error if the folder of the run cannot be created.
pub(crate) fn root(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    Ok(checkout.run_folder(RUN)?.join(NAME))
}

/// Creates the project `root` from the checkout `source` of this repository.
///
/// # Errors
/// Returns an error if the project cannot be created.
pub(crate) fn create(checkout: &Checkout, programs: &Programs, source: &Path, root: &Path) -> anyhow::Result<()> {
    delete_folder_if_exists(root)?;
    let mut command = programs.command(PROGRAM, checkout, source);
    each_line_logged(command.arg(NAME).arg(root), &root.with_extension("log"), |_| {})?;
    let tools = root.join(".tools");
    symlink(checkout.path(".tools"), &tools).map_err(at(&tools))?;
    Ok(())
}

/// Runs `./scripts/test --tests` in the project.
///
/// # Errors
/// Returns an error if a test fails.
pub(crate) fn run_tests(checkout: &Checkout, programs: &Programs, root: &Path) -> anyhow::Result<()> {
    let mut command = programs.command(CHECK, checkout, root);
    each_line(command.arg("--tests"), |line| report(&format!("  {line}")))
        .with_context(|| format!("the tests of {} failed", root.display()))
}
