//! Runs child processes, each in its own process group, and terminates them when this program exits.
//!
//! When this program receives a signal (Ctrl-C, SIGTERM, SIGHUP), it signals every group. A call that waits for a child
//! then returns [`ProcessError::Interrupted`]. Dropping a [`Group`] terminates the processes in it that are still
//! running.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt as _;

use crate::files::{FileError, at};

/// Number of lines of a log that an error message includes.
const LOG_TAIL_LINES: usize = 25;

/// Error returned after this program has received a signal to stop.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Error returned when a child process cannot be started or fails.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// This program has received a signal to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The program could not be started.
    #[error("cannot start {program}")]
    NotStarted {
        /// The program and its subcommand.
        program: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The program failed. Its output is on the terminal, or in `log`.
    #[error("{program} failed ({status}){}", .log.as_deref().map(log_tail).unwrap_or_default())]
    Failed {
        /// The program and its subcommand.
        program: String,
        /// Its exit status.
        status: ExitStatus,
        /// The file with its output; `None` if the output went to the terminal.
        log: Option<PathBuf>,
    },
    /// The log of the program could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Formats the path and the last lines of a log, to be appended to an error message.
#[must_use]
pub fn log_tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n");
    format!("; last lines of {}:\n{last}", log.display())
}

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

/// Installs a handler for Ctrl-C, SIGTERM and SIGHUP. The first signal sends SIGTERM to every group, and any further
/// signal sends SIGKILL.
///
/// # Errors
/// Returns an error if the handler cannot be installed.
pub fn terminate_children_on_signals() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        let repeated = SIGNALS.fetch_add(1, Ordering::SeqCst) > 0;
        let signal = if repeated { Signal::SIGKILL } else { Signal::SIGTERM };
        for &group in groups().iter() {
            signal_group(group, signal);
        }
    })
}

/// Returns `true` if this program has received a signal to stop.
#[must_use]
pub fn interrupted() -> bool {
    SIGNALS.load(Ordering::SeqCst) > 0
}

/// Returns an error if this program has received a signal to stop. Call it between the steps of long operations.
///
/// # Errors
/// Returns [`Interrupted`] after a signal.
pub fn check_interrupted() -> Result<(), Interrupted> {
    if interrupted() { Err(Interrupted) } else { Ok(()) }
}

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to a process group, and returns `false` if the group has no running process. (macOS returns EPERM if
/// only zombies remain in the group.)
fn signal_group(group: i32, signal: Signal) -> bool {
    killpg(Pid::from_raw(group), signal).is_ok()
}

/// Whether a process group has a running process.
#[must_use]
pub fn is_group_running(group: i32) -> bool {
    killpg(Pid::from_raw(group), None).is_ok()
}

/// Sends SIGTERM to a process that this program did not start.
pub fn terminate_process(id: i32) {
    let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
}

/// Terminates a process group that another process started: first with SIGTERM, and with SIGKILL if it still runs after
/// `grace`.
pub fn terminate_group(group: i32, grace: Duration) {
    let deadline = Instant::now() + grace;
    let mut alive = signal_group(group, Signal::SIGTERM);
    while alive && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
        alive = is_group_running(group);
    }
    if alive {
        signal_group(group, Signal::SIGKILL);
    }
}

/// The process group of a child process and its descendants. Dropping it terminates all of them.
pub struct Group {
    child: Child,
    name: String,
    status: Option<ExitStatus>,
    detached: bool,
}

impl Group {
    /// Starts `command` in a new process group.
    ///
    /// # Errors
    /// Returns an error if the command cannot be started, or if this program has received a signal to stop.
    pub fn start(command: &mut Command) -> Result<Self, ProcessError> {
        check_interrupted()?;
        let name = describe(command);
        let child =
            command.process_group(0).spawn().map_err(|source| ProcessError::NotStarted { program: name.clone(), source })?;
        let group = Self { child, name, status: None, detached: false };
        groups().insert(group.id());
        // A signal that arrived before the group was registered was not sent to it, so check again.
        check_interrupted()?;
        Ok(group)
    }

    /// The process group ID, which is also the child's process ID.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Like [`Self::start`], but redirects stdout and stderr of the command to the file `log`.
    ///
    /// # Errors
    /// Returns the errors of [`Self::start`], or an error if the file cannot be created.
    pub fn start_logged(command: &mut Command, log: &Path) -> Result<Self, ProcessError> {
        let file = File::create(log).map_err(at(log))?;
        let errors = file.try_clone().map_err(at(log))?;
        Self::start(command.stdin(Stdio::null()).stdout(file).stderr(errors))
    }

    /// Returns the exit status of the child, or `None` if it is still running.
    #[must_use]
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Waits for the child to exit. `log` is the file with its output, which the error message quotes.
    ///
    /// # Errors
    /// Returns an error if the child fails, or if this program has received a signal to stop.
    pub fn finish(&mut self, log: Option<&Path>) -> Result<(), ProcessError> {
        let status = self.child.wait().map_err(|source| ProcessError::NotStarted { program: self.name.clone(), source })?;
        self.status = Some(status);
        check_interrupted()?;
        if status.success() {
            return Ok(());
        }
        Err(ProcessError::Failed { program: self.name.clone(), status, log: log.map(Path::to_owned) })
    }

    /// Lets the processes of the group continue after this program exits.
    pub fn detach(mut self) {
        groups().remove(&self.id());
        self.detached = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.detached {
            return;
        }
        let id = self.id();
        groups().remove(&id);
        if self.exit_status().is_none() {
            signal_group(id, Signal::SIGTERM);
            let deadline = Instant::now() + Duration::from_secs(5);
            while self.exit_status().is_none() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // Descendants may still be running even if the child has exited.
        signal_group(id, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Wraps `command` in nice(1) with the lowest priority, for work that runs in the background of the tests.
#[must_use]
pub fn at_low_priority(command: &Command) -> Command {
    let mut niced = Command::new("nice");
    niced.args(["-n", "19"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => niced.env(name, value),
            None => niced.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        niced.current_dir(folder);
    }
    niced
}

/// Runs `command` to completion. It inherits stdout and stderr.
///
/// # Errors
/// Returns an error if the command cannot be started, fails, or is interrupted.
pub fn run(command: &mut Command) -> Result<(), ProcessError> {
    Group::start(command.stdin(Stdio::null()))?.finish(None)
}

/// Runs `command` to completion in this program's own process group, so that it can prompt for input on the terminal.
///
/// # Errors
/// Returns an error if the command cannot be started, fails, or is interrupted.
pub fn run_interactive(command: &mut Command) -> Result<(), ProcessError> {
    check_interrupted()?;
    let program = describe(command);
    let status = command.status().map_err(|source| ProcessError::NotStarted { program: program.clone(), source })?;
    check_interrupted()?;
    if status.success() {
        return Ok(());
    }
    Err(ProcessError::Failed { program, status, log: None })
}

/// Runs `command` to completion and calls `on_line` with each line of its stdout. It inherits stderr.
///
/// # Errors
/// Returns an error if the command cannot be started, fails, or is interrupted.
pub fn each_line(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<(), ProcessError> {
    let mut group = Group::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    if let Some(stdout) = group.child.stdout.take() {
        lines_of(stdout).for_each(|line| on_line(&line));
    }
    group.finish(None)
}

/// Like [`each_line`], but for stdout and stderr combined, which are also written to the file `log`.
///
/// # Errors
/// Returns an error if the command cannot be started, fails (the message quotes the log), or is interrupted.
pub fn each_line_logged(command: &mut Command, log: &Path, mut on_line: impl FnMut(&str)) -> Result<(), ProcessError> {
    let mut file = File::create(log).map_err(at(log))?;
    let (output, input) = std::io::pipe().map_err(at(log))?;
    let errors = input.try_clone().map_err(at(log))?;
    let mut group = Group::start(command.stdin(Stdio::null()).stdout(input).stderr(errors))?;
    // The command still holds the write ends of the pipe. Release them, or the reader never reaches the end of the pipe.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    lines_of(output).for_each(|line| {
        let _ = std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes());
        on_line(&line);
    });
    group.finish(Some(log))
}

/// Runs `command` to completion and returns its stdout.
///
/// # Errors
/// Returns an error if the command cannot be started, fails, or is interrupted.
pub fn capture(command: &mut Command) -> Result<String, ProcessError> {
    let mut text = String::new();
    each_line(command, |line| {
        text.push_str(line);
        text.push('\n');
    })?;
    Ok(text)
}

fn lines_of(stream: impl std::io::Read) -> impl Iterator<Item = String> {
    BufReader::new(stream)
        .split(b'\n')
        .map_while(Result::ok)
        .map(|line| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

/// Returns a short name for a command in error messages: `cargo build` for `/usr/bin/cargo build -p x`.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args().take(2) {
        let argument = argument.to_string_lossy();
        if argument.starts_with('-') {
            break;
        }
        name = format!("{name} {argument}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn dropping_a_group_terminates_its_descendants() {
        let mut group = Group::start(shell("sleep 60 & sleep 60 & wait").stdin(Stdio::null())).unwrap();
        let id = group.id();
        assert!(group.exit_status().is_none());
        drop(group);
        let deadline = Instant::now() + Duration::from_secs(5);
        while killpg(Pid::from_raw(id), None).is_ok() {
            assert!(Instant::now() < deadline, "processes of the group are still running");
            std::thread::yield_now();
        }
    }

    #[test]
    fn error_names_the_program_and_quotes_its_log() {
        let log = std::env::temp_dir().join(format!("ferrite-process-{}.log", std::process::id()));
        let mut lines = Vec::new();
        let error = each_line_logged(&mut shell("echo out; echo err >&2; exit 3"), &log, |line| {
            lines.push(line.to_owned());
        })
        .unwrap_err()
        .to_string();
        std::fs::remove_file(&log).unwrap();
        lines.sort();
        assert_eq!(lines, ["err", "out"]);
        assert!(error.starts_with("sh failed"), "{error}");
        assert!(error.contains("\nerr") || error.contains("\nout"), "{error}");
    }

    #[test]
    fn capture_returns_the_last_line_even_without_a_newline() {
        assert_eq!(capture(&mut shell("printf 'a\\nb'")).unwrap(), "a\nb\n");
    }
}
