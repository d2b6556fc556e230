//! The checkout, and the folders that the scripts use in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{FileError, at};

/// Why the checkout was not found.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The current folder has no samconfig.toml.
    #[error("{} is not a Ferrite checkout: start the scripts as ./scripts/NAME", .0.display())]
    NotACheckout(PathBuf),
    /// The current folder could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The checkout that the scripts were started from.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout whose root is the current folder. `scripts/ferrite` changes to it.
    ///
    /// # Errors
    /// When the current folder is not a checkout.
    pub fn here() -> Result<Self, CheckoutError> {
        let here = std::env::current_dir().map_err(at(Path::new(".")))?;
        if here.join("samconfig.toml").is_file() { Ok(Self { root: here }) } else { Err(CheckoutError::NotACheckout(here)) }
    }

    /// The checkout at `root`, for tests.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder of the checkout.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder with the key of the local token issuer, which all commands share.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path(".ferrite/keys")
    }

    /// The folder of one run (`dev`, `test`, `deploy-staging` …): its logs, state and staged code. Made if missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn run_folder(&self, run: &str) -> Result<PathBuf, FileError> {
        let folder = self.path(".ferrite").join(run);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(folder)
    }
}
