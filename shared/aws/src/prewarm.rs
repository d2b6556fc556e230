//! Opens connections during the init phase.
//!
//! Init runs with full CPU before the first request. With the CPU share of 128 MB of memory, a TLS handshake takes most
//! of a second.

use std::env;
use std::str::ParseBoolError;
use std::time::Duration;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;

/// Environment variable that disables prewarming, for functions whose requests mostly make no AWS calls.
pub(crate) const OPEN_CONNECTIONS: &str = "OPEN_CONNECTIONS_IN_INIT";

/// Maximum time that init waits. It is far longer than a handshake takes, but too short to be noticeable.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Makes `call` only to open its connection, and ignores the result. If the call fails or takes longer than half a
/// second, the first request opens the connection instead.
///
/// Does nothing if the environment variable `OPEN_CONNECTIONS_IN_INIT` is `false`.
///
/// ```no_run
/// # async fn init(sqs: aws_sdk_sqs::Client) {
/// ferrite_aws::prewarm(sqs.get_queue_attributes().queue_url("the function's own queue").send()).await;
/// # }
/// ```
pub async fn prewarm(call: impl Future) {
    // `sdk_config` reports an invalid value.
    if is_enabled(env::var(OPEN_CONNECTIONS).ok()).unwrap_or(true) {
        let _ = tokio::time::timeout(TIMEOUT, call).await;
    }
}

/// Returns the configuration override of a DynamoDB call for prewarming. It disables retries, so that an endpoint that
/// refuses the connection does not delay init.
#[must_use]
pub fn one_attempt() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// Parses the variable. The default is `true`.
pub(crate) fn is_enabled(variable: Option<String>) -> Result<bool, ParseBoolError> {
    variable.map_or(Ok(true), |value| value.parse())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;
    use crate::testing::{MockServer, config_at, ok};

    async fn prewarm_read(address: SocketAddr) {
        let client = crate::dynamodb_client(&config_at(address));
        prewarm(client.list_tables().customize().config_override(one_attempt()).send()).await;
    }

    #[test]
    fn is_enabled_by_default() {
        let enabled = |variable: Option<&str>| is_enabled(variable.map(ToOwned::to_owned));
        assert_eq!((enabled(None), enabled(Some("true")), enabled(Some("false"))), (Ok(true), Ok(true), Ok(false)));
        assert!(enabled(Some("0")).is_err());
    }

    #[tokio::test]
    async fn leaves_an_open_connection_for_the_first_request() {
        let server = MockServer::start(|_| ok("{}")).await;
        let client = crate::dynamodb_client(&config_at(server.address));
        for _ in 0..2 {
            prewarm(client.list_tables().customize().config_override(one_attempt()).send()).await;
        }
        assert_eq!(server.requests().iter().map(|request| request.connection).collect::<Vec<_>>(), [1, 1]);
    }

    #[tokio::test]
    async fn does_not_retry_a_failed_call() {
        let server = MockServer::start(|_| None).await;
        // A retry has a random delay and would be too late to be counted half of the time, so repeat the check.
        for calls in 1..=10 {
            prewarm_read(server.address).await;
            assert_eq!(server.requests().len(), calls);
        }

        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        prewarm_read(closed).await;
    }

    #[tokio::test(start_paused = true)]
    async fn delays_init_by_at_most_half_a_second() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let started = Instant::now();
        prewarm_read(silent.local_addr().unwrap()).await;
        // The paused clock advances only while the runtime is idle, so the elapsed time is exact.
        assert_eq!(started.elapsed().as_millis(), TIMEOUT.as_millis());
    }
}
