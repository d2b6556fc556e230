//! The endpoint and the credentials for calls to AWS or to an emulator.

use std::time::Duration;

/// Error returned when the environment variables for AWS or an emulator are invalid or missing.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// `AWS_ENDPOINT_URL` is not a supported URL.
    #[error("invalid AWS_ENDPOINT_URL {0:?}: must have the form http://host:port")]
    InvalidUrl(String),
    /// The credentials or the region for AWS are missing in the environment.
    #[error(
        "{0} is not set; to use the credentials of your AWS CLI profile, run \
         eval \"$(aws configure export-credentials --format env)\", and set AWS_REGION to the region of the stack"
    )]
    MissingVariable(&'static str),
}

/// The endpoint URL of an emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Returns the endpoint of an emulator on this machine.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self(format!("http://127.0.0.1:{port}"))
    }

    /// Returns the endpoint in the environment variable `AWS_ENDPOINT_URL`, or `None` if it is not set.
    ///
    /// # Errors
    /// Returns an error if the variable is not a URL of the form `http://host:port`.
    pub fn from_environment() -> Result<Option<Self>, EndpointError> {
        match std::env::var("AWS_ENDPOINT_URL") {
            Ok(url) if !url.is_empty() => Self::parse(&url).map(Some),
            _ => Ok(None),
        }
    }

    fn parse(url: &str) -> Result<Self, EndpointError> {
        let url = url.trim_end_matches('/');
        match url.strip_prefix("http://") {
            Some(authority) if !authority.is_empty() && !authority.contains('/') => Ok(Self(url.to_owned())),
            _ => Err(EndpointError::InvalidUrl(url.to_owned())),
        }
    }

    /// The URL without a trailing slash, as `AWS_ENDPOINT_URL` requires it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0
    }

    /// Returns the URL at which this emulator serves the API whose URL on AWS is
    /// `https://<id>.execute-api.<region>.<DNS suffix>/<stage>`. Returns `None` if `aws_url` does not have this form.
    #[must_use]
    pub fn api_url(&self, aws_url: &str) -> Option<String> {
        let (host, stage) = aws_url.strip_prefix("https://")?.split_once('/')?;
        let (id, domain) = host.split_once('.')?;
        domain.starts_with("execute-api.").then(|| format!("{}/_aws/execute-api/{id}/{stage}", self.0))
    }
}

/// AWS credentials and a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
    /// AWS region, such as `us-east-1`.
    pub region: String,
}

impl Credentials {
    /// Returns the administrator credentials of an emulator.
    #[must_use]
    pub fn emulator() -> Self {
        let test = || "test".to_owned();
        Self { access_key: test(), secret_key: test(), session_token: None, region: "us-east-1".to_owned() }
    }

    /// Returns the credentials in the environment, for the emulator at `AWS_ENDPOINT_URL`. Variables that are not set
    /// have the values of [`Credentials::emulator`].
    #[must_use]
    pub fn from_environment() -> Self {
        let defaults = Self::emulator();
        Self {
            access_key: variable("AWS_ACCESS_KEY_ID").unwrap_or(defaults.access_key),
            secret_key: variable("AWS_SECRET_ACCESS_KEY").unwrap_or(defaults.secret_key),
            session_token: None,
            region: region().unwrap_or(defaults.region),
        }
    }

    /// Returns the credentials in the environment, for AWS.
    ///
    /// # Errors
    /// Returns an error if the access key or the region is not set.
    pub fn for_aws() -> Result<Self, EndpointError> {
        Ok(Self {
            access_key: variable("AWS_ACCESS_KEY_ID").ok_or(EndpointError::MissingVariable("AWS_ACCESS_KEY_ID"))?,
            secret_key: variable("AWS_SECRET_ACCESS_KEY").ok_or(EndpointError::MissingVariable("AWS_SECRET_ACCESS_KEY"))?,
            session_token: variable("AWS_SESSION_TOKEN"),
            region: region().ok_or(EndpointError::MissingVariable("AWS_REGION"))?,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the region in the environment (`AWS_REGION` or `AWS_DEFAULT_REGION`), or `None` if it is not set.
#[must_use]
pub fn region() -> Option<String> {
    variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))
}

/// The endpoint of an emulator and the credentials for calling it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Endpoint of the emulator.
    pub endpoint: Endpoint,
    /// Credentials for the calls.
    pub credentials: Credentials,
}

impl Target {
    /// Returns an emulator on this machine, with its administrator credentials.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { endpoint: Endpoint::local(port), credentials: Credentials::emulator() }
    }

    /// Returns the emulator at `AWS_ENDPOINT_URL` with the credentials in the environment, or `None` if the variable is
    /// not set.
    ///
    /// # Errors
    /// Returns an error if `AWS_ENDPOINT_URL` is not a URL of the form `http://host:port`.
    pub fn from_environment() -> Result<Option<Self>, EndpointError> {
        Ok(Endpoint::from_environment()?.map(|endpoint| Self { endpoint, credentials: Credentials::from_environment() }))
    }
}

/// Returns an HTTP client for emulators: it uses no proxy, has a timeout of 60 seconds, and returns responses with an
/// error status as responses.
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
    fn converts_the_api_url_to_the_emulators() {
        let endpoint = Endpoint::local(4566);
        assert_eq!(
            endpoint.api_url("https://abc.execute-api.eu-west-1.amazonaws.com/v1").unwrap(),
            "http://127.0.0.1:4566/_aws/execute-api/abc/v1"
        );
        assert_eq!(
            endpoint.api_url("https://abc.execute-api.cn-north-1.amazonaws.com.cn/v1").unwrap(),
            "http://127.0.0.1:4566/_aws/execute-api/abc/v1"
        );
        assert_eq!(endpoint.api_url("https://api.example.com/v1"), None);
    }

    #[test]
    fn accepts_only_http_urls_without_a_path() {
        assert_eq!(Endpoint::parse("http://127.0.0.1:1/").unwrap().url(), "http://127.0.0.1:1");
        for invalid in ["", "127.0.0.1:4566", "http://", "http://host/path", "ftp://host"] {
            assert!(Endpoint::parse(invalid).is_err(), "{invalid}");
        }
    }
}
