//! Opening a connection in init.
//!
//! Init runs at full CPU and before the first request. A TLS handshake with the CPU share of 128 MB takes most of a second.

use std::env;
use std::str::ParseBoolError;
use std::time::Duration;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;

/// The variable that turns prewarming off, for a function most of whose requests make no AWS call.
pub(crate) const OPEN_CONNECTIONS: &str = "OPEN_CONNECTIONS_IN_INIT";

/// The longest that init waits: far longer than a handshake takes, and too short for anyone to notice.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Makes `call` only to open its connection, and ignores the result: if AWS cannot be reached, or takes longer than half a
/// second, the first request finds out. Makes no call when the environment variable `OPEN_CONNECTIONS_IN_INIT` is `false`.
///
/// ```no_run
/// # async fn init(sqs: aws_sdk_sqs::Client) {
/// ferrite_aws::prewarm(sqs.get_queue_attributes().queue_url("the function's own queue").send()).await;
/// # }
/// ```
pub async fn prewarm(call: impl Future) {
    // `sdk_config` reports a malformed variable.
    if is_wanted(env::var(OPEN_CONNECTIONS).ok()).unwrap_or(true) {
        let _ = tokio::time::timeout(TIMEOUT, call).await;
    }
}

/// The configuration of a DynamoDB call that prewarms: it is not retried, so an endpoint that refuses the connection does
/// not delay init.
#[must_use]
pub fn one_attempt() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// The value of the variable; the default is `true`.
pub(crate) fn is_wanted(variable: Option<String>) -> Result<bool, ParseBoolError> {
    variable.map_or(Ok(true), |wanted| wanted.parse())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;
    use crate::testing::{Server, config_at, ok};

    async fn prewarm_read(address: SocketAddr) {
        let client = crate::dynamodb_client(&config_at(address));
        prewarm(client.list_tables().customize().config_override(one_attempt()).send()).await;
    }

    #[test]
    fn is_on_unless_the_environment_turns_it_off() {
        let wanted = |variable: Option<&str>| is_wanted(variable.map(ToOwned::to_owned));
        assert_eq!((wanted(None), wanted(Some("true")), wanted(Some("false"))), (Ok(true), Ok(true), Ok(false)));
        assert!(wanted(Some("0")).is_err());
    }

    #[tokio::test]
    async fn leaves_an_open_connection_for_the_first_request() {
        let server = Server::start(|_| ok("{}")).await;
        let client = crate::dynamodb_client(&config_at(server.address));
        for _ in 0..2 {
            prewarm(client.list_tables().customize().config_override(one_attempt()).send()).await;
        }
        assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [1, 1]);
    }

    #[tokio::test]
    async fn tries_a_refusing_endpoint_once() {
        let server = Server::start(|_| None).await;
        // A retry comes after a random delay, half of the time too late to be seen here.
        for opened in 1..=10 {
            prewarm_read(server.address).await;
            assert_eq!(server.seen().len(), opened);
        }

        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        prewarm_read(closed).await;
    }

    #[tokio::test(start_paused = true)]
    async fn delays_init_by_at_most_half_a_second() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let started = Instant::now();
        prewarm_read(silent.local_addr().unwrap()).await;
        // The runtime's own clock, which stands still while there is something to do.
        assert_eq!(started.elapsed().as_millis(), TIMEOUT.as_millis());
    }
}
