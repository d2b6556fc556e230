//! What samconfig.toml says about an environment. The SAM CLI reads the same file: nothing is said twice.

use std::collections::BTreeMap;
use std::fs;

use crate::checkout::Checkout;
use crate::trouble::{Trouble, at};

/// An environment's section: `[<environment>.deploy.parameters]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The stack's name.
    pub stack: String,
    /// The template's parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Section {
    /// Reads the section of `environment`; `None` when there is none, or it does not name a stack yet.
    ///
    /// # Errors
    /// When the file cannot be read or is not TOML.
    pub fn read(checkout: &Checkout, environment: &str) -> Result<Option<Self>, Trouble> {
        let path = checkout.path("samconfig.toml");
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        Self::parse(&text, environment)
    }

    /// Like [`Section::read`], for a section that must be there.
    ///
    /// # Errors
    /// Also when the section is missing.
    pub fn require(checkout: &Checkout, environment: &str) -> Result<Self, Trouble> {
        Self::read(checkout, environment)?
            .ok_or_else(|| Trouble::Samconfig(format!("[{environment}.deploy.parameters] has no stack_name")))
    }

    fn parse(text: &str, environment: &str) -> Result<Option<Self>, Trouble> {
        let file: toml::Table = toml::from_str(text).map_err(|error| Trouble::Samconfig(error.to_string()))?;
        let section = file.get(environment).and_then(|environment| environment.get("deploy")?.get("parameters"));
        let stack = section.and_then(|section| section.get("stack_name")?.as_str());
        Ok(section.zip(stack).map(|(section, stack)| Self {
            stack: stack.to_owned(),
            parameters: overrides(section.get("parameter_overrides")),
        }))
    }

    /// A parameter of the template.
    ///
    /// # Errors
    /// When the section does not set it.
    pub fn parameter(&self, name: &str) -> Result<&str, Trouble> {
        self.parameters
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| Trouble::Samconfig(format!("parameter_overrides of {} does not set {name}", self.stack)))
    }
}

/// `parameter_overrides` is a list of `Name=value`, or, as `sam deploy --guided` writes it, one string of them with the
/// values in quotes.
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

/// Splits at spaces outside double quotes.
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
        stack_name = "shop-local"
        parameter_overrides = ["Environment=local", "JwtIssuer=https://issuer"]
        [staging.deploy.parameters]
        stack_name = "shop-staging"
        parameter_overrides = "Environment=\"staging\" Note=\"two words\" Empty=\"\""
        [production.deploy.parameters]
        resolve_s3 = true
    "#;

    fn section(environment: &str) -> Option<Section> {
        Section::parse(FILE, environment).unwrap()
    }

    #[test]
    fn a_list_of_parameters_is_read() {
        let local = section("local").unwrap();
        assert_eq!(local.stack, "shop-local");
        assert_eq!(local.parameter("JwtIssuer").unwrap(), "https://issuer");
    }

    #[test]
    fn what_sam_writes_when_guided_is_read() {
        let staging = section("staging").unwrap();
        assert_eq!(staging.parameter("Note").unwrap(), "two words");
        assert_eq!(staging.parameter("Empty").unwrap(), "");
        assert!(staging.parameter("Other").is_err());
    }

    #[test]
    fn a_section_without_a_stack_is_not_set_up_yet() {
        assert_eq!(section("production"), None);
        assert_eq!(section("nowhere"), None);
    }

    #[test]
    fn the_local_section_expects_the_tokens_that_the_local_issuer_mints() {
        use ferrite_tests::issuer::{AUDIENCE, ISSUER};
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samconfig.toml");
        let local = Section::parse(&fs::read_to_string(path).unwrap(), "local").unwrap().unwrap();
        assert_eq!(local.parameter("JwtIssuer").unwrap(), ISSUER);
        assert_eq!(local.parameter("JwtAudience").unwrap(), AUDIENCE);
        assert!(local.parameter("JwksParameter").unwrap().starts_with('/'));
    }
}
