//! Records which local stack is running in this checkout, so that later commands find it even after a crash.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ferrite_aws_client::endpoint::Target;
use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::console::report;
use crate::files::{FileError, at};
use crate::process::{capture, terminate_group};

/// Error returned when no local stack is running in this checkout.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no local stack is running; start one with ./scripts/dev, or set AWS_ENDPOINT_URL to the URL of an emulator")]
pub struct NoLocalStack;

/// A running emulator, as recorded in the folder of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningStack {
    /// Port of the emulator.
    pub port: u16,
    /// Process group ID of the emulator.
    pub group: i32,
    /// Process ID of the command that started the emulator.
    pub owner: i32,
    /// Whether it was started with `--detach`, so that no process holds the lock.
    pub detached: bool,
}

/// The lock of a run, held by the command that starts and stops its emulator.
///
/// The operating system releases the lock when its holder exits for any reason.
pub struct RunLock {
    record_path: PathBuf,
    _lock: File,
}

impl RunLock {
    /// Acquires the lock of a run. Returns `None` if another process holds it.
    ///
    /// # Errors
    /// Returns an error if the lock file cannot be created or locked.
    pub fn acquire(checkout: &Checkout, run: &str) -> Result<Option<Self>, FileError> {
        let folder = checkout.run_folder(run)?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { record_path: record_path(&folder), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(at(&path)(source)),
        }
    }

    /// Returns the recorded emulator if it is running. If this process did not start it, it is detached, or the command
    /// that started it was killed.
    #[must_use]
    pub fn running(&self) -> Option<RunningStack> {
        read(&self.record_path).filter(RunningStack::is_alive)
    }

    /// Records an emulator after its start.
    ///
    /// # Errors
    /// Returns an error if the record cannot be written.
    pub fn record(&self, running: &RunningStack) -> Result<(), FileError> {
        let text =
            json!({"port": running.port, "group": running.group, "owner": running.owner, "detached": running.detached});
        fs::write(&self.record_path, text.to_string()).map_err(at(&self.record_path))
    }

    /// Stops the recorded emulator if it is running, and deletes the record. Returns `true` if it was running.
    pub fn clear(&self) -> bool {
        let running = self.running();
        if let Some(running) = &running {
            terminate_group(running.group, Duration::from_secs(5));
        }
        let _ = fs::remove_file(&self.record_path);
        running.is_some()
    }

    /// Stops an emulator whose owner was killed. A detached emulator keeps running.
    pub fn clear_after_crash(&self) {
        if self.running().is_none_or(|running| !running.detached) && self.clear() {
            report("  (stopped an emulator that was still running after an earlier run)");
        }
    }
}

impl RunningStack {
    /// Creates the record of an emulator that this process has started.
    #[must_use]
    pub fn started_here(port: u16, group: i32, detached: bool) -> Self {
        Self { port, group, owner: std::process::id().cast_signed(), detached }
    }

    /// Returns the local stack that `./scripts/dev` is running in this checkout, if any.
    #[must_use]
    pub fn find(checkout: &Checkout) -> Option<Self> {
        read(&record_path(&checkout.path(".ferrite/dev"))).filter(Self::is_alive)
    }

    /// Returns the local stack that `./scripts/dev` is running in this checkout.
    ///
    /// # Errors
    /// Returns an error if no local stack is running.
    pub fn load(checkout: &Checkout) -> Result<Self, NoLocalStack> {
        Self::find(checkout).ok_or(NoLocalStack)
    }

    /// Endpoint and credentials of the emulator.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::local(self.port)
    }

    /// The process group ID may have been reused, so check that the process is one of our emulators.
    fn is_alive(&self) -> bool {
        is_command(self.group, "ferrite_emulators")
    }

    /// Whether the `./scripts/dev` that started the emulator, or attached to it, is running. The owner of a detached stack
    /// has exited, and its process ID may have been reused.
    #[must_use]
    pub fn owner_is_running(&self) -> bool {
        is_command(self.owner, "ferrite-dev")
    }
}

/// Whether a process is running and its command line contains `text`.
fn is_command(process: i32, text: &str) -> bool {
    let process = process.to_string();
    capture(Command::new("ps").args(["-o", "command=", "-p", &process]).stderr(std::process::Stdio::null()))
        .is_ok_and(|command| command.contains(text))
}

fn process_id(value: &Value) -> Option<i32> {
    // kill(2) treats 0 and negative numbers specially, and 1 is the init process.
    i32::try_from(value.as_i64()?).ok().filter(|id| *id > 1)
}

fn record_path(run_folder: &Path) -> PathBuf {
    run_folder.join("running.json")
}

fn read(record_path: &Path) -> Option<RunningStack> {
    let record: Value = serde_json::from_str(&fs::read_to_string(record_path).ok()?).ok()?;
    Some(RunningStack {
        port: u16::try_from(record["port"].as_u64()?).ok()?,
        group: process_id(&record["group"])?,
        owner: process_id(&record["owner"])?,
        detached: record["detached"].as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_valid_records_and_ignores_invalid_ones() {
        let folder = std::env::temp_dir().join(format!("ferrite-running-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = record_path(&folder);
        let negative = r#"{"port": 1, "group": -1, "owner": 5, "detached": true}"#;
        let no_port = r#"{"port": 70000, "group": 5, "owner": 5, "detached": true}"#;
        for invalid in ["", "{}", negative, no_port] {
            fs::write(&path, invalid).unwrap();
            assert_eq!(read(&path), None, "{invalid}");
        }
        fs::write(&path, r#"{"port": 4566, "group": 77, "owner": 76, "detached": false}"#).unwrap();
        assert_eq!(read(&path).unwrap().group, 77);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn ignores_processes_that_are_not_our_emulators() {
        let this_test = RunningStack { port: 1, group: std::process::id().cast_signed(), owner: 1, detached: false };
        assert!(!this_test.is_alive());
    }

    #[test]
    fn owner_is_running_only_if_it_is_a_dev_command() {
        let owned_by = |owner: u32| RunningStack { port: 1, group: 1, owner: owner.cast_signed(), detached: true };
        assert!(!owned_by(std::process::id()).owner_is_running());
        let script = "read line # ferrite-dev";
        let mut dev = Command::new("sh").args(["-c", script]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let is_running = owned_by(dev.id()).owner_is_running();
        // The end of its input ends the script.
        drop(dev.stdin.take());
        dev.wait().unwrap();
        assert!(is_running);
        assert!(!owned_by(dev.id()).owner_is_running());
    }
}
