//! An execution environment: a function's process from start to exit, set up as in Lambda.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::cpu_limit::{CpuLimit, CpuLimiter};
use crate::error::BenchError;
use crate::runtime_api::{RuntimeApi, RuntimeEvent};
use crate::subject::Subject;
use ferrite_local_stack::files::at;
use ferrite_local_stack::process::{ProcessError, check_interrupted};

/// Longer than any step takes, so that only a function that hangs times out.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running function. Dropping it kills the process.
pub(crate) struct Environment<'a> {
    subject: &'a Subject,
    child: Child,
    api: RuntimeApi,
    /// Log file of the function. Lambda would send its content to CloudWatch Logs.
    log: PathBuf,
    started: Instant,
    // Declared last so that it is dropped last: a cgroup can be removed only when its process has exited.
    cpu_limit: Option<CpuLimit>,
}

/// A completed invocation.
pub(crate) struct InvocationResult {
    /// Time from sending the event to receiving the complete response.
    pub(crate) duration: Duration,
    /// Body of the response.
    pub(crate) response: Vec<u8>,
}

impl<'a> Environment<'a> {
    /// Starts the function with the environment variables of its template, those of its Runtime API, and
    /// `extra_variables`.
    ///
    /// # Errors
    /// Returns an error if the process cannot be started.
    pub(crate) fn start(
        subject: &'a Subject,
        runtime: &Handle,
        folder: &Path,
        extra_variables: &[(&str, &str)],
    ) -> Result<Self, BenchError> {
        check_interrupted()?;
        let api = RuntimeApi::open(runtime).map_err(BenchError::Listen)?;
        let log = folder.join(format!("{}.log", subject.name));
        let output = File::create(&log).map_err(at(&log))?;
        let errors = output.try_clone().map_err(at(&log))?;
        let mut command = Command::new(&subject.binary);
        command
            .env_clear()
            .envs(&subject.variables)
            .envs(extra_variables.iter().copied())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &subject.name)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        // Taken before spawning, because the child may run before `spawn` returns.
        let started = Instant::now();
        let child = command.spawn().map_err(|source| ProcessError::NotStarted { program: subject.name.clone(), source })?;
        Ok(Self { subject, child, api, log, started, cpu_limit: None })
    }

    /// Waits until the function requests its first event, and returns the time since the start of the process.
    ///
    /// # Errors
    /// Returns an error if the function exits, reports an error or times out.
    pub(crate) fn init(&mut self) -> Result<Duration, BenchError> {
        match self.next("init")? {
            RuntimeEvent::NextRequested(at) => Ok(at.duration_since(self.started)),
            other => Err(self.unexpected("init", &other)),
        }
    }

    /// Limits the function to the CPU share of `memory` megabytes.
    ///
    /// # Errors
    /// Returns an error if the limit cannot be set.
    pub(crate) fn limit_cpu(&mut self, limiter: &CpuLimiter, memory: u32) -> Result<(), BenchError> {
        self.cpu_limit = Some(limiter.limit(self.child.id(), memory)?);
        Ok(())
    }

    /// Sends `event` to the function, and waits for its response and until it requests the next event.
    ///
    /// # Errors
    /// Returns an error if the function exits, reports an error or times out.
    pub(crate) fn invoke(&mut self, event: String) -> Result<InvocationResult, BenchError> {
        self.api.send_event(event);
        let sent_at = match self.next("an invocation")? {
            RuntimeEvent::EventSent(at) => at,
            other => return Err(self.unexpected("an invocation", &other)),
        };
        let result = match self.next("an invocation")? {
            RuntimeEvent::ResponseReceived(at, response) => {
                InvocationResult { duration: at.duration_since(sent_at), response: response.to_vec() }
            }
            other => return Err(self.unexpected("an invocation", &other)),
        };
        match self.next("requesting the next event")? {
            RuntimeEvent::NextRequested(_) => Ok(result),
            other => Err(self.unexpected("requesting the next event", &other)),
        }
    }

    fn next(&mut self, phase: &'static str) -> Result<RuntimeEvent, BenchError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(event) = self.api.next(Duration::from_millis(100)) {
                return Ok(event);
            }
            check_interrupted()?;
            let exited = self.child.try_wait().ok().flatten();
            if exited.is_some() || Instant::now() > deadline {
                let reason = exited.map_or_else(|| "timed out".to_owned(), |status| format!("it exited ({status})"));
                return Err(self.failed(phase, reason));
            }
        }
    }

    fn unexpected(&self, phase: &'static str, event: &RuntimeEvent) -> BenchError {
        let reason = match event {
            RuntimeEvent::ErrorReported(error) => String::from_utf8_lossy(error).into_owned(),
            other => format!("unexpected {other:?}"),
        };
        self.failed(phase, reason)
    }

    /// Builds an error about this function, with the last line of its log.
    pub(crate) fn failed(&self, phase: &'static str, reason: String) -> BenchError {
        let log = self.log().unwrap_or_default();
        let last_log_line = log.lines().last().unwrap_or_default().to_owned();
        BenchError::Function { function: self.subject.name.clone(), phase, reason, last_log_line }
    }

    /// Reads what the function has logged so far.
    ///
    /// # Errors
    /// Returns an error if the log file cannot be read.
    pub(crate) fn log(&self) -> Result<String, BenchError> {
        Ok(fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).map_err(at(&self.log))?)
    }

    /// CPU time used by the function's threads so far. Unlike the elapsed time, it does not include the servers in this
    /// program or other programs on the machine.
    ///
    /// # Errors
    /// Returns an error if the kernel does not report it.
    pub(crate) fn cpu_time(&self) -> Result<Duration, BenchError> {
        let folder = PathBuf::from(format!("/proc/{}/task", self.child.id()));
        let mut time = Duration::ZERO;
        for thread in fs::read_dir(&folder).map_err(at(&folder))? {
            let path = thread.map_err(at(&folder))?.path().join("schedstat");
            let statistics = fs::read_to_string(&path).map_err(at(&path))?;
            time += parse_cpu_time(&statistics).ok_or_else(|| self.failed("reading its CPU time", statistics))?;
        }
        Ok(time)
    }

    /// Peak resident memory of the function so far, in bytes.
    ///
    /// # Errors
    /// Returns an error if the kernel does not report it.
    pub(crate) fn peak_memory(&self) -> Result<u64, BenchError> {
        let path = PathBuf::from(format!("/proc/{}/status", self.child.id()));
        let status = fs::read_to_string(&path).map_err(at(&path))?;
        parse_peak_memory(&status).ok_or_else(|| self.failed("reading its memory use", "VmHWM is missing".to_owned()))
    }
}

impl Drop for Environment<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Parses `VmHWM` of proc_pid_status(5), which is in units of 1,024 bytes.
fn parse_peak_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// Parses the CPU time of a thread: the first field of its `schedstat` file, in nanoseconds ("Scheduler Statistics").
fn parse_cpu_time(statistics: &str) -> Option<Duration> {
    statistics.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_cpu_time_in_nanoseconds() {
        assert_eq!(parse_cpu_time("1500000 27 3\n"), Some(Duration::from_micros(1500)));
        assert_eq!(parse_cpu_time(""), None);
    }

    #[test]
    fn parses_peak_memory_in_bytes() {
        assert_eq!(parse_peak_memory("VmPeak:\t  9000 kB\nVmHWM:\t    2716 kB\nVmRSS:\t 1 kB\n"), Some(2716 * 1024));
        assert_eq!(parse_peak_memory("VmPeak:\t  9000 kB\n"), None);
    }
}
