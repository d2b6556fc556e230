use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{RetryConfig, TimeSource};
use http::{Request, Response};
use secrecy::ExposeSecret;

use super::*;
use crate::cached::RETRY_INTERVAL;
use crate::testing::{MockServer, RecordedRequest, config_at};

const LIFETIME: Duration = Duration::from_secs(300);

/// Clock that a test advances.
#[derive(Debug, Clone, Default)]
struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

impl TimeSource for ManualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_384_800 + self.0.load(Ordering::Relaxed))
    }
}

/// A mock of both services, whose response status a test can change. It returns `hunter1`, `hunter2` and so on.
struct TestService {
    server: MockServer,
    clock: ManualClock,
    status: Arc<AtomicU16>,
    parameters: Parameters,
}

const OK: u16 = 200;
const UNREACHABLE: u16 = 0;

/// Starts a service that responds with the error `error_code` while its status is not [`OK`].
async fn service(error_code: &'static str) -> TestService {
    let status = Arc::new(AtomicU16::new(OK));
    let count = Arc::new(AtomicU64::new(0));
    let current_status = Arc::clone(&status);
    let server = MockServer::start(move |request: &RecordedRequest| {
        let status = current_status.load(Ordering::Relaxed);
        let body = match (status, &*request.action) {
            (UNREACHABLE, _) => return None,
            (OK, action) => {
                let value = format!("hunter{}", count.fetch_add(1, Ordering::Relaxed) + 1);
                match action {
                    "GetParameter" => format!(r#"{{"Parameter":{{"Name":"n","Type":"SecureString","Value":"{value}"}}}}"#),
                    _ if request.body.contains("bytes") => r#"{"Name":"n","SecretBinary":"aHVudGVy"}"#.to_owned(),
                    _ => format!(r#"{{"Name":"n","SecretString":"{value}"}}"#),
                }
            }
            _ => format!(r#"{{"__type":"{error_code}","message":"details"}}"#),
        };
        Some(Response::builder().status(status).body(body).unwrap())
    })
    .await;
    let clock = ManualClock::default();
    let config = config_at(server.address)
        .into_builder()
        // Retries have their own tests, and would slow these down.
        .retry_config(RetryConfig::disabled())
        .time_source(clock.clone())
        .build();
    TestService { parameters: Parameters::new(&config, LIFETIME), server, clock, status }
}

impl TestService {
    fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    async fn parameter(&self) -> Result<String, ParameterError> {
        Ok(self.parameters.parameter("/notes/key").await?.expose_secret().to_owned())
    }

    fn request_count(&self) -> usize {
        self.server.requests().len()
    }
}

#[tokio::test]
async fn sends_each_service_its_own_request_format() {
    let service = service("").await;
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    assert_eq!(service.parameters.secret("notes/key").await.unwrap().expose_secret(), "hunter2");

    let requests = service.server.requests();
    assert_eq!(
        (&*requests[0].action, &*requests[0].body),
        ("GetParameter", r#"{"Name":"/notes/key","WithDecryption":true}"#)
    );
    assert_eq!((&*requests[1].action, &*requests[1].body), ("GetSecretValue", r#"{"SecretId":"notes/key"}"#));
    for (request, service) in requests.iter().zip(["ssm", "secretsmanager"]) {
        let scope = format!("Credential=test/20261122/eu-west-1/{service}/aws4_request");
        assert!(request.authorization.contains(&scope), "{}", request.authorization);
    }
}

#[tokio::test]
async fn reads_a_value_once_per_lifetime() {
    let service = service("").await;
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.advance(LIFETIME - Duration::from_secs(1));
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.parameter().await.unwrap(), "hunter2");
    assert_eq!(
        service.parameters.secret("/notes/key").await.unwrap().expose_secret(),
        "hunter3",
        "a secret is cached separately from a parameter of the same name"
    );
}

#[tokio::test]
async fn shares_one_call_between_concurrent_requests() {
    let service = service("").await;
    let values = tokio::join!(service.parameter(), service.parameter(), service.parameter());
    assert_eq!([values.0.unwrap(), values.1.unwrap(), values.2.unwrap()], ["hunter1", "hunter1", "hunter1"]);
    assert_eq!(service.request_count(), 1);
}

#[tokio::test]
async fn uses_a_stale_value_for_one_day_during_an_outage() {
    let service = service("").await;
    service.parameter().await.unwrap();
    service.set_status(UNREACHABLE);
    service.clock.advance(LIFETIME);
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.advance(Parameters::MAX_STALE - LIFETIME - Duration::from_secs(1));
    assert_eq!(service.parameter().await.unwrap(), "hunter1");
    service.clock.advance(Duration::from_secs(1));
    assert!(matches!(service.parameter().await, Err(ParameterError::Unavailable { .. })));
    service.set_status(OK);
    assert_eq!(service.parameter().await.unwrap(), "hunter2", "without a cached value, every request calls the service");
}

#[tokio::test]
async fn retries_every_five_seconds_during_an_outage() {
    let service = service("").await;
    service.parameter().await.unwrap();
    service.set_status(UNREACHABLE);
    service.clock.advance(LIFETIME);
    for (elapsed, request_count) in [(0, 2), (4, 2), (1, 3)] {
        service.clock.advance(Duration::from_secs(elapsed));
        assert_eq!(service.parameter().await.unwrap(), "hunter1");
        assert_eq!(service.request_count(), request_count);
    }
    service.set_status(OK);
    service.clock.advance(RETRY_INTERVAL);
    assert_eq!(service.parameter().await.unwrap(), "hunter2");
}

#[tokio::test]
async fn discards_a_value_that_was_deleted_or_is_denied() {
    for code in ["AccessDeniedException", "ParameterNotFound"] {
        let service = service(code).await;
        service.parameter().await.unwrap();
        service.set_status(400);
        service.clock.advance(LIFETIME);
        assert!(service.parameter().await.is_err(), "{code}");
        service.set_status(UNREACHABLE);
        assert!(service.parameter().await.is_err(), "an outage does not restore the discarded value");
    }
}

#[tokio::test]
async fn maps_error_codes_to_error_messages() {
    for (code, message) in [
        ("ParameterNotFound", "/notes/key not found"),
        ("com.amazonaws.secretsmanager#ResourceNotFoundException", "/notes/key not found"),
        ("AccessDeniedException:http://internal.amazon.com/", "the function's role is not allowed to read /notes/key"),
        ("InternalServerError", "cannot read /notes/key"),
    ] {
        let service = service(code).await;
        service.set_status(400);
        assert_eq!(service.parameter().await.unwrap_err().to_string(), message);
    }
    let error = service("").await.parameters.secret("bytes").await.unwrap_err();
    assert!(matches!(error, ParameterError::NotText { .. }), "{error}");
}

#[tokio::test]
async fn retries_a_throttled_call() {
    let server = MockServer::start(|request| {
        let (status, body) = match request.connection {
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
async fn does_not_include_values_in_debug_output() {
    let service = service("").await;
    service.parameter().await.unwrap();
    service.parameters.secret("notes/key").await.unwrap();
    assert!(!format!("{:?}", service.parameters).contains("hunter"));

    let server = MockServer::start(|_| Some(Response::new(r#"{"Parameter":{"Value":["hunter"]}}"#.to_owned()))).await;
    let error = ParameterSource::new(&config_at(server.address)).parameter("/notes/key").await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
}

#[tokio::test]
async fn calls_the_endpoint_of_the_partition_of_the_region() {
    for (region, suffix) in [
        ("eu-west-1", "eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.amazonaws.com.cn"),
    ] {
        let respond =
            |body: &'static str| ReplayEvent::new(Request::new(SdkBody::empty()), Response::new(SdkBody::from(body)));
        let http = StaticReplayClient::new(vec![
            respond(r#"{"Parameter":{"Name":"n","Type":"String","Value":"v"}}"#),
            respond(r#"{"Name":"n","SecretString":"v"}"#),
        ]);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKID", "secret", None, None, "test")))
            .http_client(http.clone())
            .build();
        let source = ParameterSource::new(&config);
        source.parameter("n").await.unwrap();
        source.secret("n").await.unwrap();
        let called: Vec<_> = http.actual_requests().map(|request| request.uri().to_owned()).collect();
        assert_eq!(called, [format!("https://ssm.{suffix}/"), format!("https://secretsmanager.{suffix}/")]);
    }
}
