//! I/O errors that name the file.

use std::io;
use std::path::{Path, PathBuf};

/// A file or folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot access {}", path.display())]
pub struct FileError {
    /// Path of the file or folder.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

/// Adds the path to an I/O error: `fs::read(path).map_err(at(path))`.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError + use<> {
    let path = path.to_owned();
    |source| FileError { path, source }
}
