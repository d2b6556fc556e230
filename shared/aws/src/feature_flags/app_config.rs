//! Feature flags in AppConfig, read with the operations `StartConfigurationSession` and `GetLatestConfiguration`.
//!
//! AppConfig's extension for Lambda would cache the configuration too. It is not used, because it is a layer with a process
//! of its own, which starts with every execution environment.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedTimeSource;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::FeatureFlagSource;
use crate::signed_call::{Service, SignedCall, parse_json, signed_call, unexpected_response};

const SERVICE: Service = Service { host: "appconfigdata", signing_name: "appconfig" };

/// The smallest poll interval that AppConfig allows, in seconds. The maximum age of [`FeatureFlags`](super::FeatureFlags)
/// determines when the configuration is actually read.
const MIN_POLL_INTERVAL: u32 = 15;

/// Reason why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppConfigError {
    /// The application, the environment or the configuration profile does not exist.
    #[error("{name} not found")]
    NotFound {
        /// Description of the configuration.
        name: String,
    },
    /// The function's role is not allowed to read the configuration.
    #[error("the function's role is not allowed to read {name}")]
    AccessDenied {
        /// Description of the configuration.
        name: String,
    },
    /// No version of the configuration has been deployed to the environment.
    #[error("{name} has not been deployed")]
    NotDeployed {
        /// Description of the configuration.
        name: String,
    },
    /// The call to AWS failed.
    #[error("cannot read {name}")]
    Unavailable {
        /// Description of the configuration.
        name: String,
        /// Underlying error.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// A freeform configuration profile of AppConfig whose content is the schema of feature flags.
///
/// The role needs `appconfig:StartConfigurationSession` and `appconfig:GetLatestConfiguration` on the configuration:
/// `arn:aws:appconfig:REGION:ACCOUNT:application/ID/environment/ID/configuration/ID`. AppConfig can be polled every 15
/// seconds. If [`FeatureFlags`](super::FeatureFlags) has a lower maximum age, the previous content is used until then.
#[derive(Debug)]
pub struct AppConfig {
    start_session: SignedCall<StartSessionRequest, StartSessionResponse>,
    get_latest: SignedCall<Token, Latest>,
    configuration: StartSessionRequest,
    description: String,
    clock: SharedTimeSource,
    session: Mutex<Session>,
}

/// Token of the next call. Each token is valid for one call, within 24 hours.
type Token = String;

#[derive(Debug, Default)]
struct Session {
    /// `None` before the first call and after a failed one.
    token: Option<Token>,
    next_poll: Option<SystemTime>,
    content: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StartSessionRequest {
    application_identifier: String,
    environment_identifier: String,
    configuration_profile_identifier: String,
    required_minimum_poll_interval_in_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartSessionResponse {
    initial_configuration_token: Token,
}

#[derive(Debug)]
struct Latest {
    /// Empty if the content has not changed since the last call of the session.
    content: String,
    next_token: Token,
    poll_interval: Duration,
}

impl AppConfig {
    /// Creates a source for a configuration profile in an environment of an application. Each is a name or an identifier.
    /// `config` is the result of [`sdk_config`](crate::sdk_config).
    pub fn new(
        config: &SdkConfig,
        application: impl Into<String>,
        environment: impl Into<String>,
        profile: impl Into<String>,
    ) -> Self {
        let configuration = StartSessionRequest {
            application_identifier: application.into(),
            environment_identifier: environment.into(),
            configuration_profile_identifier: profile.into(),
            required_minimum_poll_interval_in_seconds: MIN_POLL_INTERVAL,
        };
        let description = format!(
            "configuration {} of application {} in environment {}",
            configuration.configuration_profile_identifier,
            configuration.application_identifier,
            configuration.environment_identifier
        );
        let start_request = |configuration: StartSessionRequest| {
            let body = SdkBody::from(serde_json::to_vec(&configuration)?);
            Ok(http::Request::post("/configurationsessions").header("content-type", "application/json").body(body)?)
        };
        let latest_request = |token: Token| {
            let token = utf8_percent_encode(&token, NON_ALPHANUMERIC);
            Ok(http::Request::get(format!("/configuration?configuration_token={token}")).body(SdkBody::empty())?)
        };
        Self {
            start_session: signed_call(config, SERVICE, "StartConfigurationSession", start_request, parse_json),
            get_latest: signed_call(config, SERVICE, "GetLatestConfiguration", latest_request, parse_latest),
            configuration,
            description,
            clock: config.time_source().unwrap_or_default(),
            session: Mutex::default(),
        }
    }

    async fn start_session(&self) -> Result<Token, AppConfigError> {
        let response = self.start_session.invoke(self.configuration.clone()).await;
        Ok(response.map_err(|error| self.error(error))?.initial_configuration_token)
    }

    /// Reads the configuration. A session whose token has expired, for example because the execution environment was frozen
    /// for a day, is replaced.
    async fn latest(&self, token: Option<Token>) -> Result<Latest, AppConfigError> {
        if let Some(token) = token {
            match self.get_latest.invoke(token).await {
                Err(error) if code(&error) == Some("BadRequestException") => {}
                response => return response.map_err(|error| self.error(error)),
            }
        }
        let token = self.start_session().await?;
        self.get_latest.invoke(token).await.map_err(|error| self.error(error))
    }

    fn error(&self, error: SdkError<ErrorMetadata, HttpResponse>) -> AppConfigError {
        let name = self.description.clone();
        match code(&error) {
            Some("ResourceNotFoundException") => AppConfigError::NotFound { name },
            Some("AccessDeniedException") => AppConfigError::AccessDenied { name },
            _ => AppConfigError::Unavailable { name, cause: error.into_source().unwrap_or_else(Into::into) },
        }
    }
}

impl FeatureFlagSource for AppConfig {
    fn description(&self) -> &str {
        &self.description
    }

    async fn read(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let mut session = self.session.lock().await;
        let now = self.clock.now();
        if let Some(content) = &session.content
            && session.next_poll.is_some_and(|next_poll| now < next_poll)
        {
            return Ok(content.clone());
        }
        // After a failed call, it is unknown whether the token is still valid.
        let token = session.token.take();
        let Latest { content, next_token, poll_interval } = self.latest(token).await?;
        session.token = Some(next_token);
        session.next_poll = Some(now + poll_interval);
        if !content.is_empty() {
            session.content = Some(content);
        }
        let content = session.content.clone();
        Ok(content.ok_or_else(|| AppConfigError::NotDeployed { name: self.description.clone() })?)
    }
}

fn code(error: &SdkError<ErrorMetadata, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ErrorMetadata::code)
}

fn parse_latest(response: &HttpResponse) -> Result<Latest, ErrorMetadata> {
    let content = response.body().bytes().unwrap_or_default().to_vec();
    let content = String::from_utf8(content).map_err(|_| unexpected_response())?;
    let header = |name| response.headers().get(name).ok_or_else(unexpected_response);
    let next_token = header("next-poll-configuration-token")?.to_owned();
    let seconds = header("next-poll-interval-in-seconds")?.parse().map_err(|_| unexpected_response())?;
    Ok(Latest { content, next_token, poll_interval: Duration::from_secs(seconds) })
}
