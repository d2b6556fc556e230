//! The two functions, as Lambda runs them.

use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::runtime_api::{Exchange, RuntimeApi};

pub(crate) const NAME: &str = "ferrite-conformance-charge";
pub(crate) const SERVICE: &str = "charging";
pub(crate) const TRACE_ID: &str = "1-5759e988-bd862e3fe1be46a994272793";

/// A line of the log, its keys in their order.
pub(crate) type Line = Map<String, Value>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
}

/// What a function is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Whatever invokes it with events that have a key and what is asked under it.
    Event,
    /// API Gateway, with requests that have an `Idempotency-Key`.
    Request,
}

/// A function's process. It is killed when dropped.
pub(crate) struct Function {
    language: Language,
    api: RuntimeApi,
    process: Child,
    log: PathBuf,
}

/// How an invocation ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// How often it charged.
    pub(crate) charges: u32,
    pub(crate) status: u64,
    /// The body of an answer that is a success.
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

    /// Invokes it, and lets every charge succeed.
    pub(crate) async fn invoke(&self, event: &str) -> Ended {
        self.begin(event, Duration::from_secs(30)).await;
        self.ended().await
    }

    /// Hands `event` out, for an invocation that Lambda would end after `time`.
    pub(crate) async fn begin(&self, event: &str, time: Duration) {
        let next = self.api.next().await;
        assert!(next.path.ends_with("/invocation/next"), "{self:?} at {}", next.path);
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
        let headers = [
            ("lambda-runtime-aws-request-id", Uuid::new_v4().to_string()),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-invoked-function-arn", format!("arn:aws:lambda:us-east-1:000000000000:function:{NAME}")),
            ("lambda-runtime-trace-id", format!("Root={TRACE_ID};Parent=53995c3f42cd8ad8;Sampled=1")),
        ];
        next.answer(StatusCode::OK, &headers, event.to_owned());
    }

    /// Waits until it charges.
    pub(crate) async fn charging(&self) -> Charge {
        let asked = self.api.next().await;
        assert_eq!(asked.path, "/charge", "{self:?}: {:?}", asked.body);
        Charge(asked)
    }

    /// Waits until the invocation has ended, and lets every charge on the way succeed.
    pub(crate) async fn ended(&self) -> Ended {
        let mut charges = 0;
        loop {
            let asked = self.api.next().await;
            if asked.path == "/charge" {
                charges += 1;
                Charge(asked).succeed(&Uuid::new_v4().to_string());
                continue;
            }
            assert!(asked.path.ends_with("/response"), "{self:?} at {}: {:?}", asked.path, asked.body);
            let answer: Value = serde_json::from_slice(&asked.body).unwrap();
            asked.answer(StatusCode::ACCEPTED, &[], String::new());
            let status = answer["statusCode"].as_u64().unwrap();
            let body = (status < 300).then(|| serde_json::from_str(answer["body"].as_str().unwrap()).unwrap());
            return Ended { charges, status, body };
        }
    }

    /// Waits until the invocation has failed.
    pub(crate) async fn failed(&self) {
        let report = self.api.next().await;
        assert!(report.path.ends_with("/error"), "{self:?} at {}: {:?}", report.path, report.body);
        report.answer(StatusCode::ACCEPTED, &[], String::new());
    }

    /// What it has written to stdout so far: all of every invocation that has ended.
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

/// A charge that a function waits for.
pub(crate) struct Charge(Exchange);

impl Charge {
    pub(crate) fn succeed(self, receipt: &str) {
        self.0.answer(StatusCode::OK, &[], json!({ "receipt": receipt }).to_string());
    }

    pub(crate) fn decline(self) {
        self.0.answer(StatusCode::PAYMENT_REQUIRED, &[], String::new());
    }
}

/// The function's own process, with nothing of the caller's environment but where AWS is.
fn command(language: Language) -> Command {
    let mut command = match language {
        Language::Rust => Command::new(env!("CARGO_BIN_EXE_charge")),
        Language::Python => {
            let python = std::env::var_os("FERRITE_CONFORMANCE_PYTHON");
            let mut python = Command::new(python.expect("run these tests through ./scripts/test: it installs Powertools"));
            python.args(["-u", "-B", "-m", "ferrite_conformance"]);
            python
        }
    };
    command.env_clear().envs(std::env::vars().filter(|(name, _)| name.starts_with("AWS_")));
    // An invocation that repeats an answer counts nothing, which Powertools finds worth a warning on stderr.
    command.env("PYTHONPATH", env!("CARGO_MANIFEST_DIR")).env("PYTHONWARNINGS", "ignore:No application metrics");
    command
}

/// Runs `test` with the first function in Rust and the second in Python, and then the other way round, with both handlers.
pub(crate) async fn in_every_way(table: &str, test: impl AsyncFn(Handler, &Function, &Function)) {
    for handler in [Handler::Event, Handler::Request] {
        let rust = Function::start(Language::Rust, handler, table).await;
        let python = Function::start(Language::Python, handler, table).await;
        for (first, second) in [(&rust, &python), (&python, &rust)] {
            // Shown when the test fails.
            println!("{handler:?}: {first:?}, then {second:?}");
            test(handler, first, second).await;
        }
    }
}

/// What comes of `work`, which is tried again and again until then.
pub(crate) async fn until<T>(what: &str, mut work: impl AsyncFnMut() -> Option<T>) -> T {
    let tried = async {
        loop {
            if let Some(found) = work().await {
                return found;
            }
        }
    };
    timeout(Duration::from_secs(60), tried).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
