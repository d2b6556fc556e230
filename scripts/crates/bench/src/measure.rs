//! Starting, invoking and observing.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::aws_endpoint::AwsEndpoint;
use crate::cap::CpuLimiter;
use crate::environment::Environment;
use crate::error::BenchError;
use crate::figures::{MEMORIES, Row, Samples};
use crate::subject::Subject;
use ferrite_aws_client::endpoint::Credentials;
use ferrite_local_stack::console::Progress;

/// How many warm invocations follow each first one, without a pause. Their mean is reported, because a single one either fits
/// into the rest of a CPU period or waits for the next, and a median would show only one of the two.
pub(crate) const WARM: u32 = 10;
/// Between the first invocation and the warm ones.
const SETTLE: Duration = Duration::from_millis(100);

/// Everything that a measurement needs.
pub(crate) struct Bench<'a> {
    /// Where servers run.
    pub(crate) servers: &'a Handle,
    /// The endpoint in place of AWS.
    pub(crate) endpoint: &'a AwsEndpoint,
    /// How the CPU is limited.
    pub(crate) limiter: &'a CpuLimiter,
    /// Where logs go.
    pub(crate) folder: &'a Path,
}

impl Bench<'_> {
    /// Starts every subject `starts` times with each memory, and as often without a connection opened in init; one after the
    /// other, so that whatever the machine does meanwhile is done to all alike.
    ///
    /// # Errors
    /// When one does not start, or does not handle its event.
    pub(crate) fn measure(&self, subjects: &[Subject], starts: usize) -> Result<Vec<Row>, BenchError> {
        let mut observed: Vec<_> = subjects.iter().map(|_| (Samples::default(), true)).collect();
        let mut progress = Progress::new("starts");
        for start in 0..starts {
            for (subject, (samples, connected)) in subjects.iter().zip(&mut observed) {
                for memory in MEMORIES {
                    self.unopened(subject, samples, memory)?;
                    *connected &= self.connected(subject, samples, memory)?;
                }
                progress.report(&format!("{start} of {starts}, now {}", subject.name));
            }
        }
        let rows = subjects.iter().zip(observed).map(|(subject, (mut samples, connected_in_init))| {
            let (binary, zip) = subject.sizes()?;
            samples.add("binary_bytes", binary as f64);
            samples.add("zip_bytes", zip as f64);
            let (name, kind) = (subject.name.clone(), subject.kind);
            Ok(Row { name, kind, figures: samples.medians(), connected_in_init })
        });
        rows.collect()
    }

    /// An init without opening a connection. It is not counted if the function connects to AWS anyway.
    fn unopened(&self, subject: &Subject, samples: &mut Samples, memory: u32) -> Result<(), BenchError> {
        let before = self.endpoint.connections();
        let mut environment = self.start(subject, memory, &[("OPEN_CONNECTIONS_IN_INIT", "false")])?;
        let init = environment.init()?;
        if self.endpoint.connections() == before {
            samples.add("init_unopened_ms", milliseconds(init));
            samples.add("init_unopened_cpu_ms", milliseconds(environment.cpu_time()?));
        }
        Ok(())
    }

    /// An init, and then invocations with the CPU of `memory`; whether the init left a connection open for them, if they
    /// need any.
    fn connected(&self, subject: &Subject, samples: &mut Samples, memory: u32) -> Result<bool, BenchError> {
        let before = self.endpoint.connections();
        let mut environment = self.start(subject, memory, &[])?;
        let init = environment.init()?;
        let connected = self.endpoint.connections() > before;
        samples.add("init_ms", milliseconds(init));
        samples.add("init_cpu_ms", milliseconds(environment.cpu_time()?));
        if subject.invocation.is_none() {
            samples.add("peak_memory_bytes", environment.peak_memory()? as f64);
            return Ok(connected);
        }

        environment.limit_cpu(self.limiter, memory)?;
        let first = self.invoke(subject, &mut environment, 0)?;
        samples.add(format!("first_{memory}_ms"), milliseconds(first));
        samples.add(format!("init_and_first_{memory}_ms"), milliseconds(init + first));
        // The kernel lets a process run over its share until the next tick, and takes it back from the periods after.
        std::thread::sleep(SETTLE);
        let log_before = environment.log()?.len();
        let mut warm = Duration::ZERO;
        for number in 1..=WARM {
            warm += self.invoke(subject, &mut environment, number)?;
        }
        samples.add(format!("warm_{memory}_ms"), milliseconds(warm) / f64::from(WARM));
        let log = environment.log()?;
        let written = log.get(log_before..).unwrap_or_default();
        samples.add("log_bytes", written.len() as f64 / f64::from(WARM));
        samples.add("log_lines", written.lines().count() as f64 / f64::from(WARM));
        samples.add("peak_memory_bytes", environment.peak_memory()? as f64);
        Ok(connected || self.endpoint.connections() == before)
    }

    fn start<'s>(&self, subject: &'s Subject, memory: u32, more: &[(&str, &str)]) -> Result<Environment<'s>, BenchError> {
        let (authority, bundle) =
            (self.endpoint.trust.authority.to_string_lossy(), self.endpoint.trust.bundle.to_string_lossy());
        let credentials = Credentials::emulator();
        let variables = [
            // "Defined runtime environment variables".
            ("AWS_ACCESS_KEY_ID", credentials.access_key.as_str()),
            ("AWS_DEFAULT_REGION", &credentials.region),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/ferrite-bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef"),
            ("AWS_REGION", &credentials.region),
            ("AWS_SECRET_ACCESS_KEY", &credentials.secret_key),
            // As long as a role's is.
            ("AWS_SESSION_TOKEN", &"t".repeat(800)),
            ("LANG", "en_US.UTF-8"),
            ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
            ("_X_AMZN_TRACE_ID", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
            // Where AWS is here, and whom to trust: our client reads the one, a client with the system's certificates the other.
            ("AWS_ENDPOINT_URL", &self.endpoint.url),
            ("AWS_CA_BUNDLE", &authority),
            ("SSL_CERT_FILE", &bundle),
        ];
        Environment::start(subject, self.servers, self.folder, &[&variables, more].concat())
    }

    fn invoke(&self, subject: &Subject, environment: &mut Environment<'_>, number: u32) -> Result<Duration, BenchError> {
        let Some(invocation) = &subject.invocation else { return Ok(Duration::ZERO) };
        let invoked = environment.invoke(invocation.event(number))?;
        let unanswered = self.endpoint.unanswered();
        if invocation.succeeded(&invoked.answer) && unanswered.is_empty() {
            return Ok(invoked.took);
        }
        let answer = String::from_utf8_lossy(&invoked.answer).into_owned();
        Err(environment.failed("an invocation", format!("{answer}; calls without an answer: {unanswered:?}")))
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
