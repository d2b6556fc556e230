//! The error of this crate.

use std::path::PathBuf;

use ferrite_local_stack::files::FileError;
use ferrite_local_stack::process::ProcessError;

use crate::names::InvalidName;
use crate::record::RECORD_FILE;
use crate::rules::RULES_FILE;

/// The files of a project could not be generated, or its record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The name of the project is invalid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The rules are not valid TOML, or a pattern is not a valid regular expression.
    #[error("{RULES_FILE} is invalid: {0}")]
    Rules(String),
    /// The rules have no application with this name.
    #[error("{RULES_FILE} has no application named {0:?}")]
    UnknownApplication(String),
    /// The record of the project is not valid TOML, or a key is missing.
    #[error("{RECORD_FILE} is invalid: {0}; restore the version that was committed last")]
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
