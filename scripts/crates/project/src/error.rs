//! The error of this crate.

use std::path::PathBuf;

use ferrite_local_stack::files::FileError;
use ferrite_local_stack::process::ProcessError;

use crate::names::InvalidName;

/// The files of a project could not be generated, or its record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The name of the project is invalid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The rules are not valid TOML, or a pattern is not a valid regular expression.
    #[error("scripts/project.toml is invalid: {0}")]
    Rules(String),
    /// The rules have no application with this name.
    #[error("scripts/project.toml has no application named {0:?}")]
    UnknownApplication(String),
    /// The record of the project is not valid TOML, or a key is missing.
    #[error("ferrite.toml is invalid: {0}; restore the version that was committed last")]
    Record(String),
    /// A manifest is not valid TOML.
    #[error("{} is not valid TOML", .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The error of the parser.
        source: toml_edit::TomlError,
    },
    /// Git or cargo failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}
