use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::SystemTime;

use aws_types::sdk_config::{RetryConfig, TimeSource};
use http::Response;
use secrecy::ExposeSecret;

use super::*;
use crate::cached::RETRY_INTERVAL;
use crate::testing::{Seen, Server, config_at};

const LIFETIME: Duration = Duration::from_secs(300);

/// A clock that a test sets forward.
#[derive(Debug, Clone, Default)]
struct TestClock(Arc<AtomicU64>);

impl TestClock {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

impl TimeSource for TestClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_384_800 + self.0.load(Ordering::Relaxed))
    }
}

/// A service whose answers change; its values are counted up.
struct Service {
    server: Server,
    clock: TestClock,
    status: Arc<AtomicU16>,
    parameters: Parameters,
}

const OK: u16 = 200;
const OUT_OF_REACH: u16 = 0;

async fn service(refusal: &'static str) -> Service {
    let (status, count) = (Arc::new(AtomicU16::new(OK)), Arc::new(AtomicU64::new(0)));
    let current = Arc::clone(&status);
    let server = Server::start(move |seen: &Seen| {
        let status = current.load(Ordering::Relaxed);
        let body = match (status, &*seen.action) {
            (OUT_OF_REACH, _) => return None,
            (OK, action) => {
                let value = format!("hunter{}", count.fetch_add(1, Ordering::Relaxed) + 1);
                match action {
                    "GetParameter" => format!(r#"{{"Parameter":{{"Name":"n","Type":"SecureString","Value":"{value}"}}}}"#),
                    _ if seen.body.contains("bytes") => r#"{"Name":"n","SecretBinary":"aHVudGVy"}"#.to_owned(),
                    _ => format!(r#"{{"Name":"n","SecretString":"{value}"}}"#),
                }
            }
            _ => format!(r#"{{"__type":"{refusal}","message":"why"}}"#),
        };
        Some(Response::builder().status(status).body(body).unwrap())
    })
    .await;
    let clock = TestClock::default();
    let config = config_at(server.address)
        .into_builder()
        // What is tried again has tests of its own, and takes its time.
        .retry_config(RetryConfig::disabled())
        .time_source(clock.clone())
        .build();
    Service { parameters: Parameters::new(&config, LIFETIME), server, clock, status }
}

impl Service {
    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    async fn parameter(&self) -> Result<String, ParameterError> {
        Ok(self.parameters.parameter("/notes/key").await?.expose_secret().to_owned())
    }

    fn readings(&self) -> usize {
        self.server.seen().len()
    }
}

#[tokio::test]
async fn each_service_is_asked_in_its_own_words() {
    let service = service("").await;
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    assert_eq!(service.parameters.secret("notes/key").await.unwrap().expose_secret(), "hunter2");

    let seen = service.server.seen();
    assert_eq!((&*seen[0].action, &*seen[0].body), ("GetParameter", r#"{"Name":"/notes/key","WithDecryption":true}"#));
    assert_eq!((&*seen[1].action, &*seen[1].body), ("GetSecretValue", r#"{"SecretId":"notes/key"}"#));
    for (seen, service) in seen.iter().zip(["ssm", "secretsmanager"]) {
        let scope = format!("Credential=test/20261122/eu-west-1/{service}/aws4_request");
        assert!(seen.authorization.contains(&scope), "{}", seen.authorization);
    }
}

#[tokio::test]
async fn a_value_is_read_once_in_its_lifetime() {
    let service = service("").await;
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.pass(LIFETIME - Duration::from_secs(1));
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.pass(Duration::from_secs(1));
    assert_eq!(service.parameter().await.unwrap(), "hunter2");
    assert_eq!(
        service.parameters.secret("/notes/key").await.unwrap().expose_secret(),
        "hunter3",
        "a secret is no parameter"
    );
}

#[tokio::test]
async fn whoever_needs_a_value_at_once_waits_for_one_reading() {
    let service = service("").await;
    let values = tokio::join!(service.parameter(), service.parameter(), service.parameter());
    assert_eq!([values.0.unwrap(), values.1.unwrap(), values.2.unwrap()], ["hunter1", "hunter1", "hunter1"]);
    assert_eq!(service.readings(), 1);
}

#[tokio::test]
async fn a_value_outlives_an_outage_for_a_day() {
    let service = service("").await;
    service.parameter().await.unwrap();
    service.answers(OUT_OF_REACH);
    service.clock.pass(LIFETIME);
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.pass(Parameters::MAX_STALE - LIFETIME - Duration::from_secs(1));
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.pass(Duration::from_secs(1));
    assert!(matches!(service.parameter().await, Err(ParameterError::Unavailable { .. })));
    service.answers(OK);
    assert_eq!(service.parameter().await.unwrap(), "hunter2", "without a value, every request tries");
}

#[tokio::test]
async fn an_outage_is_probed_every_five_seconds() {
    let service = service("").await;
    service.parameter().await.unwrap();
    service.answers(OUT_OF_REACH);
    service.clock.pass(LIFETIME);
    for (passed, readings) in [(0, 2), (4, 2), (1, 3)] {
        service.clock.pass(Duration::from_secs(passed));
        assert_eq!(service.parameter().await.unwrap(), "hunter1");
        assert_eq!(service.readings(), readings);
    }
    service.answers(OK);
    service.clock.pass(RETRY_INTERVAL);
    assert_eq!(service.parameter().await.unwrap(), "hunter2");
}

#[tokio::test]
async fn a_value_that_was_taken_away_is_not_used_any_more() {
    for code in ["AccessDeniedException", "ParameterNotFound"] {
        let service = service(code).await;
        service.parameter().await.unwrap();
        service.answers(400);
        service.clock.pass(LIFETIME);
        assert!(service.parameter().await.is_err(), "{code}");
        service.answers(OUT_OF_REACH);
        assert!(service.parameter().await.is_err(), "an outage does not bring the value back");
    }
}

#[tokio::test]
async fn a_refusal_says_what_kind_it_is() {
    for (code, sentence) in [
        ("ParameterNotFound", "there is no /notes/key"),
        ("com.amazonaws.secretsmanager#ResourceNotFoundException", "there is no /notes/key"),
        ("AccessDeniedException:http://internal.amazon.com/", "the function's role may not read /notes/key"),
        ("InternalServerError", "/notes/key could not be read"),
    ] {
        let service = service(code).await;
        service.answers(400);
        assert_eq!(service.parameter().await.unwrap_err().to_string(), sentence);
    }
    let bytes = service("").await.parameters.secret("bytes").await.unwrap_err();
    assert!(matches!(bytes, ParameterError::NotText { .. }), "{bytes}");
}

#[tokio::test]
async fn a_throttled_call_is_made_again() {
    let server = Server::start(|seen| {
        let (status, body) = match seen.connection {
            1 => (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
            _ => (200, r#"{"Parameter":{"Value":"hunter"}}"#),
        };
        Some(Response::builder().status(status).header("connection", "close").body(body.to_owned()).unwrap())
    })
    .await;
    let parameters = Parameters::new(&config_at(server.address), LIFETIME);
    assert_eq!(parameters.parameter("/notes/key").await.unwrap().expose_secret(), "hunter");
}

#[tokio::test]
async fn a_value_is_in_no_debug_output() {
    let service = service("").await;
    service.parameter().await.unwrap();
    service.parameters.secret("notes/key").await.unwrap();
    assert!(!format!("{:?}", service.parameters).contains("hunter"));

    let server = Server::start(|_| Some(Response::new(r#"{"Parameter":{"Value":["hunter"]}}"#.to_owned()))).await;
    let error = ParameterSource::new(&config_at(server.address)).parameter("/notes/key").await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
}
