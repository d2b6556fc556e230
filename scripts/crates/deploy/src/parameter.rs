//! The parameters of template.yaml and their constraints.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

/// A parameter of the template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter<'a> {
    /// Name of the parameter.
    pub(crate) name: &'a str,
    declaration: &'a Value,
}

impl<'a> Parameter<'a> {
    /// Returns the parameters of a template in their order.
    pub(crate) fn all(template: &'a Template) -> impl Iterator<Item = Self> {
        let parameters = template.root()["Parameters"].as_mapping().into_iter().flatten();
        parameters.filter_map(|(name, declaration)| Some(Self { name: name.as_str()?, declaration }))
    }

    /// Returns the parameter with a name.
    pub(crate) fn find(template: &'a Template, name: &str) -> Option<Self> {
        Self::all(template).find(|parameter| parameter.name == name)
    }

    /// The value of a stack that does not set the parameter.
    pub(crate) fn default(&self) -> Option<String> {
        scalar(&self.declaration["Default"])
    }

    /// The description; empty if there is none.
    pub(crate) fn description(&self) -> &'a str {
        self.declaration["Description"].as_str().unwrap_or_default()
    }

    /// Checks a value as CloudFormation does.
    ///
    /// # Errors
    /// Returns the constraint that the value violates.
    pub(crate) fn check(&self, value: &str) -> Result<(), String> {
        // The value becomes a quoted word of a SAM argument.
        if value.contains(['"', '\\']) || value.chars().any(char::is_control) {
            return Err("it must not contain double quotes, backslashes or control characters".to_owned());
        }
        self.violated(value).map_or(Ok(()), |constraint| {
            let described = self.declaration["ConstraintDescription"].as_str();
            Err(described.map_or(constraint, |description| format!("it {description}")))
        })
    }

    fn violated(&self, value: &str) -> Option<String> {
        let rule = |name: &str| Some(&self.declaration[name]).filter(|rule| !rule.is_null());
        if let Some(allowed) = rule("AllowedValues").and_then(Value::as_sequence) {
            let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
            if !allowed.iter().any(|allowed| allowed == value) {
                return Some(format!("it must be one of {}", allowed.join(", ")));
            }
        }
        if let Some(pattern) = rule("AllowedPattern").and_then(Value::as_str) {
            // CloudFormation checks a pattern that this regex engine does not support.
            let matches = Regex::new(&format!(r"\A(?:{pattern})\z")).map_or(Ok(true), |regex| regex.is_match(value));
            if !matches.unwrap_or(true) {
                return Some(format!("it must match the pattern {pattern}"));
            }
        }
        let number = |name: &str| rule(name).and_then(|limit| scalar(limit)?.parse::<f64>().ok());
        let length = value.chars().count() as f64;
        if let Some(minimum) = number("MinLength").filter(|minimum| length < *minimum) {
            return Some(format!("it must have at least {minimum} characters"));
        }
        if let Some(maximum) = number("MaxLength").filter(|maximum| length > *maximum) {
            return Some(format!("it must have at most {maximum} characters"));
        }
        if self.declaration["Type"] != "Number" {
            return None;
        }
        let Ok(value) = value.parse::<f64>() else { return Some("it must be a number".to_owned()) };
        if let Some(minimum) = number("MinValue").filter(|minimum| value < *minimum) {
            return Some(format!("it must be at least {minimum}"));
        }
        number("MaxValue").filter(|maximum| value > *maximum).map(|maximum| format!("it must be at most {maximum}"))
    }
}

/// Returns the values of all parameters in a stack with `overrides`.
pub(crate) fn values(template: &Template, overrides: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let defaults = Parameter::all(template).filter_map(|parameter| Some((parameter.name.to_owned(), parameter.default()?)));
    defaults.chain(overrides.clone()).collect()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  Stage: {Type: String, AllowedValues: [staging, production]}
  Origin: {Type: String, AllowedPattern: "|https://[a-z.]+", ConstraintDescription: must be an origin.}
  Path: {Type: String, AllowedPattern: "a|b"}
  Issuer: {Type: String, MinLength: 2, MaxLength: 4}
  Rate: {Type: Number, MinValue: 1, MaxValue: 3.5, Default: 2}
"#;

    #[track_caller]
    fn assert_reason(name: &str, value: &str, reason: &str) {
        let template = Template::parse(TEMPLATE).unwrap();
        let error = Parameter::find(&template, name).unwrap().check(value).unwrap_err();
        assert!(error.contains(reason), "{name}={value}: {error}");
    }

    #[test]
    fn names_the_constraint_that_a_value_violates() {
        assert_reason("Stage", "test", "one of staging, production");
        assert_reason("Origin", "https://a.example/path", "it must be an origin.");
        assert_reason("Path", "ab", "pattern a|b");
        assert_reason("Issuer", "a", "at least 2 characters");
        assert_reason("Issuer", "abcde", "at most 4 characters");
        assert_reason("Rate", "fast", "a number");
        assert_reason("Rate", "0", "at least 1");
        assert_reason("Rate", "4", "at most 3.5");
        assert_reason("Issuer", "a\"b", "double quotes");
    }

    #[test]
    fn accepts_values_that_meet_the_constraints() {
        let template = Template::parse(TEMPLATE).unwrap();
        for (name, value) in [("Stage", "staging"), ("Origin", ""), ("Path", "b"), ("Issuer", "abcd"), ("Rate", "3.5")] {
            assert_eq!(Parameter::find(&template, name).unwrap().check(value), Ok(()), "{name}={value}");
        }
    }

    /// A pattern that is not supported would reject nothing before the build.
    #[test]
    fn supports_every_pattern_of_the_template() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../template.yaml");
        let template = Template::read(&path).unwrap();
        for parameter in Parameter::all(&template) {
            if let Some(pattern) = parameter.declaration["AllowedPattern"].as_str() {
                assert!(Regex::new(pattern).is_ok(), "{}: {pattern}", parameter.name);
            }
            if let Some(default) = parameter.default() {
                assert_eq!(parameter.check(&default), Ok(()), "{}", parameter.name);
            }
        }
    }
}
