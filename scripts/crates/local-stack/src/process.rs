//! Child processes, each in a process group of its own, all of which end when this program does.
//!
//! A signal to this program (Ctrl-C, SIGTERM, SIGHUP) is passed on to every group. A call that waits for one of them returns
//! [`ProcessError::Interrupted`], and dropping a [`Group`] ends what is still running.

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

/// How many lines of a log an error quotes.
const QUOTED_LINES: usize = 25;

/// A signal asked this program to stop.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("stopped")]
pub struct Interrupted;

/// Why a program did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A signal asked this program to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The program could not be started.
    #[error("cannot start {program}")]
    NotStarted {
        /// The program.
        program: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The program failed. Its output is on the terminal, or in `log`.
    #[error("{program} failed ({status}){}", .log.as_deref().map(quote_end).unwrap_or_default())]
    Failed {
        /// The program and its subcommand.
        program: String,
        /// Its exit status.
        status: ExitStatus,
        /// The file with its output, when that did not go to the terminal.
        log: Option<PathBuf>,
    },
    /// Its log could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The last lines of a log, and the path of the whole.
#[must_use]
pub fn quote_end(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n");
    format!("; from {}:\n{last}", log.display())
}

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

/// Takes over Ctrl-C, SIGTERM and SIGHUP: the first ends every group politely, the second at once.
///
/// # Errors
/// When the handler cannot be installed.
pub fn end_children_on_signals() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        let again = SIGNALS.fetch_add(1, Ordering::SeqCst) > 0;
        let signal = if again { Signal::SIGKILL } else { Signal::SIGTERM };
        for &group in groups().iter() {
            signal_group(group, signal);
        }
    })
}

/// Whether a signal asked this program to stop.
#[must_use]
pub fn interrupted() -> bool {
    SIGNALS.load(Ordering::SeqCst) > 0
}

/// `Err` once a signal has come. Call it wherever a command would otherwise continue.
///
/// # Errors
/// When a signal asked this program to stop.
pub fn check_interrupted() -> Result<(), Interrupted> {
    if interrupted() { Err(Interrupted) } else { Ok(()) }
}

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// False when the group is gone. (macOS answers EPERM when only zombies are left in it.)
fn signal_group(group: i32, signal: Signal) -> bool {
    killpg(Pid::from_raw(group), signal).is_ok()
}

/// Asks a process that this program did not start to end.
pub fn end_process(id: i32) {
    let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
}

/// Ends a group that an earlier run left behind.
pub fn end_group(group: i32, grace: Duration) {
    let deadline = Instant::now() + grace;
    let mut alive = signal_group(group, Signal::SIGTERM);
    while alive && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
        alive = killpg(Pid::from_raw(group), None).is_ok();
    }
    if alive {
        signal_group(group, Signal::SIGKILL);
    }
}

/// A running child and whatever it starts. Dropping it ends them all.
pub struct Group {
    child: Child,
    name: String,
    ended: Option<ExitStatus>,
    leave: bool,
}

impl Group {
    /// Starts `command` in a process group of its own.
    ///
    /// # Errors
    /// When it cannot be started, or a signal has asked this program to stop.
    pub fn start(command: &mut Command) -> Result<Self, ProcessError> {
        check_interrupted()?;
        let name = describe(command);
        let child =
            command.process_group(0).spawn().map_err(|source| ProcessError::NotStarted { program: name.clone(), source })?;
        let group = Self { child, name, ended: None, leave: false };
        groups().insert(group.id());
        // A signal that came between the check above and the line above did not reach this group.
        check_interrupted()?;
        Ok(group)
    }

    /// The group's id, which is the child's process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Like [`Self::start`], with what the command prints in the file `log`.
    ///
    /// # Errors
    /// As [`Self::start`], or when the file cannot be written.
    pub fn start_logged(command: &mut Command, log: &Path) -> Result<Self, ProcessError> {
        let file = File::create(log).map_err(at(log))?;
        let errors = file.try_clone().map_err(at(log))?;
        Self::start(command.stdin(Stdio::null()).stdout(file).stderr(errors))
    }

    /// How the child ended; `None` while it runs.
    #[must_use]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits until the child has ended.
    ///
    /// # Errors
    /// When it failed, or a signal ended it.
    pub fn finish(&mut self, log: Option<&Path>) -> Result<(), ProcessError> {
        let status = self.child.wait().map_err(|source| ProcessError::NotStarted { program: self.name.clone(), source })?;
        self.ended = Some(status);
        check_interrupted()?;
        if status.success() {
            return Ok(());
        }
        Err(ProcessError::Failed { program: self.name.clone(), status, log: log.map(Path::to_owned) })
    }

    /// Lets the group outlive this program.
    pub fn leave_running(mut self) {
        groups().remove(&self.id());
        self.leave = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.leave {
            return;
        }
        let id = self.id();
        groups().remove(&id);
        if self.ended().is_none() {
            signal_group(id, Signal::SIGTERM);
            let deadline = Instant::now() + Duration::from_secs(5);
            while self.ended().is_none() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // Also what the child left behind when it ended by itself.
        signal_group(id, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// `command` at the lowest priority (nice(1)), for work that runs beside the tests.
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

/// Runs `command` to its end with this program's own stdout and stderr.
///
/// # Errors
/// When it cannot be started, fails, or is interrupted.
pub fn run(command: &mut Command) -> Result<(), ProcessError> {
    Group::start(command.stdin(Stdio::null()))?.finish(None)
}

/// Runs `command` to its end in this program's own process group, so that it may ask questions on the terminal.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run_asking(command: &mut Command) -> Result<(), ProcessError> {
    check_interrupted()?;
    let program = describe(command);
    let status = command.status().map_err(|source| ProcessError::NotStarted { program: program.clone(), source })?;
    check_interrupted()?;
    if status.success() {
        return Ok(());
    }
    Err(ProcessError::Failed { program, status, log: None })
}

/// Runs `command` to its end and hands each line of its stdout to `see`; stderr goes where the caller's goes.
///
/// # Errors
/// When it cannot be started, fails, or is interrupted.
pub fn each_line(command: &mut Command, see: impl FnMut(&str)) -> Result<(), ProcessError> {
    let mut group = Group::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    if let Some(stdout) = group.child.stdout.take() {
        lines_of(stdout).for_each(see_line(see));
    }
    group.finish(None)
}

/// Like [`each_line`] for stdout and stderr together, which are also kept in the file `log`.
///
/// # Errors
/// When it cannot be started, fails (the error quotes the log), or is interrupted.
pub fn each_line_logged(command: &mut Command, log: &Path, see: impl FnMut(&str)) -> Result<(), ProcessError> {
    let mut file = File::create(log).map_err(at(log))?;
    let (output, input) = std::io::pipe().map_err(at(log))?;
    let errors = input.try_clone().map_err(at(log))?;
    let mut group = Group::start(command.stdin(Stdio::null()).stdout(input).stderr(errors))?;
    // The command holds the write ends until it is dropped; with them open, the pipe would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut see = see;
    lines_of(output).for_each(|line| {
        let _ = std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes());
        see(&line);
    });
    group.finish(Some(log))
}

/// Runs `command` to its end and returns its stdout.
///
/// # Errors
/// When it cannot be started, fails, or is interrupted.
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

fn see_line(mut see: impl FnMut(&str)) -> impl FnMut(String) {
    move |line| see(&line)
}

/// `cargo build` for `/usr/bin/cargo build -p x`: enough to know what failed.
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
    fn dropping_a_group_ends_the_childs_children_too() {
        let mut group = Group::start(shell("sleep 60 & sleep 60 & wait").stdin(Stdio::null())).unwrap();
        let id = group.id();
        assert!(group.ended().is_none());
        drop(group);
        let deadline = Instant::now() + Duration::from_secs(5);
        while killpg(Pid::from_raw(id), None).is_ok() {
            assert!(Instant::now() < deadline, "the group is still there");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_failure_names_the_program_and_quotes_its_log() {
        let log = std::env::temp_dir().join(format!("ferrite-process-{}.log", std::process::id()));
        let mut seen = Vec::new();
        let error = each_line_logged(&mut shell("echo out; echo err >&2; exit 3"), &log, |line| {
            seen.push(line.to_owned());
        })
        .unwrap_err()
        .to_string();
        std::fs::remove_file(&log).unwrap();
        seen.sort();
        assert_eq!(seen, ["err", "out"]);
        assert!(error.starts_with("sh failed"), "{error}");
        assert!(error.contains("\nerr") || error.contains("\nout"), "{error}");
    }

    #[test]
    fn output_is_captured_whole() {
        assert_eq!(capture(&mut shell("printf 'a\\nb'")).unwrap(), "a\nb\n");
    }
}
