//! The JWK Set in an SSM parameter, for issuers that publish no URL: local development, and tokens of one's own.

use aws_sdk_ssm::Client;

use crate::key_cache::{FetchError, FetchJwks};

/// Reads the JWK Set from a plain `String` parameter: public keys are no secret, and a `SecureString` would need a KMS
/// permission. Its role needs `ssm:GetParameter` on that parameter, and nothing else.
pub(crate) struct JwksParameter {
    client: Client,
    name: String,
}

impl JwksParameter {
    /// `name` is the parameter's name or its ARN.
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }
}

impl FetchJwks for JwksParameter {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        let answer = self.client.get_parameter().name(&self.name).send().await.map_err(FetchError::unreachable)?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.map(String::into_bytes).ok_or(FetchError::NoValue)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ssm::config::{BehaviorVersion, Config, Credentials, Region};
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answering(status: u16, body: &'static str) -> (JwksParameter, StaticReplayClient) {
        let request = http::Request::new(SdkBody::empty());
        let response = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
        let http = StaticReplayClient::new(vec![ReplayEvent::new(request, response)]);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(http.clone())
            .build();
        (JwksParameter::new(Client::from_conf(config), "/ferrite/jwks".to_owned()), http)
    }

    #[tokio::test]
    async fn the_value_of_the_parameter_is_the_document() {
        let (parameter, http) = answering(200, r#"{"Parameter":{"Value":"{\"keys\":[]}"}}"#);
        assert_eq!(parameter.fetch().await.unwrap(), br#"{"keys":[]}"#);

        let request = http.actual_requests().next().unwrap();
        assert_eq!(request.body().bytes().unwrap(), br#"{"Name":"/ferrite/jwks"}"#);
    }

    #[tokio::test]
    async fn a_parameter_that_cannot_be_read_is_an_error() {
        let (parameter, _) = answering(400, r#"{"__type":"ParameterNotFound"}"#);
        assert!(matches!(parameter.fetch().await, Err(FetchError::Unreachable(_))));
    }
}
