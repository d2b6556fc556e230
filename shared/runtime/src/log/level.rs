//! Log level names in the environment variables of Lambda and Powertools.

use serde::Deserialize;
use tracing::Level;

/// A log level parsed from an environment variable. Case is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LevelName(pub(crate) Level);

impl TryFrom<String> for LevelName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        let level = match name.to_ascii_uppercase().as_str() {
            "TRACE" => Level::TRACE,
            "DEBUG" => Level::DEBUG,
            "INFO" => Level::INFO,
            "WARN" | "WARNING" => Level::WARN,
            "ERROR" | "FATAL" | "CRITICAL" => Level::ERROR,
            _ => return Err("it must be one of DEBUG, INFO, WARN, ERROR"),
        };
        Ok(Self(level))
    }
}
