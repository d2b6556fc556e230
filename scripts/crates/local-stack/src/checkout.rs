//! The Git checkout, and the folders that the commands use in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{FileError, at};

/// Error returned when the current folder is not a Ferrite checkout.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The current folder has no samconfig.toml.
    #[error("{} is not a Ferrite checkout; run the command as ./scripts/NAME", .0.display())]
    NotACheckout(PathBuf),
    /// The current folder could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The checkout that the command runs in.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Returns the checkout whose root is the current folder. `scripts/ferrite` changes to the root before it runs a
    /// command.
    ///
    /// # Errors
    /// Returns an error if the current folder is not the root of a checkout.
    pub fn here() -> Result<Self, CheckoutError> {
        let root = std::env::current_dir().map_err(at(Path::new(".")))?;
        if root.join("samconfig.toml").is_file() { Ok(Self { root }) } else { Err(CheckoutError::NotACheckout(root)) }
    }

    /// Returns a checkout at `root` without checking it, for tests.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Path of the root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of a file or folder in the checkout, given its path relative to the root.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Whether the checkout has this file or folder, given its path relative to the root. A project has only some of the
    /// folders in this repository.
    #[must_use]
    pub fn has(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// Folder with the signing key of the local token issuer, which all commands share.
    #[must_use]
    pub fn keys_folder(&self) -> PathBuf {
        self.path(".ferrite/keys")
    }

    /// Returns the folder for the logs, state and staged code of a run (`dev`, `test`, `deploy-staging` …), and creates
    /// it if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be created.
    pub fn run_folder(&self, run: &str) -> Result<PathBuf, FileError> {
        let folder = self.path(".ferrite").join(run);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(folder)
    }
}
