//! The places where the end-to-end tests can run, and the tests that each place cannot run.

use std::fs;
use std::process::Command;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::emulator::EmulatorKind;
use ferrite_local_stack::files::{FileError, at};
use serde::Deserialize;

/// The file that lists the skipped tests.
const FILE: &str = "tests/skipped.toml";

/// The error of a list of skipped tests that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SkippedError {
    /// The file is invalid.
    #[error("{FILE}")]
    Invalid(#[from] toml::de::Error),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The environment variable that names the place to the tests.
const VARIABLE: &str = "FERRITE_PLACE";

/// AWS, or an emulator that replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// MiniStack.
    Ministack,
    /// LocalStack, on this machine.
    Localstack,
    /// The official LocalStack image in Docker.
    Docker,
    /// The endpoint in `AWS_ENDPOINT_URL`.
    Endpoint,
    /// AWS itself.
    Aws,
}

/// Tests that cannot run in all places.
#[derive(Debug, Clone, Deserialize)]
pub struct Skipped {
    places: Vec<Place>,
    /// A prefix of the test names, or the name of a test binary.
    pub test: String,
    /// Why the tests cannot run.
    pub reason: String,
}

/// The list of skipped tests.
#[derive(Debug, Clone, Deserialize)]
pub struct SkippedTests {
    skipped: Vec<Skipped>,
}

impl SkippedTests {
    /// Reads the list in the checkout.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is invalid.
    pub fn read(checkout: &Checkout) -> Result<Self, SkippedError> {
        let path = checkout.path(FILE);
        Ok(toml::from_str(&fs::read_to_string(&path).map_err(at(&path))?)?)
    }

    /// The tests that cannot run at `place`.
    #[must_use]
    pub fn at(&self, place: Place) -> Vec<Skipped> {
        self.skipped.iter().filter(|skipped| skipped.places.contains(&place)).cloned().collect()
    }
}

impl Place {
    /// The place that `./scripts/test` names to its tests, or `None` if it does not run this program.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        let name = std::env::var(VARIABLE).ok()?;
        [Self::Ministack, Self::Localstack, Self::Docker, Self::Endpoint, Self::Aws]
            .into_iter()
            .find(|place| place.name() == name)
    }

    /// Names the place to a test command.
    pub fn apply(self, command: &mut Command) {
        command.env(VARIABLE, self.name());
    }

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ministack => EmulatorKind::Ministack.name(),
            Self::Localstack => EmulatorKind::Localstack.name(),
            Self::Docker => "LocalStack in Docker",
            Self::Endpoint => "your own endpoint",
            Self::Aws => "AWS",
        }
    }
}

impl From<EmulatorKind> for Place {
    fn from(kind: EmulatorKind) -> Self {
        match kind {
            EmulatorKind::Ministack => Self::Ministack,
            EmulatorKind::Localstack => Self::Localstack,
        }
    }
}
