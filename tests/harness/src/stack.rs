//! The deployed stack that the tests call.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::variable;

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The name of the stack.
    pub name: String,
    /// The values of its outputs, by name. `ApiUrl` is the URL of the API, without a slash at the end.
    pub outputs: Map<String, Value>,
    /// The template that it was deployed from.
    pub template: PathBuf,
    /// The folder with the key of the token issuer that it trusts.
    pub keys_folder: PathBuf,
}

impl Stack {
    /// The stack that `./scripts/test` deployed.
    #[must_use]
    pub fn under_test() -> Self {
        let outputs = std::fs::read_to_string(variable("FERRITE_OUTPUTS")).expect("the outputs are readable");
        Self {
            name: variable("FERRITE_STACK"),
            outputs: serde_json::from_str(&outputs).expect("the outputs are JSON"),
            template: concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into(),
            keys_folder: variable("FERRITE_KEYS_DIR").into(),
        }
    }

    /// Returns an output.
    pub fn output(&self, name: &str) -> &str {
        let value = self.outputs.get(name).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("the stack {} has no output {name}", self.name))
    }
}
