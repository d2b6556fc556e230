//! What takes the place of AWS for the tests that need it.

use std::path::Path;
use std::process::Command;

use super::Asked;
use crate::aws::Aws;
use crate::checkout::Checkout;
use crate::console::say;
use crate::docker::Container;
use crate::emulator::{Emulator, EmulatorKind, StartOptions, free_port};
use crate::endpoint::{Account, Target};
use crate::permissions::recorder::Recorder;
use crate::running::{Claim, Running};
use crate::skipped::{Place, skipped_at};
use crate::trouble::Trouble;

/// Where the tests that need AWS run.
pub(super) struct Site {
    pub(super) place: Place,
    /// The endpoint; `None` on AWS itself, where the caller's environment says all.
    pub(super) target: Option<Target>,
    pub(super) emulator: Option<Emulator>,
    /// Between the functions and MiniStack, the one emulator that can be told where functions call AWS.
    pub(super) recorder: Option<Recorder>,
    _container: Option<Container>,
}

impl Site {
    /// AWS or the caller's endpoint, or an emulator of our own on a free port.
    ///
    /// # Errors
    /// When the environment cannot be read, or the emulator does not start.
    pub(super) fn find(checkout: &Checkout, asked: &Asked, run_folder: &Path, claim: &Claim) -> Result<Self, Trouble> {
        if let Some(target) = Target::from_environment()? {
            say(&format!("  AWS_ENDPOINT_URL: {}", target.endpoint.url()));
            return Ok(Self {
                place: Place::CallersEndpoint,
                target: Some(target),
                emulator: None,
                recorder: None,
                _container: None,
            });
        }
        if asked.stack.is_some() {
            let account = Account::on_aws()?;
            say(&format!("  AWS, {}", account.region));
            return Ok(Self { place: Place::Aws, target: None, emulator: None, recorder: None, _container: None });
        }
        if asked.docker {
            let port = free_port()?;
            let container = Some(Container::start(checkout, port)?);
            say(&format!("  LocalStack in Docker on port {port}"));
            return Ok(Self {
                place: Place::Docker,
                target: Some(Target::local(port)),
                emulator: None,
                recorder: None,
                _container: container,
            });
        }
        let installed = asked.emulator.install(checkout)?;
        let port = free_port()?;
        let recorder = (asked.emulator == EmulatorKind::Ministack).then(|| Recorder::open(port)).transpose()?;
        let options = StartOptions { functions_port: recorder.as_ref().map(Recorder::port), ..StartOptions::default() };
        let emulator = Emulator::start(checkout, &installed, run_folder, port, options)?;
        claim.note(&Running::started_here(port, emulator.group(), false))?;
        say(&format!("  {} on port {port}", asked.emulator.name()));
        let (place, target) = (Place::On(asked.emulator), Some(Target::local(port)));
        Ok(Self { place, target, emulator: Some(emulator), recorder, _container: None })
    }

    pub(super) fn apply(&self, command: &mut Command) {
        if let Some(target) = &self.target {
            target.apply(command);
        }
    }

    pub(super) fn aws(&self) -> Result<Aws, Trouble> {
        self.target.clone().map_or_else(Aws::from_environment, |target| Ok(Aws::emulator(target)))
    }

    pub(super) fn skipped(&self) -> Vec<&'static str> {
        skipped_at(self.place).map(|skipped| skipped.test).collect()
    }
}
