//! The AWS endpoint of the tests: an emulator, an endpoint from the environment, or AWS.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::{Credentials, Target};
use ferrite_aws_proxy::recorder::Recorder;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::report;
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, StartOptions, free_port};
use ferrite_local_stack::running::{RunLock, RunningStack};
use ferrite_local_stack::target::apply_target;
use ferrite_test_runner::places::{Place, Skipped, SkippedTests};

use crate::docker::Container;
use crate::options::Options;

/// The AWS endpoint of the tests.
pub(crate) struct Site {
    pub(crate) place: Place,
    /// The endpoint, or `None` for AWS itself, which the environment variables describe.
    pub(crate) target: Option<Target>,
    pub(crate) emulator: Option<Emulator>,
    /// The recording proxy between the functions and MiniStack. Other emulators do not support a proxy.
    pub(crate) recorder: Option<Recorder>,
    /// The tests that cannot run at this endpoint.
    pub(crate) skipped: Vec<Skipped>,
    _container: Option<Container>,
}

impl Site {
    /// Finds the endpoint that the options and the environment name, or starts an emulator on a free port.
    ///
    /// # Errors
    /// Returns an error if a variable is invalid or the emulator does not start.
    pub(crate) fn find(checkout: &Checkout, options: &Options, run_folder: &Path, lock: &RunLock) -> anyhow::Result<Self> {
        let skipped = SkippedTests::read(checkout)?;
        if let Some(target) = Target::from_environment()? {
            report(&format!("  AWS_ENDPOINT_URL: {}", target.endpoint.url()));
            return Ok(Self {
                place: Place::Endpoint,
                skipped: skipped.at(Place::Endpoint),
                target: Some(target),
                emulator: None,
                recorder: None,
                _container: None,
            });
        }
        if options.stack.is_some() {
            let credentials = Credentials::for_aws()?;
            report(&format!("  AWS, {}", credentials.region));
            return Ok(Self {
                place: Place::Aws,
                skipped: skipped.at(Place::Aws),
                target: None,
                emulator: None,
                recorder: None,
                _container: None,
            });
        }
        if options.docker {
            let port = free_port()?;
            let container = Some(Container::start(checkout, port)?);
            report(&format!("  LocalStack in Docker on port {port}"));
            return Ok(Self {
                place: Place::Docker,
                skipped: skipped.at(Place::Docker),
                target: Some(Target::local(port)),
                emulator: None,
                recorder: None,
                _container: container,
            });
        }
        let installed = options.emulator.install(checkout)?;
        let port = free_port()?;
        let recorder = (options.emulator == EmulatorKind::Ministack)
            .then(|| Recorder::open(port))
            .transpose()
            .context("cannot start the recording proxy")?;
        let start = StartOptions { functions_port: recorder.as_ref().map(Recorder::port), ..StartOptions::default() };
        let emulator = Emulator::start(checkout, &installed, run_folder, port, start)?;
        lock.record(&RunningStack::started_here(port, emulator.group(), false))?;
        report(&format!("  {} on port {port}", options.emulator.name()));
        let place = Place::from(options.emulator);
        Ok(Self {
            place,
            skipped: skipped.at(place),
            target: Some(Target::local(port)),
            emulator: Some(emulator),
            recorder,
            _container: None,
        })
    }

    /// The emulator of a running `./scripts/dev`.
    ///
    /// # Errors
    /// Returns an error if the list of skipped tests cannot be read.
    pub(crate) fn of_dev_stack(checkout: &Checkout, running: &RunningStack) -> anyhow::Result<Self> {
        Ok(Self {
            place: Place::Endpoint,
            skipped: SkippedTests::read(checkout)?.at(Place::Endpoint),
            target: Some(running.target()),
            emulator: None,
            recorder: None,
            _container: None,
        })
    }

    pub(crate) fn apply(&self, command: &mut Command) {
        self.place.apply(command);
        if let Some(target) = &self.target {
            apply_target(target, command);
        }
    }

    pub(crate) fn aws(&self) -> anyhow::Result<AwsClient> {
        match &self.target {
            Some(target) => Ok(AwsClient::new(target.clone())),
            None => Ok(AwsClient::from_environment()?),
        }
    }

    /// The name prefixes of the tests that cannot run at this endpoint.
    pub(crate) fn skipped_names(&self) -> Vec<String> {
        self.skipped.iter().map(|skipped| skipped.test.clone()).collect()
    }
}
