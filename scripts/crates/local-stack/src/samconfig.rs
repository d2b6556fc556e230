//! Reads the environments in samconfig.toml, the configuration file of the SAM CLI.

use std::collections::BTreeMap;
use std::fs;

use crate::checkout::Checkout;
use crate::files::{FileError, at};

/// Error returned when the section of an environment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SamconfigError {
    /// The file is not valid TOML, or a required setting is missing.
    #[error("samconfig.toml: {0}")]
    Invalid(String),
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The section of an environment, `[<environment>.deploy.parameters]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Name of the stack (`stack_name`).
    pub stack: String,
    /// Parameters of the template (`parameter_overrides`).
    pub parameters: BTreeMap<String, String>,
}

impl Section {
    /// Reads the section of `environment`. Returns `None` if there is no such section, or if it has no `stack_name`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not valid TOML.
    pub fn read(checkout: &Checkout, environment: &str) -> Result<Option<Self>, SamconfigError> {
        let path = checkout.path("samconfig.toml");
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        Self::parse(&text, environment)
    }

    /// Like [`Section::read`], but the section must exist and name a stack.
    ///
    /// # Errors
    /// Returns the errors of [`Section::read`], or an error if the section or its `stack_name` is missing.
    pub fn load(checkout: &Checkout, environment: &str) -> Result<Self, SamconfigError> {
        Self::read(checkout, environment)?
            .ok_or_else(|| SamconfigError::Invalid(format!("[{environment}.deploy.parameters] has no stack_name")))
    }

    fn parse(text: &str, environment: &str) -> Result<Option<Self>, SamconfigError> {
        let file: toml::Table = toml::from_str(text).map_err(|error| SamconfigError::Invalid(error.to_string()))?;
        let section = file.get(environment).and_then(|environment| environment.get("deploy")?.get("parameters"));
        let stack = section.and_then(|section| section.get("stack_name")?.as_str());
        Ok(section.zip(stack).map(|(section, stack)| Self {
            stack: stack.to_owned(),
            parameters: overrides(section.get("parameter_overrides")),
        }))
    }

    /// Returns the value of a template parameter.
    ///
    /// # Errors
    /// Returns an error if the section does not set the parameter.
    pub fn parameter(&self, name: &str) -> Result<&str, SamconfigError> {
        self.parameters
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| SamconfigError::Invalid(format!("parameter_overrides of {} does not set {name}", self.stack)))
    }
}

/// Parses `parameter_overrides`: either a list of `Name=value` strings, or a single string with quoted values, as
/// `sam deploy --guided` writes it.
fn overrides(value: Option<&toml::Value>) -> BTreeMap<String, String> {
    let items = match value {
        Some(toml::Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(toml::Value::String(text)) => words(text),
        _ => Vec::new(),
    };
    items
        .iter()
        .filter_map(|item| item.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Splits a text at whitespace outside double quotes.
fn words(text: &str) -> Vec<String> {
    let mut quoted = false;
    text.split(|character: char| {
        quoted ^= character == '"';
        character.is_whitespace() && !quoted
    })
    .filter(|word| !word.is_empty())
    .map(str::to_owned)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        version = 0.1
        [local.deploy.parameters]
        stack_name = "app-local"
        parameter_overrides = ["Environment=local", "JwtIssuer=https://issuer"]
        [staging.deploy.parameters]
        stack_name = "app-staging"
        parameter_overrides = "Environment=\"staging\" Note=\"two words\" Empty=\"\""
        [production.deploy.parameters]
        resolve_s3 = true
    "#;

    fn section(environment: &str) -> Option<Section> {
        Section::parse(FILE, environment).unwrap()
    }

    #[test]
    fn reads_a_list_of_parameters() {
        let local = section("local").unwrap();
        assert_eq!(local.stack, "app-local");
        assert_eq!(local.parameter("JwtIssuer").unwrap(), "https://issuer");
    }

    #[test]
    fn reads_the_format_that_a_guided_deployment_writes() {
        let staging = section("staging").unwrap();
        assert_eq!(staging.parameter("Note").unwrap(), "two words");
        assert_eq!(staging.parameter("Empty").unwrap(), "");
        assert!(staging.parameter("Other").is_err());
    }

    #[test]
    fn ignores_a_section_without_a_stack_name() {
        assert_eq!(section("production"), None);
        assert_eq!(section("missing"), None);
    }
}
