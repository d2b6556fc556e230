//! The two calls that read a value: `GetParameter` of Systems Manager and `GetSecretValue` of Secrets Manager. Their SDKs
//! would cost minutes of every release build.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ParameterError;
use super::json_call::{JsonCall, json_call};

/// Reads parameters and secrets as they are now, for what keeps them by rules of its own; [`Parameters`](crate::Parameters)
/// keeps them.
#[derive(Debug, Clone)]
pub struct ParameterSource {
    get_parameter: JsonCall<GetParameter, ParameterAnswer>,
    get_secret: JsonCall<GetSecretValue, SecretAnswer>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    name: String,
    with_decryption: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterAnswer {
    parameter: Parameter,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: SecretString,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretAnswer {
    /// A secret may hold bytes in its place.
    secret_string: Option<SecretString>,
}

impl ParameterSource {
    /// Calls AWS as `config` says, which is what [`sdk_config`](crate::sdk_config) made.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            get_parameter: json_call(config, "ssm", "AmazonSSM.GetParameter"),
            get_secret: json_call(config, "secretsmanager", "secretsmanager.GetSecretValue"),
        }
    }

    /// As [`Parameters::parameter`](crate::Parameters::parameter).
    ///
    /// # Errors
    /// As there.
    pub async fn parameter(&self, name: &str) -> Result<SecretString, ParameterError> {
        let call = self.get_parameter.invoke(GetParameter { name: name.to_owned(), with_decryption: true });
        Ok(call.await.map_err(|error| refusal(name, error))?.parameter.value)
    }

    /// As [`Parameters::secret`](crate::Parameters::secret).
    ///
    /// # Errors
    /// As there.
    pub async fn secret(&self, id: &str) -> Result<SecretString, ParameterError> {
        let call = self.get_secret.invoke(GetSecretValue { secret_id: id.to_owned() });
        let answer = call.await.map_err(|error| refusal(id, error))?;
        answer.secret_string.ok_or_else(|| ParameterError::NotText { name: id.to_owned() })
    }
}

fn refusal(name: &str, error: SdkError<ErrorMetadata, HttpResponse>) -> ParameterError {
    let name = name.to_owned();
    match error.as_service_error().and_then(ErrorMetadata::code) {
        Some("ParameterNotFound" | "ResourceNotFoundException") => ParameterError::NotFound { name },
        Some("AccessDeniedException") => ParameterError::AccessDenied { name },
        // Without the answer itself, which may hold the value.
        _ => ParameterError::Unavailable { name, cause: error.into_source().unwrap_or_else(Into::into) },
    }
}
