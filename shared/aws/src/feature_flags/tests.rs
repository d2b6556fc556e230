use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_types::sdk_config::{RetryConfig, TimeSource};
use ferrite_core::contract::feature_flags::SCHEMA;
use ferrite_core::contract::now;
use ferrite_core::memory::FixedClock;
use http::Response;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

use super::*;
use crate::cached::RETRY_INTERVAL;
use crate::testing::{MockResponse, MockServer, RecordedRequest, config_at, ok, response};

const MAX_AGE: Duration = Duration::from_secs(60);
const INVALID: &str = r#"{"sharing": {"default": 1}}"#;

/// Clock that a test advances.
#[derive(Debug, Clone, Default)]
struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        now().plus(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }
}

impl TimeSource for ManualClock {
    fn now(&self) -> SystemTime {
        system_time(Clock::now(self))
    }
}

/// The levels and messages of log events.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Records the events of the current thread while the guard exists.
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(registry().with(log.clone()));
        (log, guard)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        if !event.metadata().target().starts_with("ferrite_aws") {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(format!("{} {}", event.metadata().level(), message.0));
    }
}

/// A parameter whose value a test can change. `None` makes the service unreachable.
struct TestParameter {
    server: MockServer,
    value: Arc<Mutex<Option<&'static str>>>,
    clock: ManualClock,
    flags: FeatureFlags<FlagParameter, ManualClock>,
}

async fn parameter(value: Option<&'static str>) -> TestParameter {
    let value = Arc::new(Mutex::new(value));
    let current = Arc::clone(&value);
    let server = MockServer::start(move |_| {
        let value = (*current.lock().unwrap())?;
        ok(&serde_json::json!({"Parameter": {"Name": "n", "Type": "String", "Value": value}}).to_string())
    })
    .await;
    let clock = ManualClock::default();
    let config = config_at(server.address).into_builder().retry_config(RetryConfig::disabled()).build();
    let flags = FeatureFlags::new(FlagParameter::new(&config, "/notes/flags"), clock.clone(), MAX_AGE);
    TestParameter { server, value, clock, flags }
}

impl TestParameter {
    fn set(&self, value: Option<&'static str>) {
        *self.value.lock().unwrap() = value;
    }

    /// Whether the feature is enabled that is enabled in [`SCHEMA`]. The default in the code is `default`.
    async fn is_enabled(&self, default: bool) -> bool {
        self.flags.is_enabled("archive", &EvaluationContext::new(), default).await
    }

    fn request_count(&self) -> usize {
        self.server.requests().len()
    }
}

/// A configuration in AppConfig, which `respond` returns.
async fn app_config(
    respond: impl Fn(&RecordedRequest) -> MockResponse + Clone + Send + Sync + 'static,
) -> (MockServer, ManualClock, AppConfig) {
    let server = MockServer::start(respond).await;
    let clock = ManualClock::default();
    let config =
        config_at(server.address).into_builder().retry_config(RetryConfig::disabled()).time_source(clock.clone()).build();
    (server, clock, AppConfig::new(&config, "notes", "production", "flags"))
}

fn session(token: &str) -> MockResponse {
    response(201, &format!(r#"{{"InitialConfigurationToken": "{token}"}}"#))
}

fn latest(content: &str, next_token: &str) -> MockResponse {
    let response = Response::builder()
        .header("Next-Poll-Configuration-Token", next_token)
        .header("Next-Poll-Interval-In-Seconds", "15")
        .body(content.to_owned());
    Some(response.unwrap())
}

fn service_error(status: u16, code: &str) -> MockResponse {
    let response = Response::builder().status(status).header("x-amzn-ErrorType", code);
    Some(response.body(r#"{"Message": "details"}"#.to_owned()).unwrap())
}

fn paths(server: &MockServer) -> Vec<String> {
    server.requests().into_iter().map(|request| request.path).collect()
}

mod contract {
    use super::*;

    async fn flags() -> FeatureFlags<FlagParameter, FixedClock> {
        let TestParameter { flags, .. } = parameter(Some(SCHEMA)).await;
        FeatureFlags::new(flags.source, FixedClock(now()), MAX_AGE)
    }

    ferrite_core::feature_flags_contract!(flags().await);
}

#[tokio::test]
async fn reads_the_schema_once_per_maximum_age() {
    let parameter = parameter(Some(SCHEMA)).await;
    parameter.flags.prewarm().await;
    for (elapsed, request_count) in [(0, 1), (59, 1), (1, 2), (59, 2)] {
        parameter.clock.advance(Duration::from_secs(elapsed));
        assert!(parameter.is_enabled(false).await);
        assert_eq!(parameter.request_count(), request_count);
    }
}

#[tokio::test]
async fn uses_the_defaults_in_the_code_until_the_schema_can_be_read() {
    let (log, _guard) = Log::start();
    let parameter = parameter(None).await;
    for _ in 0..3 {
        assert!(!parameter.is_enabled(false).await);
        assert!(parameter.is_enabled(true).await);
        assert_eq!(parameter.flags.enabled_features(&EvaluationContext::new()).await, Vec::<String>::new());
    }
    assert_eq!(parameter.request_count(), 1, "the next attempt is after five seconds");
    parameter.clock.advance(RETRY_INTERVAL);
    assert!(!parameter.is_enabled(false).await);
    assert_eq!(log.take(), ["ERROR the feature flags cannot be read: all features have the defaults in the code"]);
    parameter.set(Some(SCHEMA));
    parameter.clock.advance(RETRY_INTERVAL);
    assert!(parameter.is_enabled(false).await);
    assert_eq!(log.take(), ["INFO the feature flags can be read and are valid again"]);
    parameter.clock.advance(MAX_AGE);
    assert!(parameter.is_enabled(false).await);
    assert_eq!(log.take(), Vec::<String>::new());
    parameter.set(None);
    parameter.clock.advance(MAX_AGE);
    assert!(parameter.is_enabled(false).await);
    assert_eq!(log.take(), ["ERROR the feature flags cannot be read: the last valid feature flags remain in use"]);
}

#[tokio::test]
async fn keeps_the_last_valid_schema_during_an_outage() {
    let (log, _guard) = Log::start();
    let parameter = parameter(Some(SCHEMA)).await;
    assert!(parameter.is_enabled(false).await);
    parameter.set(None);
    for _ in 0..3 {
        parameter.clock.advance(Duration::from_secs(365 * 24 * 60 * 60));
        assert!(parameter.is_enabled(false).await);
    }
    assert_eq!(parameter.request_count(), 4);
    assert_eq!(log.take(), ["ERROR the feature flags cannot be read: the last valid feature flags remain in use"]);
}

#[tokio::test]
async fn keeps_the_last_valid_schema_while_the_new_one_is_invalid() {
    let (log, _guard) = Log::start();
    let parameter = parameter(Some(INVALID)).await;
    assert!(!parameter.is_enabled(false).await);
    assert_eq!(log.take(), ["ERROR the feature flags are invalid: all features have the defaults in the code"]);
    parameter.set(Some(SCHEMA));
    parameter.clock.advance(MAX_AGE);
    assert!(parameter.is_enabled(false).await);
    assert_eq!(log.take(), ["INFO the feature flags can be read and are valid again"]);
    parameter.set(Some("not JSON"));
    for _ in 0..2 {
        parameter.clock.advance(MAX_AGE);
        assert!(parameter.is_enabled(false).await);
        parameter.clock.advance(RETRY_INTERVAL);
        assert!(parameter.is_enabled(false).await);
    }
    assert_eq!(parameter.request_count(), 4, "an invalid schema is not read more often than a valid one");
    assert_eq!(log.take(), ["ERROR the feature flags are invalid: the last valid feature flags remain in use"]);
    parameter.set(Some("{}"));
    parameter.clock.advance(MAX_AGE);
    assert!(!parameter.is_enabled(false).await, "a schema without features is valid");
}

#[tokio::test]
async fn logs_a_value_of_another_type_than_the_code_expects() {
    let (log, _guard) = Log::start();
    let parameter = parameter(Some(SCHEMA)).await;
    assert_eq!(parameter.flags.value("limits", &EvaluationContext::new(), 5).await, 5);
    let [message] = &log.take()[..] else { panic!("expected one message") };
    assert!(message.starts_with("ERROR the value of the feature has another type"), "{message}");
}

#[tokio::test]
async fn polls_appconfig_with_the_token_of_the_previous_response() {
    let (server, clock, source) = app_config(|request| match &*request.path {
        "/configurationsessions" => session("first/+="),
        "/configuration?configuration_token=first%2F%2B%3D" => latest("{}", "second"),
        "/configuration?configuration_token=second" => latest("", "third"),
        "/configuration?configuration_token=third" => latest(SCHEMA, "fourth"),
        _ => None,
    })
    .await;
    for expected in ["{}", "{}", SCHEMA] {
        assert_eq!(source.read().await.unwrap(), expected);
        clock.advance(Duration::from_secs(14));
        assert_eq!(source.read().await.unwrap(), expected, "AppConfig rejects polls that are too frequent");
        clock.advance(Duration::from_secs(1));
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 4, "{:?}", paths(&server));
    assert_eq!(
        requests[0].body,
        r#"{"ApplicationIdentifier":"notes","EnvironmentIdentifier":"production","ConfigurationProfileIdentifier":"flags","RequiredMinimumPollIntervalInSeconds":15}"#
    );
    for request in requests {
        let scope = "Credential=test/20261122/eu-west-1/appconfig/aws4_request";
        assert!(request.authorization.contains(scope), "{}", request.authorization);
    }
}

#[tokio::test]
async fn starts_another_appconfig_session_when_the_token_has_expired_or_a_call_has_failed() {
    for (failure, first_read_fails) in [("BadRequestException", false), ("InternalServerException", true)] {
        let sessions = Arc::new(AtomicU64::new(0));
        let (server, clock, source) = app_config(move |request| match &*request.path {
            "/configurationsessions" => session(&format!("session{}", sessions.fetch_add(1, Ordering::Relaxed))),
            "/configuration?configuration_token=session0" => latest("{}", "failing"),
            "/configuration?configuration_token=failing" => service_error(400, failure),
            _ => latest(SCHEMA, "next"),
        })
        .await;
        assert_eq!(source.read().await.unwrap(), "{}");
        clock.advance(Duration::from_secs(15));
        if first_read_fails {
            assert!(source.read().await.is_err(), "{failure}");
        }
        assert_eq!(source.read().await.unwrap(), SCHEMA, "{failure}");
        let expected = ["/configurationsessions", "session0", "failing", "/configurationsessions", "session1"];
        let paths = paths(&server);
        let paths: Vec<&str> =
            paths.iter().map(|path| path.trim_start_matches("/configuration?configuration_token=")).collect();
        assert_eq!(paths, expected, "{failure}");
    }
}

#[tokio::test]
async fn maps_the_errors_of_appconfig() {
    for (code, message) in [
        ("ResourceNotFoundException", "configuration flags of application notes in environment production not found"),
        (
            "AccessDeniedException",
            "the function's role is not allowed to read configuration flags of application notes in environment production",
        ),
        ("ThrottlingException", "cannot read configuration flags of application notes in environment production"),
    ] {
        let (_server, _, source) = app_config(move |_| service_error(400, code)).await;
        assert_eq!(source.read().await.unwrap_err().to_string(), message);
    }
    let (_server, _, source) = app_config(|request| match &*request.path {
        "/configurationsessions" => session("first"),
        _ => latest("", "next"),
    })
    .await;
    let message = "configuration flags of application notes in environment production has not been deployed";
    assert_eq!(source.read().await.unwrap_err().to_string(), message);
}
