//! Which local stack runs in this checkout. The next command finds out, even after a crash.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ferrite_aws_client::endpoint::Target;
use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::console::report;
use crate::files::{FileError, at};
use crate::process::{capture, end_group};

/// There is no stack to ask.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no local stack is running: start one with ./scripts/dev, or set AWS_ENDPOINT_URL to one")]
pub struct NothingRuns;

/// A running emulator, as recorded in the folder of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The emulator's port.
    pub port: u16,
    /// The emulator's process group.
    pub group: i32,
    /// The process that started it.
    pub owner: i32,
    /// Started with `--detach`, so that no process holds the lock.
    pub detached: bool,
}

/// The lock of a run, held by the command that starts and stops its emulator. The operating system releases it however its
/// holder ends.
pub struct RunLock {
    note: PathBuf,
    _lock: File,
}

impl RunLock {
    /// Locks the run, or returns `None` when another process has it.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub fn acquire(checkout: &Checkout, run: &str) -> Result<Option<Self>, FileError> {
        let folder = checkout.run_folder(run)?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { note: note_in(&folder), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(at(&path)(source)),
        }
    }

    /// The emulator that runs without a holder of the lock: a detached one, or one whose holder was killed.
    #[must_use]
    pub fn left_behind(&self) -> Option<Running> {
        read(&self.note).filter(Running::is_alive)
    }

    /// Records a started emulator.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn record(&self, running: &Running) -> Result<(), FileError> {
        let text =
            json!({"port": running.port, "group": running.group, "owner": running.owner, "detached": running.detached});
        fs::write(&self.note, text.to_string()).map_err(at(&self.note))
    }

    /// Ends the emulator that was left behind. Returns whether there was one.
    pub fn clear(&self) -> bool {
        let left = self.left_behind();
        if let Some(running) = &left {
            end_group(running.group, Duration::from_secs(5));
        }
        let _ = fs::remove_file(&self.note);
        left.is_some()
    }

    /// Ends an emulator whose holder was killed; a detached one is left alone.
    pub fn clear_after_crash(&self) {
        if self.left_behind().is_none_or(|running| !running.detached) && self.clear() {
            report("  (ended an emulator that an earlier run left behind)");
        }
    }
}

impl Running {
    /// The record of an emulator that this process has started.
    #[must_use]
    pub fn started_here(port: u16, group: i32, detached: bool) -> Self {
        Self { port, group, owner: std::process::id().cast_signed(), detached }
    }

    /// The local stack that runs in this checkout, if any.
    #[must_use]
    pub fn find(checkout: &Checkout) -> Option<Self> {
        read(&note_in(&checkout.path(".ferrite/dev"))).filter(Self::is_alive)
    }

    /// The local stack that runs in this checkout.
    ///
    /// # Errors
    /// When there is none.
    pub fn require(checkout: &Checkout) -> Result<Self, NothingRuns> {
        Self::find(checkout).ok_or(NothingRuns)
    }

    /// Its emulator.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::local(self.port)
    }

    /// The group's id may have been reused, so only one of our emulators counts.
    fn is_alive(&self) -> bool {
        let group = self.group.to_string();
        capture(Command::new("ps").args(["-o", "command=", "-p", &group]).stderr(std::process::Stdio::null()))
            .is_ok_and(|command| command.contains("ferrite_emulators"))
    }
}

fn process_id(value: &Value) -> Option<i32> {
    // 0, 1 and negative numbers mean other things to kill(2).
    i32::try_from(value.as_i64()?).ok().filter(|id| *id > 1)
}

fn note_in(run_folder: &Path) -> PathBuf {
    run_folder.join("running.json")
}

fn read(note: &Path) -> Option<Running> {
    let note: Value = serde_json::from_str(&fs::read_to_string(note).ok()?).ok()?;
    Some(Running {
        port: u16::try_from(note["port"].as_u64()?).ok()?,
        group: process_id(&note["group"])?,
        owner: process_id(&note["owner"])?,
        detached: note["detached"].as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_record_back_and_rejects_anything_else() {
        let folder = std::env::temp_dir().join(format!("ferrite-running-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let note = note_in(&folder);
        let negative = r#"{"port": 1, "group": -1, "owner": 5, "detached": true}"#;
        let no_port = r#"{"port": 70000, "group": 5, "owner": 5, "detached": true}"#;
        for wrong in ["", "{}", negative, no_port] {
            fs::write(&note, wrong).unwrap();
            assert_eq!(read(&note), None, "{wrong}");
        }
        fs::write(&note, r#"{"port": 4566, "group": 77, "owner": 76, "detached": false}"#).unwrap();
        assert_eq!(read(&note).unwrap().group, 77);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn ignores_processes_that_are_not_our_emulators() {
        let this_test = Running { port: 1, group: std::process::id().cast_signed(), owner: 1, detached: false };
        assert!(!this_test.is_alive());
    }
}
