//! The calls `GetParameter` of Systems Manager and `GetSecretValue` of Secrets Manager.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ParameterError;
use super::json_call::json_call;
use crate::signed_call::SignedCall;

/// Reads parameters and secrets without a cache, for callers that implement their own.
/// [`Parameters`](crate::Parameters) reads them with a cache.
#[derive(Debug, Clone)]
pub struct ParameterSource {
    get_parameter: SignedCall<GetParameterRequest, GetParameterResponse>,
    get_secret: SignedCall<GetSecretValueRequest, GetSecretValueResponse>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameterRequest {
    name: String,
    with_decryption: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameterResponse {
    parameter: Parameter,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: SecretString,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValueRequest {
    secret_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValueResponse {
    /// `None` if the secret is binary.
    secret_string: Option<SecretString>,
}

impl ParameterSource {
    /// Creates a source. `config` is the result of [`sdk_config`](crate::sdk_config).
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            get_parameter: json_call(config, "ssm", "AmazonSSM.GetParameter"),
            get_secret: json_call(config, "secretsmanager", "secretsmanager.GetSecretValue"),
        }
    }

    /// Reads a parameter; see [`Parameters::parameter`](crate::Parameters::parameter).
    ///
    /// # Errors
    /// Returns a [`ParameterError`] if the value could not be read.
    pub async fn parameter(&self, name: &str) -> Result<SecretString, ParameterError> {
        let call = self.get_parameter.invoke(GetParameterRequest { name: name.to_owned(), with_decryption: true });
        Ok(call.await.map_err(|error| parameter_error(name, error))?.parameter.value)
    }

    /// Reads a secret; see [`Parameters::secret`](crate::Parameters::secret).
    ///
    /// # Errors
    /// Returns a [`ParameterError`] if the value could not be read or is binary.
    pub async fn secret(&self, id: &str) -> Result<SecretString, ParameterError> {
        let call = self.get_secret.invoke(GetSecretValueRequest { secret_id: id.to_owned() });
        let response = call.await.map_err(|error| parameter_error(id, error))?;
        response.secret_string.ok_or_else(|| ParameterError::NotText { name: id.to_owned() })
    }
}

fn parameter_error(name: &str, error: SdkError<ErrorMetadata, HttpResponse>) -> ParameterError {
    let name = name.to_owned();
    match error.as_service_error().and_then(ErrorMetadata::code) {
        Some("ParameterNotFound" | "ResourceNotFoundException") => ParameterError::NotFound { name },
        Some("AccessDeniedException") => ParameterError::AccessDenied { name },
        // Exclude the HTTP response, which may contain the value.
        _ => ParameterError::Unavailable { name, cause: error.into_source().unwrap_or_else(Into::into) },
    }
}
