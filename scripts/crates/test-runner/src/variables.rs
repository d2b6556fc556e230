//! The environment variables that describe the stack to the end-to-end tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::{FileError, at};
use ferrite_local_stack::stack::{StackError, output};

use crate::binaries::Built;

/// Why the stack could not be described.
#[derive(Debug, thiserror::Error)]
pub enum VariablesError {
    /// A command was not built.
    #[error("the command {0} was not built")]
    NotBuilt(&'static str),
    /// The stack lacks an output.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The outputs could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The command that the tests call.
const REDRIVE: &str = "ferrite-redrive";

/// A stack under test.
pub struct UnderTest {
    api: String,
    keys: PathBuf,
    outputs: PathBuf,
    redrive: PathBuf,
}

impl UnderTest {
    /// The stack with these outputs, which are written to the folder of the run.
    ///
    /// # Errors
    /// When they lack the API or cannot be written, or ./scripts/redrive is not among the built commands.
    pub fn new(
        checkout: &Checkout,
        run_folder: &Path,
        outputs: Map<String, Value>,
        built: &Built,
    ) -> Result<Self, VariablesError> {
        let api = output(&outputs, "ApiUrl")?.to_owned();
        let path = run_folder.join("outputs.json");
        fs::write(&path, Value::Object(outputs).to_string()).map_err(at(&path))?;
        let redrive = built.commands.iter().find(|binary| binary.name == REDRIVE);
        let redrive = redrive.ok_or(VariablesError::NotBuilt(REDRIVE))?.path.clone();
        Ok(Self { api, keys: checkout.keys(), outputs: path, redrive })
    }

    /// The URL of its API.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Sets the variables of a test command.
    pub fn apply(&self, command: &mut Command) {
        command
            .env("FERRITE_API_URL", &self.api)
            .env("FERRITE_KEYS_DIR", &self.keys)
            .env("FERRITE_PROGRAM", &self.redrive)
            .env("FERRITE_OUTPUTS", &self.outputs);
    }
}
