//! How the function logs, counts and traces: the variables of Lambda and of Powertools for AWS Lambda, read in init. And which
//! origins' pages may read its answers.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::config::{self, ConfigError};
use crate::log::Level;

/// Set by [`init`], or by the first line that is written before it.
static SETTINGS: OnceLock<Settings> = OnceLock::new();

#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Lines below it are kept back until the invocation fails.
    pub(crate) level: Level,
    /// Lambda drops lines by their level, whose names are its own then.
    pub(crate) lambda_filters: bool,
    /// The share of traces, from 0 to 1, whose lines are all written.
    pub(crate) sample_rate: f64,
    pub(crate) service: String,
    pub(crate) namespace: String,
    pub(crate) function_name: String,
    pub(crate) function_memory_size: u32,
    /// The origins whose pages may read answers, with commas between them.
    pub(crate) allowed_origins: String,
}

/// What stands in the environment ("Defined runtime environment variables"; Powertools' "Environment variables").
#[derive(Deserialize)]
struct Variables {
    aws_lambda_function_name: Option<String>,
    aws_lambda_function_memory_size: Option<u32>,
    aws_lambda_log_format: Option<String>,
    aws_lambda_log_level: Option<Level>,
    powertools_log_level: Option<Level>,
    log_level: Option<Level>,
    powertools_logger_sample_rate: Option<f64>,
    powertools_service_name: Option<String>,
    powertools_metrics_namespace: Option<String>,
    allowed_origins: Option<String>,
}

impl Settings {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let set: Variables = config::read_from(variable)?;
        let sample_rate = set.powertools_logger_sample_rate.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&sample_rate) {
            return Err(ConfigError::malformed("POWERTOOLS_LOGGER_SAMPLE_RATE", "it must be a number from 0 to 1"));
        }
        let own_level = set.powertools_log_level.or(set.log_level);
        let function_name = set.aws_lambda_function_name.unwrap_or_default();
        let service = set.powertools_service_name.unwrap_or_else(|| function_name.clone());
        Ok(Self {
            // What Lambda would drop need not be written.
            level: own_level.max(set.aws_lambda_log_level).unwrap_or_default(),
            lambda_filters: set.aws_lambda_log_format.is_some_and(|format| format.eq_ignore_ascii_case("json")),
            sample_rate,
            namespace: set.powertools_metrics_namespace.unwrap_or_else(|| service.clone()),
            service,
            function_name,
            function_memory_size: set.aws_lambda_function_memory_size.unwrap_or_default(),
            allowed_origins: set.allowed_origins.unwrap_or_default(),
        })
    }
}

/// Reads the settings, in init.
///
/// # Errors
/// A variable is malformed.
pub(crate) fn init() -> Result<(), ConfigError> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    // A line that was written before this read the same environment.
    let _ = SETTINGS.set(settings);
    Ok(())
}

/// The settings; before [`init`], and where it would fail, those that can be read.
pub(crate) fn settings() -> &'static Settings {
    SETTINGS.get_or_init(|| Settings::read(|name| std::env::var(name).ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        Settings::read(value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_level_is_powertools_or_ours_and_never_below_what_lambda_lets_through() {
        let level = |set: &[_]| read_with(set).unwrap().level;
        assert_eq!(level(&[]), Level::Info);
        assert_eq!(level(&[("LOG_LEVEL", "warn")]), Level::Warning);
        assert_eq!(level(&[("LOG_LEVEL", "ERROR"), ("POWERTOOLS_LOG_LEVEL", "DEBUG")]), Level::Debug);
        assert_eq!(level(&[("LOG_LEVEL", "DEBUG"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")]), Level::Warning);
        assert_eq!(level(&[("LOG_LEVEL", "INFO"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]), Level::Info);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Level::Error);
    }

    #[test]
    fn a_malformed_variable_is_named() {
        for (name, value) in
            [("LOG_LEVEL", "LOUD"), ("POWERTOOLS_LOGGER_SAMPLE_RATE", "2"), ("POWERTOOLS_LOGGER_SAMPLE_RATE", "half")]
        {
            let error = read_with(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("the environment variable {name} cannot be used")), "{error}");
        }
    }

    #[test]
    fn the_service_is_the_function_unless_it_is_named() {
        assert_eq!(read_with(&[("AWS_LAMBDA_FUNCTION_NAME", "f")]).unwrap().service, "f");
        let named = read_with(&[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("POWERTOOLS_SERVICE_NAME", "shop")]).unwrap();
        assert_eq!((named.service.as_str(), named.namespace.as_str()), ("shop", "shop"));
    }
}
