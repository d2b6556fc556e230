//! The environment variables of Lambda and of Powertools for AWS Lambda that configure logs, metrics and traces, and
//! the allowed CORS origins. They are read once, during init.

use std::sync::OnceLock;

use serde::Deserialize;
use tracing::Level;

use crate::config::{self, ConfigError};
use crate::log::LevelName;

/// Set by [`init`], or by the first call of [`settings`] before it.
static SETTINGS: OnceLock<Settings> = OnceLock::new();

#[derive(Debug)]
pub(crate) struct Settings {
    /// The log level. Events below it are buffered and written only if the invocation fails.
    pub(crate) level: Level,
    /// Whether Lambda filters log lines by level. It then expects Lambda's level names.
    pub(crate) lambda_filters: bool,
    /// Fraction of traces, from 0 to 1, for which every event is written.
    pub(crate) sample_rate: f64,
    pub(crate) service: String,
    pub(crate) namespace: String,
    pub(crate) function_name: String,
    pub(crate) function_memory_size: u32,
    /// The allowed CORS origins, separated by commas.
    pub(crate) allowed_origins: String,
}

/// The environment variables of Lambda ("Defined runtime environment variables") and Powertools ("Environment
/// variables").
#[derive(Deserialize)]
struct Variables {
    aws_lambda_function_name: Option<String>,
    aws_lambda_function_memory_size: Option<u32>,
    aws_lambda_log_format: Option<String>,
    aws_lambda_log_level: Option<LevelName>,
    powertools_log_level: Option<LevelName>,
    log_level: Option<LevelName>,
    powertools_logger_sample_rate: Option<f64>,
    powertools_service_name: Option<String>,
    powertools_metrics_namespace: Option<String>,
    allowed_origins: Option<String>,
}

impl Settings {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables: Variables = config::read_from(variable)?;
        let sample_rate = variables.powertools_logger_sample_rate.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&sample_rate) {
            return Err(ConfigError::invalid("POWERTOOLS_LOGGER_SAMPLE_RATE", "it must be a number from 0 to 1"));
        }
        let own_level = variables.powertools_log_level.or(variables.log_level);
        let levels = own_level.into_iter().chain(variables.aws_lambda_log_level).map(|LevelName(level)| level);
        let function_name = variables.aws_lambda_function_name.unwrap_or_default();
        let service = variables.powertools_service_name.unwrap_or_else(|| function_name.clone());
        Ok(Self {
            // Lambda would drop lines below its own level. `tracing` compares levels by verbosity, so `min` is the least
            // verbose.
            level: levels.min().unwrap_or(Level::INFO),
            lambda_filters: variables.aws_lambda_log_format.is_some_and(|format| format.eq_ignore_ascii_case("json")),
            sample_rate,
            namespace: variables.powertools_metrics_namespace.unwrap_or_else(|| service.clone()),
            service,
            function_name,
            function_memory_size: variables.aws_lambda_function_memory_size.unwrap_or_default(),
            allowed_origins: variables.allowed_origins.unwrap_or_default(),
        })
    }
}

/// Reads the settings from the environment variables.
///
/// # Errors
/// Returns an error if a variable has an invalid value.
pub(crate) fn init() -> Result<(), ConfigError> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    // This fails if the settings were used before. They were then read from the same environment.
    let _ = SETTINGS.set(settings);
    Ok(())
}

/// Returns the settings. Before [`init`], it reads them from the environment, or returns the defaults if they are
/// invalid.
pub(crate) fn settings() -> &'static Settings {
    SETTINGS.get_or_init(|| Settings::read(|name| std::env::var(name).ok()).unwrap_or_default())
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::INFO,
            lambda_filters: false,
            sample_rate: 0.0,
            service: String::new(),
            namespace: String::new(),
            function_name: String::new(),
            function_memory_size: 0,
            allowed_origins: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        Settings::read(value).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_the_level_and_respects_the_level_of_lambda() {
        let level = |variables: &[_]| read_with(variables).unwrap().level;
        assert_eq!(level(&[]), Level::INFO);
        assert_eq!(level(&[("LOG_LEVEL", "warn")]), Level::WARN);
        assert_eq!(level(&[("LOG_LEVEL", "ERROR"), ("POWERTOOLS_LOG_LEVEL", "DEBUG")]), Level::DEBUG);
        assert_eq!(level(&[("LOG_LEVEL", "DEBUG"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")]), Level::WARN);
        assert_eq!(level(&[("LOG_LEVEL", "INFO"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]), Level::INFO);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Level::ERROR);
    }

    #[test]
    fn names_the_invalid_variable() {
        for (name, value) in
            [("LOG_LEVEL", "LOUD"), ("POWERTOOLS_LOGGER_SAMPLE_RATE", "2"), ("POWERTOOLS_LOGGER_SAMPLE_RATE", "half")]
        {
            let error = read_with(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("the environment variable {name} is not valid")), "{error}");
        }
    }

    #[test]
    fn uses_the_function_name_as_the_default_service() {
        assert_eq!(read_with(&[("AWS_LAMBDA_FUNCTION_NAME", "f")]).unwrap().service, "f");
        let named = read_with(&[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("POWERTOOLS_SERVICE_NAME", "notes")]).unwrap();
        assert_eq!((named.service.as_str(), named.namespace.as_str()), ("notes", "notes"));
    }
}
