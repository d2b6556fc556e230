//! What the end-to-end tests are told of the stack that they test, in their environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::checkout::Checkout;
use crate::stack::output;
use crate::trouble::{Trouble, at};

/// A stack to be tested.
pub struct UnderTest {
    api: String,
    keys: PathBuf,
    outputs: PathBuf,
    /// The program behind scripts/.
    program: PathBuf,
}

impl UnderTest {
    /// The stack with these outputs, which are written into the run's folder.
    ///
    /// # Errors
    /// When they lack the API, or cannot be written.
    pub fn new(
        checkout: &Checkout,
        run_folder: &Path,
        outputs: Map<String, Value>,
        program: PathBuf,
    ) -> Result<Self, Trouble> {
        let api = output(&outputs, "ApiUrl")?.to_owned();
        let path = run_folder.join("outputs.json");
        fs::write(&path, Value::Object(outputs).to_string()).map_err(at(&path))?;
        Ok(Self { api, keys: checkout.keys(), outputs: path, program })
    }

    /// The URL of its API.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Tells a command of tests of it.
    pub fn apply(&self, command: &mut Command) {
        command
            .env("FERRITE_API_URL", &self.api)
            .env("FERRITE_KEYS_DIR", &self.keys)
            .env("FERRITE_PROGRAM", &self.program)
            .env("FERRITE_OUTPUTS", &self.outputs);
    }
}
