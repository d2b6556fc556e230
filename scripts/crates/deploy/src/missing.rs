//! Which settings an environment lacks, and which values they accept.

use ferrite_local_stack::samconfig::Settings;
use ferrite_local_stack::template::Template;

use crate::parameter::Parameter;
use crate::saved_settings::Setting;
use crate::stack_name::check_stack_name;

/// The parameter with the URL of the token issuer's keys.
const KEYS_URL: &str = "JwksUrl";

/// The parameter with the name of an SSM parameter that contains the keys.
const KEYS_PARAMETER: &str = "JwksParameter";

/// A setting that has no value and that cannot be derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// One setting.
    One(Setting),
    /// The keys of the token issuer, which one of two parameters sets.
    Keys,
}

/// Values that are known without asking, and that an empty answer accepts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    /// The region of the environment or of the profile.
    pub(crate) region: Option<String>,
    /// The name of a new stack.
    pub(crate) stack: String,
}

/// Returns what `settings` lack, in the order in which it is asked for.
pub(crate) fn missing(template: &Template, settings: &Settings) -> Vec<Missing> {
    let mut missing = Vec::new();
    if settings.stack.is_none() {
        // With a stack name, the region may come from the environment or the profile, for example in CI.
        missing.extend(settings.region.is_none().then_some(Missing::One(Setting::Region)));
        missing.push(Missing::One(Setting::StackName));
    }
    let required = Parameter::all(template).filter(|parameter| parameter.default().is_none());
    let required = required.map(|parameter| parameter.name).filter(|name| !settings.parameters.contains_key(*name));
    missing.extend(required.map(|name| Missing::One(Setting::Parameter(name.to_owned()))));
    let keys: Vec<_> = [KEYS_URL, KEYS_PARAMETER].into_iter().filter(|name| is_optional(template, name)).collect();
    let is_set = |name: &&str| settings.parameters.get(*name).is_some_and(|value| !value.is_empty());
    if !keys.is_empty() && !keys.iter().any(is_set) {
        missing.push(Missing::Keys);
    }
    missing
}

/// Checks the settings that an environment has.
///
/// # Errors
/// Returns the settings that are not valid, each with the reason.
pub(crate) fn check(template: &Template, settings: &Settings) -> Result<(), Vec<String>> {
    let mut invalid = Vec::new();
    let mut check = |setting: Setting, value: &str| {
        if let Err(reason) = check_setting(template, &setting, value) {
            invalid.push(format!("{} = {value:?}: {reason}", setting.name()));
        }
    };
    if let Some(region) = &settings.region {
        check(Setting::Region, region);
    }
    if let Some(stack) = &settings.stack {
        check(Setting::StackName, stack);
    }
    for (name, value) in &settings.parameters {
        check(Setting::Parameter(name.clone()), value);
    }
    let is_set = |name| settings.parameters.get(name).is_some_and(|value| !value.is_empty());
    if is_set(KEYS_URL) && is_set(KEYS_PARAMETER) {
        invalid.push(format!("set only one of {KEYS_URL} and {KEYS_PARAMETER}"));
    }
    if invalid.is_empty() { Ok(()) } else { Err(invalid) }
}

impl Missing {
    /// What the setting is for.
    pub(crate) fn description(&self, template: &Template) -> String {
        match self {
            Self::One(Setting::Region) => "AWS region of the stack, such as eu-west-1.".to_owned(),
            Self::One(Setting::StackName) => "Name of the stack. The names of its resources start with it.".to_owned(),
            Self::One(Setting::Parameter(name)) => {
                Parameter::find(template, name).map(|parameter| parameter.description().to_owned()).unwrap_or_default()
            }
            Self::Keys => {
                "Keys that verify the tokens of the issuer: the HTTPS URL of a JSON Web Key Set, or the name of an \
                           SSM parameter with the set, which starts with a slash."
                    .to_owned()
            }
        }
    }

    /// The title of the question.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::One(setting) => setting.name().to_owned(),
            Self::Keys => format!("{KEYS_URL} or {KEYS_PARAMETER}"),
        }
    }

    /// How samconfig.toml sets it.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::One(Setting::Parameter(name)) => format!("\"{name}=...\" in parameter_overrides"),
            Self::One(setting) => format!("{} = \"...\"", setting.name()),
            Self::Keys => {
                format!("\"{KEYS_URL}=https://...\" or \"{KEYS_PARAMETER}=/...\", not both, in parameter_overrides")
            }
        }
    }

    /// The value that an empty answer accepts.
    pub(crate) fn default(&self, settings: &Settings, defaults: &Defaults) -> Option<String> {
        match self {
            Self::One(Setting::Region) => defaults.region.clone(),
            Self::One(Setting::StackName) => Some(defaults.stack.clone()),
            Self::One(Setting::Parameter(_)) => None,
            // OpenID Connect issuers are URLs, and those in infra/README.md publish their keys at this path.
            Self::Keys => {
                let issuer = settings.parameters.get("JwtIssuer").filter(|issuer| issuer.starts_with("https://"));
                issuer.map(|issuer| format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')))
            }
        }
    }

    /// Checks an answer, and returns the setting that it is for.
    ///
    /// # Errors
    /// Returns the rule that the answer violates.
    pub(crate) fn accept(&self, template: &Template, answer: &str) -> Result<Setting, String> {
        let setting = match self {
            Self::One(setting) => setting.clone(),
            Self::Keys => {
                let name = if answer.starts_with('/') { KEYS_PARAMETER } else { KEYS_URL };
                if !is_optional(template, name) {
                    return Err(format!("template.yaml has no parameter {name}"));
                }
                Setting::Parameter(name.to_owned())
            }
        };
        if answer.is_empty() {
            return Err("it must not be empty".to_owned());
        }
        check_setting(template, &setting, answer)?;
        Ok(setting)
    }
}

fn is_optional(template: &Template, name: &str) -> bool {
    Parameter::find(template, name).is_some_and(|parameter| parameter.default().is_some())
}

fn check_setting(template: &Template, setting: &Setting, value: &str) -> Result<(), String> {
    match setting {
        Setting::Region => check_region(value),
        Setting::StackName => check_stack_name(value),
        Setting::Parameter(name) => {
            let Some(parameter) = Parameter::find(template, name) else {
                return Err("template.yaml has no parameter with this name".to_owned());
            };
            parameter.check(value)?;
            match name.as_str() {
                KEYS_URL if !value.is_empty() => check_url(value),
                "SenderAddress" => check_address(value),
                _ => Ok(()),
            }
        }
    }
}

/// Checks the form of a region, because new regions must not need a new release.
fn check_region(region: &str) -> Result<(), String> {
    let mut parts = region.split('-').rev();
    let ends_with_number = parts.next().is_some_and(|number| number.len() == 1 && number.starts_with(char::is_numeric));
    let words: Vec<_> = parts.collect();
    let is_word = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if ends_with_number && words.len() >= 2 && words.iter().all(is_word) {
        return Ok(());
    }
    Err("it must be the code of a region, such as eu-west-1".to_owned())
}

fn check_url(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err("it must be a URL that starts with https://".to_owned());
    }
    Ok(())
}

fn check_address(address: &str) -> Result<(), String> {
    let is_valid = address.rsplit_once('@').is_some_and(|(mailbox, domain)| !mailbox.is_empty() && domain.contains('.'));
    if is_valid && !address.contains(char::is_whitespace) {
        return Ok(());
    }
    Err("it must be an e-mail address, such as mail@example.com".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  LogLevel: {Type: String, Default: INFO}
  SenderAddress: {Type: String, MinLength: 3}
  JwtIssuer: {Type: String, MinLength: 1}
  JwksUrl: {Type: String, Default: ""}
  JwksParameter: {Type: String, Default: "", AllowedPattern: "|/[a-z/]+"}
"#;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    fn settings(stack: Option<&str>, parameters: &[(&str, &str)]) -> Settings {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings { stack: stack.map(str::to_owned), parameters: parameters.collect(), ..Settings::default() }
    }

    fn titles(template: &Template, settings: &Settings) -> Vec<String> {
        missing(template, settings).iter().map(Missing::title).collect()
    }

    #[test]
    fn asks_only_for_what_has_no_default() {
        let template = template(TEMPLATE);
        let all = ["region", "stack_name", "SenderAddress", "JwtIssuer", "JwksUrl or JwksParameter"];
        assert_eq!(titles(&template, &Settings::default()), all);
        let partial = settings(Some("app"), &[("JwtIssuer", "https://a.example"), ("JwksUrl", "")]);
        assert_eq!(titles(&template, &partial), ["SenderAddress", "JwksUrl or JwksParameter"]);
    }

    #[test]
    fn does_not_ask_for_parameters_that_the_template_lacks() {
        let template = template("Parameters: {LogLevel: {Type: String, Default: INFO}}");
        assert!(titles(&template, &settings(Some("app"), &[])).is_empty());
    }

    #[test]
    fn proposes_the_keys_at_the_issuer() {
        for issuer in ["https://a.example", "https://a.example/"] {
            let settings = settings(None, &[("JwtIssuer", issuer)]);
            let keys = Missing::Keys.default(&settings, &Defaults::default());
            assert_eq!(keys.as_deref(), Some("https://a.example/.well-known/jwks.json"));
        }
        let name = settings(None, &[("JwtIssuer", "accounts.example")]);
        assert_eq!(Missing::Keys.default(&name, &Defaults::default()), None);
    }

    #[test]
    fn accepts_a_url_or_the_name_of_a_parameter_as_keys() {
        let template = template(TEMPLATE);
        for (answer, parameter) in [("https://a.example/keys", "JwksUrl"), ("/app/jwks", "JwksParameter")] {
            assert_eq!(Missing::Keys.accept(&template, answer), Ok(Setting::Parameter(parameter.to_owned())));
        }
        for answer in ["", "http://a.example/keys", "https://", "a.example", "/APP"] {
            assert!(Missing::Keys.accept(&template, answer).is_err(), "{answer}");
        }
    }

    #[test]
    fn rejects_answers_of_the_wrong_form() {
        let template = template(TEMPLATE);
        let region = Missing::One(Setting::Region);
        for valid in ["us-east-1", "us-gov-west-1", "eusc-de-east-1"] {
            assert!(region.accept(&template, valid).is_ok(), "{valid}");
        }
        for invalid in ["", "eu-west", "EU-WEST-1", "eu-west-1a", "west-1", "eu west-1"] {
            assert!(region.accept(&template, invalid).is_err(), "{invalid}");
        }
        let sender = Missing::One(Setting::Parameter("SenderAddress".to_owned()));
        assert!(sender.accept(&template, "mail@app.example").is_ok());
        for invalid in ["a@", "mail", "mail@app", "a b@app.example"] {
            assert!(sender.accept(&template, invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn reports_all_settings_that_are_not_valid() {
        let parameters = [("JwksUrl", "http://a"), ("JwksParameter", "/a"), ("Typo", "x"), ("LogLevel", "INFO")];
        let mut settings = settings(Some("App"), &parameters);
        settings.region = Some("europe".to_owned());
        let invalid = check(&template(TEMPLATE), &settings).unwrap_err();
        let names: Vec<_> = invalid.iter().map(|line| line.split(" = ").next().unwrap()).collect();
        let both = "set only one of JwksUrl and JwksParameter";
        assert_eq!(names, ["region", "stack_name", "JwksUrl", "Typo", both]);
        settings.parameters = BTreeMap::new();
        (settings.region, settings.stack) = (None, None);
        assert_eq!(check(&template(TEMPLATE), &settings), Ok(()));
    }
}
