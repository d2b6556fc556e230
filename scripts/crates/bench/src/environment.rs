//! One execution environment: a function's process from its start to its end, as Lambda has it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::cap::{CpuLimit, CpuLimiter};
use crate::error::BenchError;
use crate::runtime_api::{RuntimeApi, Seen};
use crate::subject::Subject;
use ferrite_local_stack::files::at;
use ferrite_local_stack::process::{ProcessError, check_interrupted};

/// Longer than any step takes, so that only a hanging function fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A function that has been started. It ends when this is dropped.
pub(crate) struct Environment<'a> {
    subject: &'a Subject,
    child: Child,
    api: RuntimeApi,
    /// Its log, which Lambda would send to CloudWatch Logs.
    log: PathBuf,
    started: Instant,
    // Last: a control group outlives what is in it.
    cpu_limit: Option<CpuLimit>,
}

/// An invocation that came to its end.
pub(crate) struct Invoked {
    /// From sending the event to the end of the response.
    pub(crate) took: Duration,
    /// The response.
    pub(crate) answer: Vec<u8>,
}

impl<'a> Environment<'a> {
    /// Starts the function with the variables that its stack and Lambda give it, and `more`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        subject: &'a Subject,
        servers: &Handle,
        folder: &Path,
        more: &[(&str, &str)],
    ) -> Result<Self, BenchError> {
        check_interrupted()?;
        let api = RuntimeApi::open(servers).map_err(BenchError::Port)?;
        let log = folder.join(format!("{}.log", subject.name));
        let output = File::create(&log).map_err(at(&log))?;
        let errors = output.try_clone().map_err(at(&log))?;
        let mut command = Command::new(&subject.binary);
        command
            .env_clear()
            .envs(&subject.variables)
            .envs(more.iter().copied())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &subject.name)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        // Not after it: the child runs from its exec on, whenever the kernel lets this program go on too.
        let started = Instant::now();
        let child = command.spawn().map_err(|source| ProcessError::NotStarted { program: subject.name.clone(), source })?;
        Ok(Self { subject, child, api, log, started, cpu_limit: None })
    }

    /// Waits until the function asks for its first event, and returns how long that took.
    ///
    /// # Errors
    /// When it ends, reports a failure or does nothing instead.
    pub(crate) fn init(&mut self) -> Result<Duration, BenchError> {
        match self.next("init")? {
            Seen::Polled(at) => Ok(at.duration_since(self.started)),
            seen => Err(self.unexpected("init", &seen)),
        }
    }

    /// Gives the function the CPU that `memory` megabytes come with, from now on.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(crate) fn limit_cpu(&mut self, limiter: &CpuLimiter, memory: u32) -> Result<(), BenchError> {
        self.cpu_limit = Some(limiter.limit(self.child.id(), memory)?);
        Ok(())
    }

    /// Hands `event` out to the function, which is waiting for it, and waits until it has answered and waits for the next.
    ///
    /// # Errors
    /// When it ends, reports a failure or does not answer.
    pub(crate) fn invoke(&mut self, event: String) -> Result<Invoked, BenchError> {
        self.api.hand_out(event);
        let out = match self.next("an invocation")? {
            Seen::HandedOut(at) => at,
            seen => return Err(self.unexpected("an invocation", &seen)),
        };
        let invoked = match self.next("an invocation")? {
            Seen::Answered(at, answer) => Invoked { took: at.duration_since(out), answer: answer.to_vec() },
            seen => return Err(self.unexpected("an invocation", &seen)),
        };
        match self.next("the time after an invocation")? {
            Seen::Polled(_) => Ok(invoked),
            seen => Err(self.unexpected("the time after an invocation", &seen)),
        }
    }

    fn next(&mut self, what: &'static str) -> Result<Seen, BenchError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(seen) = self.api.next(Duration::from_millis(100)) {
                return Ok(seen);
            }
            check_interrupted()?;
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                let how = ended.map_or_else(|| "nothing happened".to_owned(), |status| format!("it ended ({status})"));
                return Err(self.failed(what, how));
            }
        }
    }

    fn unexpected(&self, what: &'static str, seen: &Seen) -> BenchError {
        let how = match seen {
            Seen::Failed(reason) => String::from_utf8_lossy(reason).into_owned(),
            seen => format!("{seen:?}"),
        };
        self.failed(what, how)
    }

    /// An error about this function, with the last line of its log.
    pub(crate) fn failed(&self, what: &'static str, how: String) -> BenchError {
        let log = self.log().unwrap_or_default();
        let last = log.lines().last().unwrap_or_default().to_owned();
        BenchError::Function { function: self.subject.name.clone(), what, how, last }
    }

    /// The function's log so far.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn log(&self) -> Result<String, BenchError> {
        Ok(fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).map_err(at(&self.log))?)
    }

    /// The CPU time of the function's threads so far. Unlike the elapsed time, it does not include the servers of this program
    /// or other programs on this machine and its host.
    ///
    /// # Errors
    /// When the kernel does not report it.
    pub(crate) fn cpu_time(&self) -> Result<Duration, BenchError> {
        let folder = PathBuf::from(format!("/proc/{}/task", self.child.id()));
        let mut time = Duration::ZERO;
        for thread in fs::read_dir(&folder).map_err(at(&folder))? {
            let path = thread.map_err(at(&folder))?.path().join("schedstat");
            let statistics = fs::read_to_string(&path).map_err(at(&path))?;
            time += cpu_in(&statistics).ok_or_else(|| self.failed("reading its CPU time", statistics))?;
        }
        Ok(time)
    }

    /// The most memory that the function has had resident so far, in bytes.
    ///
    /// # Errors
    /// When the kernel does not report it.
    pub(crate) fn peak_memory(&self) -> Result<u64, BenchError> {
        let path = PathBuf::from(format!("/proc/{}/status", self.child.id()));
        let status = fs::read_to_string(&path).map_err(at(&path))?;
        peak_in(&status).ok_or_else(|| self.failed("reading its memory", "no VmHWM".to_owned()))
    }
}

impl Drop for Environment<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `VmHWM` of "proc_pid_status(5)", which is in units of 1,024 bytes.
fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The time on a CPU, which is the first of the kernel's "Scheduler Statistics" of a thread, in nanoseconds.
fn cpu_in(statistics: &str) -> Option<Duration> {
    statistics.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_a_cpu_is_read_in_nanoseconds() {
        assert_eq!(cpu_in("1500000 27 3\n"), Some(Duration::from_micros(1500)));
        assert_eq!(cpu_in(""), None);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(peak_in("VmPeak:\t  9000 kB\nVmHWM:\t    2716 kB\nVmRSS:\t 1 kB\n"), Some(2716 * 1024));
        assert_eq!(peak_in("VmPeak:\t  9000 kB\n"), None);
    }
}
