//! Reads the JWK Set from an SSM parameter, for issuers without a JWKS URL, as in local development or for self-issued
//! tokens.

use ferrite_aws::ParameterSource;
use secrecy::ExposeSecret;

use crate::key_cache::{FetchError, FetchJwks};

/// Reads the JWK Set from a plain `String` parameter. Public keys are not secret, and a `SecureString` would need a KMS
/// permission. The function's role needs only `ssm:GetParameter` on the parameter.
///
/// This type does not cache the JWK Set, because the key cache does.
pub(crate) struct JwksParameter {
    source: ParameterSource,
    name: String,
}

impl JwksParameter {
    /// `name` is the parameter's name or its ARN.
    pub(crate) fn new(source: ParameterSource, name: String) -> Self {
        Self { source, name }
    }
}

impl FetchJwks for JwksParameter {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        let document = self.source.parameter(&self.name).await.map_err(FetchError::unreachable)?;
        Ok(document.expose_secret().as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;
    use aws_types::SdkConfig;
    use aws_types::region::Region;

    use super::*;

    /// A parameter that can be fetched once. SSM returns the given response.
    fn parameter_with_response(status: u16, body: &'static str) -> JwksParameter {
        let request = http::Request::new(SdkBody::empty());
        let response = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
        let config = SdkConfig::builder()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("key", "secret", None, None, "test")))
            .http_client(StaticReplayClient::new(vec![ReplayEvent::new(request, response)]))
            .build();
        JwksParameter::new(ParameterSource::new(&config), "/ferrite/jwks".to_owned())
    }

    #[tokio::test]
    async fn returns_the_value_of_the_parameter() {
        let parameter = parameter_with_response(200, r#"{"Parameter":{"Value":"{\"keys\":[]}"}}"#);
        assert_eq!(parameter.fetch().await.unwrap(), br#"{"keys":[]}"#);
    }

    #[tokio::test]
    async fn fails_when_the_parameter_cannot_be_read() {
        let error = parameter_with_response(400, r#"{"__type":"ParameterNotFound"}"#).fetch().await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    }
}
