//! Where things lie in the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use crate::trouble::{Trouble, at};

/// The checkout that the scripts were started from.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout whose root is the current folder, as scripts/ferrite sees to.
    ///
    /// # Errors
    /// When the current folder is something else.
    pub fn here() -> Result<Self, Trouble> {
        let here = std::env::current_dir().map_err(at(Path::new(".")))?;
        if here.join("samconfig.toml").is_file() { Ok(Self { root: here }) } else { Err(Trouble::NotACheckout(here)) }
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

    /// Where the local token issuer keeps its key, for dev and test alike.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path(".ferrite/keys")
    }

    /// The folder of one run (`dev`, `test`, `deploy-staging` …): its logs, state and staged code. Made if missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn run_folder(&self, run: &str) -> Result<PathBuf, Trouble> {
        let folder = self.path(".ferrite").join(run);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(folder)
    }
}
