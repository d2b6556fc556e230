//! The JWK Set in an SSM parameter, for issuers that publish no URL: local development, and tokens of one's own.

use ferrite_aws::ParameterSource;
use secrecy::ExposeSecret;

use crate::key_cache::{FetchError, FetchJwks};

/// Reads the JWK Set from a plain `String` parameter: public keys are no secret, and a `SecureString` would need a KMS
/// permission. Its role needs `ssm:GetParameter` on that parameter, and nothing else.
///
/// It keeps nothing, for the key cache does.
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

    fn answering(status: u16, body: &'static str) -> JwksParameter {
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
    async fn the_value_of_the_parameter_is_the_document() {
        let parameter = answering(200, r#"{"Parameter":{"Value":"{\"keys\":[]}"}}"#);
        assert_eq!(parameter.fetch().await.unwrap(), br#"{"keys":[]}"#);
    }

    #[tokio::test]
    async fn a_parameter_that_cannot_be_read_is_an_error() {
        let error = answering(400, r#"{"__type":"ParameterNotFound"}"#).fetch().await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    }
}
