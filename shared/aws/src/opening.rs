//! A connection opened in init.
//!
//! Init runs at full CPU and before the first request; a TLS handshake at the CPU that 128 MB buy takes most of a second.

use std::env;
use std::str::ParseBoolError;
use std::time::Duration;

/// What turns it off, for a function most of whose requests call nobody: `false` leaves the handshake to the first that does.
pub(crate) const OPEN_CONNECTIONS: &str = "OPEN_CONNECTIONS_IN_INIT";

/// As long as init may wait for it: far more than a handshake takes, far less than anybody notices.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Makes `call` for the connection that it leaves behind, and lets go of whatever comes of it: AWS out of reach, or slow
/// for half a second, is for the first request to find out. Where the environment variable `OPEN_CONNECTIONS_IN_INIT` is
/// `false`, no call is made.
///
/// ```no_run
/// # async fn init(sqs: aws_sdk_sqs::Client) {
/// ferrite_aws::open(sqs.get_queue_attributes().queue_url("the function's own").send()).await;
/// # }
/// ```
pub async fn open(call: impl Future) {
    // Whether the variable can be read at all is `sdk_config`'s to say.
    if is_wanted(env::var(OPEN_CONNECTIONS).ok()).unwrap_or(true) {
        let _ = tokio::time::timeout(TIMEOUT, call).await;
    }
}

/// What the variable says.
pub(crate) fn is_wanted(variable: Option<String>) -> Result<bool, ParseBoolError> {
    variable.map_or(Ok(true), |wanted| wanted.parse())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;
    use crate::Table;
    use crate::testing::{Server, config_at, ok};

    fn table_at(address: SocketAddr) -> Table {
        Table::new(&config_at(address), "table".to_owned())
    }

    #[test]
    fn connections_are_opened_unless_the_environment_says_no() {
        let wanted = |variable: Option<&str>| is_wanted(variable.map(ToOwned::to_owned));
        assert_eq!((wanted(None), wanted(Some("true")), wanted(Some("false"))), (Ok(true), Ok(true), Ok(false)));
        assert!(wanted(Some("0")).is_err());
    }

    #[tokio::test]
    async fn the_first_request_finds_the_connection_open() {
        let server = Server::start(|_| ok("{}")).await;
        let table = table_at(server.address);
        table.open_for_reading().await;
        table.open_for_updating().await;
        assert_eq!(server.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [1, 1]);
    }

    #[tokio::test]
    async fn a_port_that_refuses_is_asked_once() {
        let server = Server::start(|_| None).await;
        let table = table_at(server.address);
        // A second attempt is made after a random while, half of the time too late to be seen here.
        for opened in 1..=10 {
            table.open_for_reading().await;
            assert_eq!(server.seen().len(), opened);
        }

        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        table_at(closed).open_for_reading().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_never_answers_holds_init_up_for_half_a_second() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let table = table_at(silent.local_addr().unwrap());
        let started = Instant::now();
        table.open_for_reading().await;
        // The runtime's own clock, which stands still while there is something to do.
        assert_eq!(started.elapsed().as_millis(), TIMEOUT.as_millis());
    }
}
