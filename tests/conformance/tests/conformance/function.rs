//! Starts and invokes the two functions the way Lambda does.

use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::runtime_api::{PendingRequest, RuntimeApi};

pub(crate) const NAME: &str = "ferrite-conformance-charge";
pub(crate) const SERVICE: &str = "charging";
pub(crate) const TRACE_ID: &str = "1-5759e988-bd862e3fe1be46a994272793";

/// A log line, with its keys in order.
pub(crate) type Line = Map<String, Value>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
}

/// The kind of input that a function handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Events with an idempotency key and a payload.
    Event,
    /// Requests of API Gateway with an `Idempotency-Key` header.
    Request,
}

/// The process of a function. It is killed when this is dropped.
pub(crate) struct Function {
    language: Language,
    api: RuntimeApi,
    process: Child,
    log: PathBuf,
}

/// The result of an invocation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvocationResult {
    /// Number of charges.
    pub(crate) charges: u32,
    pub(crate) status: u64,
    /// The body of a successful response.
    pub(crate) body: Option<Value>,
}

impl Function {
    pub(crate) async fn start(language: Language, handler: Handler, table: &str) -> Self {
        Self::start_with(language, handler, table, &[]).await
    }

    /// Starts the function with additional environment variables.
    pub(crate) async fn start_with(language: Language, handler: Handler, table: &str, variables: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::open().await;
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{language:?}-{}.log", Uuid::new_v4()));
        let mut command = command(language);
        command
            .env("_HANDLER", if handler == Handler::Event { "event" } else { "request" })
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", NAME)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("POWERTOOLS_SERVICE_NAME", SERVICE)
            .env("POWERTOOLS_METRICS_NAMESPACE", "Shop")
            .env("IDEMPOTENCY_TABLE_NAME", table)
            .envs(variables.iter().copied())
            .stdout(File::create(&log).unwrap());
        Self { language, api, process: command.spawn().expect("the function starts"), log }
    }

    /// Invokes the function and waits for the result. Every charge succeeds.
    pub(crate) async fn invoke(&self, event: &str) -> InvocationResult {
        self.start_invocation(event, Duration::from_secs(30)).await;
        self.result().await
    }

    /// Starts an invocation with this timeout, and does not wait for its result.
    pub(crate) async fn start_invocation(&self, event: &str, timeout: Duration) {
        let next = self.api.next().await;
        assert!(next.path.ends_with("/invocation/next"), "{self:?} at {}", next.path);
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + timeout;
        let headers = [
            ("lambda-runtime-aws-request-id", Uuid::new_v4().to_string()),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-invoked-function-arn", format!("arn:aws:lambda:us-east-1:000000000000:function:{NAME}")),
            ("lambda-runtime-trace-id", format!("Root={TRACE_ID};Parent=53995c3f42cd8ad8;Sampled=1")),
        ];
        next.respond(StatusCode::OK, &headers, event.to_owned());
    }

    /// Waits for the next charge.
    pub(crate) async fn next_charge(&self) -> PendingCharge {
        let request = self.api.next().await;
        assert_eq!(request.path, "/charge", "{self:?}: {:?}", request.body);
        PendingCharge(request)
    }

    /// Waits for the result of the invocation. Every charge succeeds.
    pub(crate) async fn result(&self) -> InvocationResult {
        let mut charges = 0;
        loop {
            let request = self.api.next().await;
            if request.path == "/charge" {
                charges += 1;
                PendingCharge(request).succeed(&Uuid::new_v4().to_string());
                continue;
            }
            assert!(request.path.ends_with("/response"), "{self:?} at {}: {:?}", request.path, request.body);
            let response: Value = serde_json::from_slice(&request.body).unwrap();
            request.respond(StatusCode::ACCEPTED, &[], String::new());
            let status = response["statusCode"].as_u64().unwrap();
            let body = (status < 300).then(|| serde_json::from_str(response["body"].as_str().unwrap()).unwrap());
            return InvocationResult { charges, status, body };
        }
    }

    /// Waits until the function reports that the invocation failed.
    pub(crate) async fn wait_for_failure(&self) {
        let report = self.api.next().await;
        assert!(report.path.ends_with("/error"), "{self:?} at {}: {:?}", report.path, report.body);
        report.respond(StatusCode::ACCEPTED, &[], String::new());
    }

    /// The log lines so far. All lines of the invocations that have ended are among them.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let text = fs::read_to_string(&self.log).unwrap();
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.language)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// A charge that waits for the response of the gateway.
pub(crate) struct PendingCharge(PendingRequest);

impl PendingCharge {
    pub(crate) fn succeed(self, receipt: &str) {
        self.0.respond(StatusCode::OK, &[], json!({ "receipt": receipt }).to_string());
    }

    pub(crate) fn decline(self) {
        self.0.respond(StatusCode::PAYMENT_REQUIRED, &[], String::new());
    }
}

/// The command that starts the function. Its environment has only the caller's `AWS_*` variables.
fn command(language: Language) -> Command {
    let mut command = match language {
        Language::Rust => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_charge"));
            command.env_clear();
            command
        }
        Language::Python => python("ferrite_conformance"),
    };
    command.envs(std::env::vars().filter(|(name, _)| name.starts_with("AWS_")));
    // Powertools warns on stderr about invocations without metrics, which happen when a saved response is returned.
    command.env("PYTHONWARNINGS", "ignore:No application metrics");
    command
}

/// The command that runs a Python module, with an environment in which Powertools is installed.
pub(crate) fn python(module: &str) -> Command {
    let python = std::env::var_os("FERRITE_CONFORMANCE_PYTHON");
    let mut command = Command::new(python.expect("run these tests through ./scripts/test: it installs Powertools"));
    command.args(["-u", "-B", "-m", module]).env_clear().env("PYTHONPATH", env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs `test` for both handlers, with a Rust function first and a Python function second, and the other way around.
pub(crate) async fn for_each_combination(table: &str, test: impl AsyncFn(Handler, &Function, &Function)) {
    for handler in [Handler::Event, Handler::Request] {
        let rust = Function::start(Language::Rust, handler, table).await;
        let python = Function::start(Language::Python, handler, table).await;
        for (first, second) in [(&rust, &python), (&python, &rust)] {
            // The test harness shows this when the test fails.
            println!("{handler:?}: {first:?}, then {second:?}");
            test(handler, first, second).await;
        }
    }
}

/// Calls `work` until it returns a value, and returns that value. `what` describes it in the panic message.
pub(crate) async fn retry_until<T>(what: &str, mut work: impl AsyncFnMut() -> Option<T>) -> T {
    let retries = async {
        loop {
            if let Some(found) = work().await {
                return found;
            }
        }
    };
    timeout(Duration::from_secs(60), retries).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}
