//! The functions with the release profile, which are built while the tests run.

use std::path::PathBuf;

use ferrite_local_stack::binary_size::{check_sizes, http_functions};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::lambda_build::lambda_build;
use ferrite_local_stack::process::{Group, at_low_priority};
use ferrite_local_stack::stack::host_architecture;
use ferrite_local_stack::tools::{DEPLOY_TOOLS, install};

/// A running build of the functions with the release profile.
pub(crate) struct Shipped {
    folder: PathBuf,
    log: PathBuf,
    build: Group,
}

impl Shipped {
    /// Starts the build of the HTTP functions at low priority. It uses the processor time that the tests leave idle while
    /// they wait for the emulator.
    ///
    /// # Errors
    /// Returns an error if the build cannot be started.
    pub(crate) fn begin(checkout: &Checkout, run: &str) -> anyhow::Result<Self> {
        let tools = install(checkout, &DEPLOY_TOOLS)?;
        let run_folder = checkout.run_folder(run)?;
        let folder = run_folder.join("shipped");
        let log = run_folder.join("shipped.log");
        let build = lambda_build(checkout, &tools, &folder, host_architecture(), &http_functions(checkout)?);
        let build = Group::start_logged(&mut at_low_priority(&build), &log)?;
        Ok(Self { folder, log, build })
    }

    /// Waits for the build, and checks the sizes.
    ///
    /// # Errors
    /// Returns an error if the build failed or a function is too large.
    pub(crate) fn check_sizes(mut self, checkout: &Checkout) -> anyhow::Result<()> {
        self.build.finish(Some(&self.log))?;
        Ok(check_sizes(checkout, &self.folder)?)
    }
}
