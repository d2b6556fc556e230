//! The staging folder, which contains what is deployed: template.yaml and, for each function, the
//! `target/lambda/<function>/bootstrap` that its `CodeUri` refers to.
//!
//! Every run has its own staging folder, so that dev, test and deploy do not interfere with each other.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zip::write::SimpleFileOptions;

use crate::checkout::Checkout;
use crate::files::{FileError, at};
use crate::functions::Binary;

/// Error returned when code cannot be staged or packaged.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The zip archive for Lambda could not be written.
    #[error("cannot create the function's zip archive")]
    Archive(#[from] zip::result::ZipError),
}

/// Staging folder of one run.
pub struct Staging {
    folder: PathBuf,
}

impl Staging {
    /// Opens the staging folder in a run's folder, and creates it if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be created.
    pub fn open(run_folder: &Path) -> Result<Self, FileError> {
        let folder = run_folder.join("stage");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder })
    }

    /// Folder that contains one folder for each function.
    #[must_use]
    pub fn functions_folder(&self) -> PathBuf {
        self.folder.join("target/lambda")
    }

    /// Path of the staged template.
    #[must_use]
    pub fn template(&self) -> PathBuf {
        self.folder.join("template.yaml")
    }

    /// Copies the checkout's template and its nested templates.
    ///
    /// # Errors
    /// Returns an error if a template cannot be copied.
    pub fn copy_template(&self, checkout: &Checkout) -> Result<(), FileError> {
        for name in ["template.yaml", "infra/firewall.yaml", "infra/operations.yaml"] {
            let template = checkout.path(name);
            let copy = self.folder.join(name);
            fs::create_dir_all(copy.with_file_name("")).map_err(at(&copy))?;
            fs::copy(&template, &copy).map_err(at(&template))?;
        }
        Ok(())
    }

    /// Stages the binaries, and returns the names of the functions whose code has changed.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or written.
    pub fn put(&self, binaries: &[Binary]) -> Result<Vec<String>, FileError> {
        let mut changed = Vec::new();
        for binary in binaries {
            if self.put_one(binary)? {
                changed.push(binary.name.clone());
            }
        }
        Ok(changed)
    }

    fn put_one(&self, binary: &Binary) -> Result<bool, FileError> {
        let bootstrap = self.bootstrap(&binary.name);
        if is_older(&binary.path, &bootstrap) {
            return Ok(false);
        }
        let fresh = bootstrap.with_extension("new");
        fs::create_dir_all(fresh.with_file_name("")).map_err(at(&fresh))?;
        copy_without_symbols(&binary.path, &fresh)?;
        let code = fs::read(&fresh).map_err(at(&fresh))?;
        let unchanged = fs::read(&bootstrap).is_ok_and(|staged| staged == code);
        // Replace the file even if the code is unchanged: its new modification time makes later calls skip the
        // comparison.
        fs::rename(&fresh, &bootstrap).map_err(at(&bootstrap))?;
        Ok(!unchanged)
    }

    fn bootstrap(&self, function: &str) -> PathBuf {
        self.functions_folder().join(function).join("bootstrap")
    }

    /// Returns a text that changes whenever the template or the code of any function changes.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read.
    pub fn fingerprint(&self) -> Result<String, FileError> {
        let template = self.template();
        let mut text = fs::read_to_string(&template).map_err(at(&template))?;
        let folder = self.functions_folder();
        let mut functions: Vec<PathBuf> =
            fs::read_dir(&folder).map_err(at(&folder))?.flatten().map(|entry| entry.path().join("bootstrap")).collect();
        functions.sort();
        for bootstrap in functions {
            let metadata = fs::metadata(&bootstrap).map_err(at(&bootstrap))?;
            text.push_str(&format!("{} {:?}\n", bootstrap.display(), metadata.modified().ok()));
        }
        Ok(text)
    }

    /// Returns the staged code of a function as a zip archive for Lambda.
    ///
    /// # Errors
    /// Returns an error if the code cannot be read.
    pub fn archive(&self, function: &str) -> Result<Vec<u8>, StagingError> {
        let path = self.bootstrap(function);
        let code = fs::read(&path).map_err(at(&path))?;
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).unix_permissions(0o755);
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::with_capacity(code.len() + 256)));
        archive.start_file("bootstrap", options)?;
        archive.write_all(&code).map_err(at(&path))?;
        Ok(archive.finish()?.into_inner())
    }
}

fn is_older(source: &Path, copy: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    matches!((modified(source), modified(copy)), (Some(source), Some(copy)) if source < copy)
}

/// Copies a binary without its debug symbols, which are two thirds of a dev build and would be packaged at every
/// deployment.
///
/// Symbols are stripped only on Linux. On macOS, the binary does not contain them, and stripping it would invalidate its
/// signature.
fn copy_without_symbols(source: &Path, copy: &Path) -> Result<(), FileError> {
    let stripped = cfg!(target_os = "linux")
        && Command::new("strip")
            .arg("-o")
            .args([copy, source])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    if !stripped {
        fs::copy(source, copy).map_err(at(source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    struct TempFolder(PathBuf);

    impl TempFolder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ferrite-staging-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        /// Writes a binary whose modification time is `seconds` in the future, so that it is newer than any staged copy
        /// even on file systems with coarse timestamps.
        fn binary(&self, code: &str, seconds: u64) -> Binary {
            let path = self.0.join("built");
            fs::write(&path, code).unwrap();
            let time = SystemTime::now() + Duration::from_secs(seconds);
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            Binary { name: "f".to_owned(), path }
        }
    }

    impl Drop for TempFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn reports_only_functions_whose_code_has_changed() {
        let folder = TempFolder::new("changed");
        let staging = Staging::open(&folder.0).unwrap();
        assert_eq!(staging.put(&[folder.binary("one", 10)]).unwrap(), ["f"]);
        assert!(staging.put(&[folder.binary("one", 20)]).unwrap().is_empty());
        assert_eq!(staging.put(&[folder.binary("two", 30)]).unwrap(), ["f"]);
        assert_eq!(fs::read_to_string(staging.bootstrap("f")).unwrap(), "two");
    }

    #[test]
    fn fingerprint_changes_with_the_code_and_with_the_template() {
        let folder = TempFolder::new("fingerprint");
        let staging = Staging::open(&folder.0).unwrap();
        fs::write(staging.template(), "a").unwrap();
        staging.put(&[folder.binary("one", 10)]).unwrap();
        let first = staging.fingerprint().unwrap();
        assert_eq!(staging.fingerprint().unwrap(), first);
        staging.put(&[folder.binary("two", 20)]).unwrap();
        let second = staging.fingerprint().unwrap();
        assert_ne!(second, first);
        fs::write(staging.template(), "b").unwrap();
        assert_ne!(staging.fingerprint().unwrap(), second);
    }

    #[test]
    fn archive_contains_an_executable_bootstrap() {
        let folder = TempFolder::new("archive");
        let staging = Staging::open(&folder.0).unwrap();
        staging.put(&[folder.binary("code", 10)]).unwrap();
        let archive = staging.archive("f").unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        let file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode().unwrap() & 0o777, 0o755);
        assert_eq!(std::io::read_to_string(file).unwrap(), "code");
    }
}
