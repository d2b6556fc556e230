//! The stack of a running `./scripts/dev`, on which filtered end-to-end tests run, because it is already deployed.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ferrite_aws_client::endpoint::Endpoint;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::process::check_interrupted;
use ferrite_local_stack::running::RunningStack;
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::sources::changed_since_deployment;

use crate::options::Options;

/// The maximum time to wait until `./scripts/dev` has deployed the last edit.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The stack of a running `./scripts/dev`.
pub(crate) struct DevStack {
    pub(crate) running: RunningStack,
    /// The name of the stack.
    pub(crate) name: String,
    /// A source file with a change that is not deployed.
    pub(crate) stale: Option<PathBuf>,
}

impl DevStack {
    /// Finds the stack, unless the options or the environment ask for another one. Waits until the last edit is deployed.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read, or after an interrupt.
    pub(crate) fn find(checkout: &Checkout, options: &Options) -> anyhow::Result<Option<Self>> {
        let is_other = options.is_complete() || options.own_stack || options.only_on_aws() || options.docker;
        if is_other || Endpoint::from_environment()?.is_some() {
            return Ok(None);
        }
        let Some(running) = RunningStack::find(checkout) else { return Ok(None) };
        let name = Section::load(checkout, "local")?.stack;
        let url = Endpoint::local(running.port).url().to_owned();
        report(&format!("(using the running stack {name} at {url}; --own-stack deploys one for the tests)"));
        let stale = wait_until_deployed(checkout, &running)?;
        let found = Self { running, name, stale };
        found.warn_if_stale();
        Ok(Some(found))
    }

    /// Prints a warning if the sources are newer than the deployed functions.
    pub(crate) fn warn_if_stale(&self) {
        if let Some(file) = &self.stale {
            let advice = if self.running.owner_is_running() {
                "its output says why"
            } else {
                "it is detached, so run ./scripts/dev to deploy"
            };
            report(&format!(
                "warning: ./scripts/dev has not deployed the change of {}; {advice}. The tests run against the old version.",
                file.display()
            ));
        }
    }
}

/// Waits until `./scripts/dev` has deployed the last edit. Returns a changed file if it does not. A detached stack is never
/// updated, so it is not waited for.
fn wait_until_deployed(checkout: &Checkout, running: &RunningStack) -> anyhow::Result<Option<PathBuf>> {
    let deadline = Instant::now() + TIMEOUT;
    let mut reported: Option<PathBuf> = None;
    loop {
        let Some(changed) = changed_since_deployment(checkout)? else { return Ok(None) };
        if !running.owner_is_running() || Instant::now() > deadline {
            return Ok(Some(changed));
        }
        if reported.is_none() {
            report(&format!("  waiting until ./scripts/dev has deployed {}", Path::display(&changed)));
            reported = Some(changed);
        }
        check_interrupted()?;
        sleep(Duration::from_millis(100));
    }
}
