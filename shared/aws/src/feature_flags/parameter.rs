//! Feature flags in a parameter of Systems Manager.

use std::error::Error;

use aws_types::SdkConfig;
use secrecy::ExposeSecret;

use super::FeatureFlagSource;
use crate::ParameterSource;

/// A parameter whose value is the schema of feature flags. Standard parameters have at most 4 KB, advanced parameters 8 KB.
///
/// The role needs `ssm:GetParameter` on the parameter.
#[derive(Debug)]
pub struct FlagParameter {
    parameters: ParameterSource,
    name: String,
    description: String,
}

impl FlagParameter {
    /// Creates a source for the parameter with this name or ARN. `config` is the result of
    /// [`sdk_config`](crate::sdk_config).
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { parameters: ParameterSource::new(config), description: format!("parameter {name}"), name }
    }
}

impl FeatureFlagSource for FlagParameter {
    fn description(&self) -> &str {
        &self.description
    }

    async fn read(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        Ok(self.parameters.parameter(&self.name).await?.expose_secret().to_owned())
    }
}
