//! The environment variables that describe the stack to the end-to-end tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::{FileError, at};
use ferrite_local_stack::stack::{StackError, output};

use crate::binaries::Built;

/// The error of a stack that cannot be described to the tests.
#[derive(Debug, thiserror::Error)]
pub enum VariablesError {
    /// A command is missing from the build.
    #[error("the command {0} was not built")]
    NotBuilt(&'static str),
    /// The stack lacks an output.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The outputs cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The command that the tests run.
const REDRIVE: &str = "ferrite-redrive";

/// Sets the variable with the path of the command `./scripts/redrive`, if it was built.
pub fn apply_redrive(built: &Built, command: &mut Command) {
    command.envs(redrive(built).map(|path| ("FERRITE_PROGRAM", path)));
}

fn redrive(built: &Built) -> Option<&Path> {
    built.commands.iter().find(|binary| binary.name == REDRIVE).map(|binary| binary.path.as_path())
}

/// A stack under test.
pub struct UnderTest {
    name: String,
    api: String,
    keys: PathBuf,
    outputs: PathBuf,
    redrive: PathBuf,
}

impl UnderTest {
    /// Describes the stack `name` with these outputs. Writes the outputs to the folder of the run.
    ///
    /// # Errors
    /// Returns an error if the API's URL is missing, the outputs cannot be written, or ./scripts/redrive was not built.
    pub fn new(
        checkout: &Checkout,
        run_folder: &Path,
        name: &str,
        outputs: Map<String, Value>,
        built: &Built,
    ) -> Result<Self, VariablesError> {
        let api = output(&outputs, "ApiUrl")?.to_owned();
        let path = run_folder.join("outputs.json");
        fs::write(&path, Value::Object(outputs).to_string()).map_err(at(&path))?;
        let redrive = redrive(built).ok_or(VariablesError::NotBuilt(REDRIVE))?.to_owned();
        Ok(Self { name: name.to_owned(), api, keys: checkout.keys_folder(), outputs: path, redrive })
    }

    /// The URL of the API.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Sets the variables of a test command.
    pub fn apply(&self, command: &mut Command) {
        command
            .env("FERRITE_STACK", &self.name)
            .env("FERRITE_API_URL", &self.api)
            .env("FERRITE_KEYS_DIR", &self.keys)
            .env("FERRITE_PROGRAM", &self.redrive)
            .env("FERRITE_OUTPUTS", &self.outputs);
    }
}
