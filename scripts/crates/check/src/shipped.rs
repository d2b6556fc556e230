//! The functions as they ship, built while the tests run.

use std::path::PathBuf;

use super::RUN;
use crate::budget::{check_sizes, http_functions};
use crate::checkout::Checkout;
use crate::deploy::lambda_build;
use crate::process::{Group, in_the_background};
use crate::stack::host_architecture;
use crate::tools::{DEPLOY_TOOLS, install};
use crate::trouble::Trouble;

/// The functions as they ship, being built.
pub(super) struct Shipped {
    folder: PathBuf,
    log: PathBuf,
    build: Group,
}

impl Shipped {
    /// Begins to build the HTTP functions, whenever what else runs leaves a processor idle: the tests wait for the emulator
    /// more than they compute.
    ///
    /// # Errors
    /// When the build cannot begin.
    pub(super) fn begin(checkout: &Checkout) -> Result<Self, Trouble> {
        let (tools, run_folder) = (install(checkout, &DEPLOY_TOOLS)?, checkout.run_folder(RUN)?);
        let (folder, log) = (run_folder.join("shipped"), run_folder.join("shipped.log"));
        let build = lambda_build(checkout, &tools, &folder, host_architecture(), &http_functions(checkout)?);
        let build = Group::start_logged(&mut in_the_background(&build), &log)?;
        Ok(Self { folder, log, build })
    }

    /// Waits for the build, and holds what it made to what it may weigh.
    ///
    /// # Errors
    /// When the build failed, or a function weighs more.
    pub(super) fn check_sizes(mut self, checkout: &Checkout) -> Result<(), Trouble> {
        self.build.finish(Some(&self.log))?;
        check_sizes(checkout, &self.folder)
    }
}
