//! Starts and invokes the subjects, and collects the samples.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::aws_endpoint::AwsEndpoint;
use crate::cpu_limit::CpuLimiter;
use crate::environment::Environment;
use crate::error::BenchError;
use crate::results::{MEMORIES, Row, Samples};
use crate::subject::Subject;
use ferrite_aws_client::endpoint::Credentials;
use ferrite_local_stack::console::Progress;

/// Number of consecutive warm invocations after each first invocation. Their mean is reported: a single invocation
/// either fits into the remainder of a CPU period or waits for the next one, and a median would show only one of these
/// cases.
pub(crate) const WARM: u32 = 10;
/// Pause between the first invocation and the warm invocations.
const PAUSE_BEFORE_WARM: Duration = Duration::from_millis(100);

/// Everything that a measurement needs.
pub(crate) struct Bench<'a> {
    /// Runtime of the servers.
    pub(crate) runtime: &'a Handle,
    /// The endpoint that stands in for AWS.
    pub(crate) endpoint: &'a AwsEndpoint,
    /// How to limit the CPU.
    pub(crate) limiter: &'a CpuLimiter,
    /// Folder for the logs of the functions.
    pub(crate) folder: &'a Path,
}

impl Bench<'_> {
    /// Starts every subject `starts` times with each memory size, and as often with connections in init disabled. The
    /// subjects take turns, so that other load on the machine affects all of them alike.
    ///
    /// # Errors
    /// Returns an error if a subject does not start or fails to handle its event.
    pub(crate) fn measure(&self, subjects: &[Subject], starts: usize) -> Result<Vec<Row>, BenchError> {
        let mut observed: Vec<_> = subjects.iter().map(|_| (Samples::default(), true)).collect();
        let mut progress = Progress::new("starts");
        for start in 0..starts {
            for (subject, (samples, connected)) in subjects.iter().zip(&mut observed) {
                for memory in MEMORIES {
                    self.measure_without_connection(subject, samples, memory)?;
                    *connected &= self.measure_with_connection(subject, samples, memory)?;
                }
                progress.report(&format!("{start} of {starts}, measuring {}", subject.name));
            }
        }
        let rows = subjects.iter().zip(observed).map(|(subject, (mut samples, connected_in_init))| {
            let (binary, zip) = subject.sizes()?;
            samples.add("binary_bytes", binary as f64);
            samples.add("zip_bytes", zip as f64);
            let medians = samples.medians();
            Ok(Row { name: subject.name.clone(), kind: subject.kind, medians, connected_in_init })
        });
        rows.collect()
    }

    /// Measures an init that opens no connection. Discards the sample if the function connects to AWS anyway.
    fn measure_without_connection(&self, subject: &Subject, samples: &mut Samples, memory: u32) -> Result<(), BenchError> {
        let before = self.endpoint.connections();
        let mut environment = self.start(subject, memory, &[("OPEN_CONNECTIONS_IN_INIT", "false")])?;
        let init = environment.init()?;
        if self.endpoint.connections() == before {
            samples.add("init_unopened_ms", milliseconds(init));
            samples.add("init_unopened_cpu_ms", milliseconds(environment.cpu_time()?));
        }
        Ok(())
    }

    /// Measures an init, and then invocations with the CPU share of `memory`. Returns whether init opened a connection,
    /// or the subject needs none.
    fn measure_with_connection(&self, subject: &Subject, samples: &mut Samples, memory: u32) -> Result<bool, BenchError> {
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
        // The kernel lets a process overrun its share until the next tick, and deducts the time from the periods after
        // it.
        std::thread::sleep(PAUSE_BEFORE_WARM);
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

    fn start<'s>(
        &self,
        subject: &'s Subject,
        memory: u32,
        extra_variables: &[(&str, &str)],
    ) -> Result<Environment<'s>, BenchError> {
        let authority = self.endpoint.trust.authority.to_string_lossy();
        let bundle = self.endpoint.trust.bundle.to_string_lossy();
        let credentials = Credentials::emulator();
        let variables = [
            // The variables that Lambda sets ("Defined runtime environment variables").
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
            // As long as the session token of a role.
            ("AWS_SESSION_TOKEN", &"t".repeat(800)),
            ("LANG", "en_US.UTF-8"),
            ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
            ("_X_AMZN_TRACE_ID", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
            // Our AWS client reads AWS_CA_BUNDLE. Clients that use the system's certificates read SSL_CERT_FILE.
            ("AWS_ENDPOINT_URL", &self.endpoint.url),
            ("AWS_CA_BUNDLE", &authority),
            ("SSL_CERT_FILE", &bundle),
        ];
        Environment::start(subject, self.runtime, self.folder, &[&variables, extra_variables].concat())
    }

    fn invoke(&self, subject: &Subject, environment: &mut Environment<'_>, number: u32) -> Result<Duration, BenchError> {
        let Some(invocation) = &subject.invocation else { return Ok(Duration::ZERO) };
        let result = environment.invoke(invocation.event(number))?;
        let unhandled = self.endpoint.take_unhandled();
        if invocation.succeeded(&result.response) && unhandled.is_empty() {
            return Ok(result.duration);
        }
        let response = String::from_utf8_lossy(&result.response).into_owned();
        Err(environment.failed("an invocation", format!("{response}; AWS calls without a response: {unhandled:?}")))
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
