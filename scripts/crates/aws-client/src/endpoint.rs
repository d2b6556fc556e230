//! The address and the credentials that AWS, or an emulator in its place, is called with.

use std::time::Duration;

/// Why AWS, or an emulator, cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// AWS_ENDPOINT_URL is not an address that the scripts can call.
    #[error("AWS_ENDPOINT_URL={0} is not of the form http://host:port")]
    NotAnEndpoint(String),
    /// AWS itself is to be called, and the environment lacks the credentials or the region.
    #[error(
        "{0} is not set: eval \"$(aws configure export-credentials --format env)\" sets the credentials of your profile, \
         and AWS_REGION says where the stack is"
    )]
    NoCredentials(&'static str),
}

/// An emulator's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// An emulator that the scripts started on this machine.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self(format!("http://127.0.0.1:{port}"))
    }

    /// The caller's `AWS_ENDPOINT_URL`; `None` when it is not set, which means AWS itself or an emulator of our own.
    ///
    /// # Errors
    /// When it is set to something that is no `http://` address.
    pub fn from_environment() -> Result<Option<Self>, EndpointError> {
        match std::env::var("AWS_ENDPOINT_URL") {
            Ok(url) if !url.is_empty() => Self::parse(&url).map(Some),
            _ => Ok(None),
        }
    }

    fn parse(url: &str) -> Result<Self, EndpointError> {
        let url = url.trim_end_matches('/');
        match url.strip_prefix("http://") {
            Some(rest) if !rest.is_empty() && !rest.contains('/') => Ok(Self(url.to_owned())),
            _ => Err(EndpointError::NotAnEndpoint(url.to_owned())),
        }
    }

    /// As `AWS_ENDPOINT_URL` wants it: no slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0
    }

    /// The stack's `ApiUrl` output, `https://<id>.execute-api.<region>.amazonaws.com/<stage>`, as this emulator serves
    /// it. `None` when it has another form.
    #[must_use]
    pub fn api_url(&self, on_aws: &str) -> Option<String> {
        let (host, stage) = on_aws.strip_prefix("https://")?.split_once('/')?;
        let (id, rest) = host.split_once('.')?;
        rest.starts_with("execute-api.").then(|| format!("{}/_aws/execute-api/{id}/{stage}", self.0))
    }
}

/// Credentials, and the region that they are used in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// The session token, which temporary keys of AWS come with.
    pub session_token: Option<String>,
    /// The region.
    pub region: String,
}

impl Credentials {
    /// The administrator of an emulator, and the default.
    #[must_use]
    pub fn emulator() -> Self {
        let test = || "test".to_owned();
        Self { access_key: test(), secret_key: test(), session_token: None, region: "us-east-1".to_owned() }
    }

    /// The caller's, for an endpoint of the caller's. What is not set is as in [`Credentials::emulator`].
    #[must_use]
    pub fn from_environment() -> Self {
        let standard = Self::emulator();
        Self {
            access_key: variable("AWS_ACCESS_KEY_ID").unwrap_or(standard.access_key),
            secret_key: variable("AWS_SECRET_ACCESS_KEY").unwrap_or(standard.secret_key),
            session_token: None,
            region: region().unwrap_or(standard.region),
        }
    }

    /// The caller's, for AWS itself.
    ///
    /// # Errors
    /// When the environment lacks one.
    pub fn for_aws() -> Result<Self, EndpointError> {
        Ok(Self {
            access_key: variable("AWS_ACCESS_KEY_ID").ok_or(EndpointError::NoCredentials("AWS_ACCESS_KEY_ID"))?,
            secret_key: variable("AWS_SECRET_ACCESS_KEY").ok_or(EndpointError::NoCredentials("AWS_SECRET_ACCESS_KEY"))?,
            session_token: variable("AWS_SESSION_TOKEN"),
            region: region().ok_or(EndpointError::NoCredentials("AWS_REGION"))?,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn region() -> Option<String> {
    variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))
}

/// An emulator, and the credentials to call it with.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address.
    pub endpoint: Endpoint,
    /// The credentials to call it with.
    pub credentials: Credentials,
}

impl Target {
    /// An emulator that the scripts started on this machine.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { endpoint: Endpoint::local(port), credentials: Credentials::emulator() }
    }

    /// The caller's `AWS_ENDPOINT_URL`, when set.
    ///
    /// # Errors
    /// When it is not a plain HTTP address.
    pub fn from_environment() -> Result<Option<Self>, EndpointError> {
        Ok(Endpoint::from_environment()?.map(|endpoint| Self { endpoint, credentials: Credentials::from_environment() }))
    }
}

/// An HTTP client for emulators: no proxy, bounded in time, and every status is an answer.
#[must_use]
pub fn http_client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .build()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_address_becomes_the_emulators() {
        let endpoint = Endpoint::local(4566);
        assert_eq!(
            endpoint.api_url("https://abc.execute-api.eu-west-1.amazonaws.com/v1").unwrap(),
            "http://127.0.0.1:4566/_aws/execute-api/abc/v1"
        );
        assert_eq!(endpoint.api_url("https://api.example.com/v1"), None);
    }

    #[test]
    fn only_a_plain_http_address_is_an_endpoint() {
        assert_eq!(Endpoint::parse("http://127.0.0.1:1/").unwrap().url(), "http://127.0.0.1:1");
        for wrong in ["", "127.0.0.1:4566", "http://", "http://host/path", "ftp://host"] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
