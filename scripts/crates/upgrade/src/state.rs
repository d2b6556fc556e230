//! The state of an upgrade, which `--continue` and `--abort` read. It is in the git directory, so that `git clean` keeps it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::git::Git;

/// The folder in the git directory.
const FOLDER: &str = "ferrite-upgrade";

/// How far an upgrade is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// The files of the work tree are being replaced.
    Applying,
    /// The work tree contains the merged files, and nothing is committed yet.
    Applied,
    /// The upgrade is committed.
    Committed,
}

/// The state of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// How far the upgrade is.
    pub(crate) phase: Phase,
    /// The commit before the upgrade.
    pub(crate) start: String,
    /// The name of the release.
    pub(crate) release: String,
    /// The files with conflicts.
    pub(crate) conflicts: Vec<String>,
    /// The manual steps of the release.
    pub(crate) manual_steps: Vec<String>,
    /// The commit with the upgrade, in the phase [`Phase::Committed`].
    pub(crate) result: Option<String>,
}

impl State {
    /// Reads the state of the last upgrade in this work tree.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(crate) fn load(git: &Git) -> anyhow::Result<Option<Self>> {
        let path = folder(git)?.join("state.json");
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(
                serde_json::from_slice(&bytes).with_context(|| format!("cannot read {}; delete it", path.display()))?,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Reads the state of an upgrade that is neither committed nor undone.
    ///
    /// # Errors
    /// Returns the errors of [`Self::load`].
    pub(crate) fn in_progress(git: &Git) -> anyhow::Result<Option<Self>> {
        Ok(Self::load(git)?.filter(|state| state.phase != Phase::Committed))
    }

    /// Writes the state. A crash leaves either the previous or the new state.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub(crate) fn save(&self, git: &Git) -> anyhow::Result<()> {
        let folder = folder(git)?;
        let path = folder.join("state.json");
        let write = || {
            fs::create_dir_all(&folder)?;
            let temporary = folder.join("state.new");
            fs::write(&temporary, serde_json::to_vec_pretty(self)?)?;
            fs::rename(&temporary, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Copies this program next to the state. `scripts/upgrade` runs the copy during an upgrade, because conflicts can
    /// prevent it from building the program.
    ///
    /// # Errors
    /// Returns an error if the program cannot be copied.
    pub(crate) fn keep_program(git: &Git, program: &Path) -> anyhow::Result<()> {
        let copy = self::program(git)?;
        fs::copy(program, &copy).with_context(|| format!("cannot copy {} to {}", program.display(), copy.display()))?;
        Ok(())
    }

    /// Deletes the copy of the program.
    ///
    /// # Errors
    /// Returns an error if it cannot be deleted.
    pub(crate) fn drop_program(git: &Git) -> anyhow::Result<()> {
        let copy = program(git)?;
        match fs::remove_file(&copy) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", copy.display()))
            }
            _ => Ok(()),
        }
    }

    /// Deletes the state and the copy of the program.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be deleted.
    pub(crate) fn delete(git: &Git) -> anyhow::Result<()> {
        let folder = folder(git)?;
        fs::remove_dir_all(&folder).with_context(|| format!("cannot delete {}", folder.display()))
    }
}

fn folder(git: &Git) -> anyhow::Result<PathBuf> {
    git.path(FOLDER)
}

fn program(git: &Git) -> anyhow::Result<PathBuf> {
    Ok(folder(git)?.join("program"))
}
