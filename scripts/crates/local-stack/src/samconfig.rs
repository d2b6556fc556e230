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

/// What the section of an environment, `[<environment>.deploy.parameters]`, sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Name of the stack (`stack_name`).
    pub stack: Option<String>,
    /// Region of the stack (`region`).
    pub region: Option<String>,
    /// Profile of the AWS CLI whose credentials are used (`profile`).
    pub profile: Option<String>,
    /// Whether SAM asks before it applies a change (`confirm_changeset`).
    pub confirms_changes: bool,
    /// Parameters of the template (`parameter_overrides`).
    pub parameters: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the section of `environment`. Returns `None` if there is no such section.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not valid TOML.
    pub fn read(checkout: &Checkout, environment: &str) -> Result<Option<Self>, SamconfigError> {
        let path = checkout.path("samconfig.toml");
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        Self::parse(&text, environment)
    }

    fn parse(text: &str, environment: &str) -> Result<Option<Self>, SamconfigError> {
        let file: toml::Table = toml::from_str(text).map_err(|error| SamconfigError::Invalid(error.to_string()))?;
        let Some(environment) = file.get(environment) else { return Ok(None) };
        let section = |command: &str| environment.get(command)?.get("parameters");
        let Some(own) = section("deploy") else { return Ok(None) };
        // As for the SAM CLI, the settings of all commands apply to this one, too.
        let setting = |name: &str| own.get(name).or_else(|| section("global")?.get(name));
        let text = |name: &str| setting(name).and_then(toml::Value::as_str).map(str::to_owned);
        Ok(Some(Self {
            stack: text("stack_name"),
            region: text("region"),
            profile: text("profile"),
            confirms_changes: setting("confirm_changeset").and_then(toml::Value::as_bool).unwrap_or(false),
            parameters: overrides(own.get("parameter_overrides")),
        }))
    }
}

/// The section of an environment that names a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Name of the stack (`stack_name`).
    pub stack: String,
    /// Parameters of the template (`parameter_overrides`).
    pub parameters: BTreeMap<String, String>,
}

impl Section {
    /// Reads the section of `environment`, which must exist and name a stack.
    ///
    /// # Errors
    /// Returns the errors of [`Settings::read`], or an error if the section or its `stack_name` is missing.
    pub fn load(checkout: &Checkout, environment: &str) -> Result<Self, SamconfigError> {
        let settings = Settings::read(checkout, environment)?.unwrap_or_default();
        let missing = || SamconfigError::Invalid(format!("[{environment}.deploy.parameters] has no stack_name"));
        Ok(Self { stack: settings.stack.ok_or_else(missing)?, parameters: settings.parameters })
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
        region = "eu-west-1"
        confirm_changeset = true
        [production.global.parameters]
        region = "us-east-1"
        profile = "team"
    "#;

    fn section(environment: &str) -> Section {
        let Settings { stack, parameters, .. } = settings(environment).unwrap();
        Section { stack: stack.unwrap(), parameters }
    }

    fn settings(environment: &str) -> Option<Settings> {
        Settings::parse(FILE, environment).unwrap()
    }

    #[test]
    fn reads_a_list_of_parameters() {
        let local = section("local");
        assert_eq!(local.stack, "app-local");
        assert_eq!(local.parameter("JwtIssuer").unwrap(), "https://issuer");
    }

    #[test]
    fn reads_the_format_that_a_guided_deployment_writes() {
        let staging = section("staging");
        assert_eq!(staging.parameter("Note").unwrap(), "two words");
        assert_eq!(staging.parameter("Empty").unwrap(), "");
        assert!(staging.parameter("Other").is_err());
    }

    #[test]
    fn settings_of_all_commands_apply_unless_the_section_sets_them() {
        let production = settings("production").unwrap();
        assert_eq!((production.region.as_deref(), production.profile.as_deref()), (Some("eu-west-1"), Some("team")));
        assert_eq!((production.stack, production.confirms_changes), (None, true));
        assert_eq!(settings("missing"), None);
    }
}
