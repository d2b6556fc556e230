//! I/O errors that name the file.

use std::path::{Path, PathBuf};
use std::{fs, io};

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

/// Deletes a folder with its contents, if it exists.
///
/// # Errors
/// Returns an error if the folder cannot be deleted.
pub fn delete_folder_if_exists(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

/// Deletes a file if it exists.
///
/// # Errors
/// Returns an error if the file cannot be deleted.
pub fn delete_if_exists(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}
