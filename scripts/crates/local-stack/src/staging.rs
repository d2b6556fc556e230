//! The staging folder, which contains what is deployed: template.yaml and, for each function, the
//! `target/lambda/<function>/bootstrap` that its `CodeUri` refers to.
//!
//! Every run has its own staging folder, so that dev, test and deploy do not interfere with each other.

use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use zip::write::SimpleFileOptions;

use crate::checkout::Checkout;
use crate::files::{FileError, at, delete_folder_if_exists, delete_if_exists};
use crate::functions::Binary;
use crate::sources::TEMPLATE_FOLDER;

/// The size of the blocks in which files are compared.
const COMPARED_BYTES: usize = 1 << 20;

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

/// A copy of the templates that is checked and deployed as a whole, while the originals may be edited again.
#[derive(Debug, Clone)]
pub struct Candidate {
    folder: PathBuf,
    changed: Vec<String>,
}

impl Candidate {
    /// The folder with `template.yaml` and the nested templates.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The templates that differ from the staged ones, relative to the folder.
    #[must_use]
    pub fn changed(&self) -> &[String] {
        &self.changed
    }
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

    /// Copies the checkout's templates to a folder of their own. They become the staged templates with [`Self::accept`].
    ///
    /// # Errors
    /// Returns an error if a template cannot be read or copied.
    pub fn copy_candidate(&self, checkout: &Checkout) -> Result<Candidate, FileError> {
        let folder = self.folder.join("candidate");
        copy_templates(checkout.root(), &folder)?;
        let is_changed = |name: &String| fs::read(folder.join(name)).ok() != fs::read(self.folder.join(name)).ok();
        let changed = templates(&folder)?.into_iter().filter(is_changed).collect();
        Ok(Candidate { folder, changed })
    }

    /// Stages the templates of a candidate, after its deployment.
    ///
    /// # Errors
    /// Returns an error if a template cannot be copied.
    pub fn accept(&self, candidate: &Candidate) -> Result<(), FileError> {
        copy_templates(&candidate.folder, &self.folder)
    }

    /// Copies the checkout's template and its nested templates.
    ///
    /// # Errors
    /// Returns an error if a template cannot be copied.
    pub fn copy_template(&self, checkout: &Checkout) -> Result<(), FileError> {
        copy_templates(checkout.root(), &self.folder)
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

    /// Stages a launcher for each binary instead of the binary itself, and returns the names of the functions whose code has
    /// changed. Only an emulator that runs functions as processes of this machine can run launchers.
    ///
    /// A launcher is a shell script of two lines that starts the binary in the staging folder. So a deployment uploads and
    /// unpacks a few hundred bytes per function instead of several megabytes.
    ///
    /// The binaries of earlier versions stay until [`Self::delete_old_versions`], because the emulator may still start them.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or written.
    pub fn put_launchers(&self, binaries: &[Binary]) -> Result<Vec<String>, FileError> {
        let mut changed = Vec::new();
        for binary in binaries {
            if self.put_launcher(binary)? {
                changed.push(binary.name.clone());
            }
        }
        Ok(changed)
    }

    fn put_launcher(&self, binary: &Binary) -> Result<bool, FileError> {
        let folder = self.versions(&binary.name);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let current = self.version(&binary.name).map(|version| folder.join(version));
        if let Some(current) = current
            && has_same_content(&binary.path, &current)?
        {
            return Ok(false);
        }
        let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos());
        let executable = folder.join(nanoseconds.to_string());
        // cargo replaces the file at its next build instead of changing it, so a link keeps this version.
        if fs::hard_link(&binary.path, &executable).is_err() {
            fs::copy(&binary.path, &executable).map_err(at(&executable))?;
        }
        let bootstrap = self.bootstrap(&binary.name);
        fs::create_dir_all(bootstrap.with_file_name("")).map_err(at(&bootstrap))?;
        fs::write(&bootstrap, launcher(&executable)).map_err(at(&bootstrap))?;
        Ok(true)
    }

    /// The version of a function's code that is staged with a launcher.
    #[must_use]
    pub fn version(&self, function: &str) -> Option<String> {
        let launcher = fs::read_to_string(self.bootstrap(function)).ok()?;
        let folder = self.versions(function);
        let mut versions = fs::read_dir(&folder).ok()?.flatten();
        let staged = versions.find(|version| launcher == self::launcher(&version.path()))?;
        staged.file_name().into_string().ok()
    }

    /// Deletes the binaries of a function, except the staged version. Call it when the emulator no longer starts them.
    ///
    /// # Errors
    /// Returns an error if a file cannot be deleted.
    pub fn delete_old_versions(&self, function: &str) -> Result<(), FileError> {
        let Some(current) = self.version(function) else { return Ok(()) };
        let folder = self.versions(function);
        for version in fs::read_dir(&folder).map_err(at(&folder))?.flatten() {
            if version.file_name().to_string_lossy() != current {
                fs::remove_file(version.path()).map_err(at(&version.path()))?;
            }
        }
        Ok(())
    }

    /// Deletes the code of a function that the stack no longer has.
    ///
    /// # Errors
    /// Returns an error if a file cannot be deleted.
    pub fn delete(&self, function: &str) -> Result<(), FileError> {
        for folder in [self.functions_folder().join(function), self.versions(function)] {
            delete_folder_if_exists(&folder)?;
        }
        Ok(())
    }

    /// Folder with the binaries of a function that its launchers start.
    fn versions(&self, function: &str) -> PathBuf {
        self.folder.join("binaries").join(function)
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

/// Returns the template of the stack and the nested templates, relative to `root`.
///
/// # Errors
/// Returns an error if the folder of the nested templates cannot be read.
pub fn templates(root: &Path) -> Result<Vec<String>, FileError> {
    let folder = root.join(TEMPLATE_FOLDER);
    let mut nested = Vec::new();
    // A copy of templates has no such folder if there are no nested templates.
    if folder.is_dir() {
        for entry in fs::read_dir(&folder).map_err(at(&folder))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".yaml") {
                nested.push(format!("{TEMPLATE_FOLDER}/{name}"));
            }
        }
    }
    nested.sort();
    nested.insert(0, "template.yaml".to_owned());
    Ok(nested)
}

/// Copies all templates, and deletes the copies of those that no longer exist.
fn copy_templates(source: &Path, destination: &Path) -> Result<(), FileError> {
    let names = templates(source)?;
    for outdated in templates(destination)?.iter().filter(|name| !names.contains(name)) {
        delete_if_exists(&destination.join(outdated))?;
    }
    for name in names {
        let template = source.join(&name);
        let copy = destination.join(&name);
        fs::create_dir_all(copy.with_file_name("")).map_err(at(&copy))?;
        fs::copy(&template, &copy).map_err(at(&template))?;
    }
    Ok(())
}

/// A script that replaces itself with `executable`.
fn launcher(executable: &Path) -> String {
    format!("#!/bin/sh\nexec '{}' \"$@\"\n", executable.display().to_string().replace('\'', "'\\''"))
}

/// Compares two files, and stops at the first difference.
fn has_same_content(one: &Path, other: &Path) -> Result<bool, FileError> {
    let metadata = |path: &Path| fs::metadata(path).map_err(at(path));
    let (first, second) = (metadata(one)?, metadata(other)?);
    if (first.dev(), first.ino()) == (second.dev(), second.ino()) {
        return Ok(true);
    }
    if first.len() != second.len() {
        return Ok(false);
    }
    let mut first = File::open(one).map_err(at(one))?;
    let mut second = File::open(other).map_err(at(other))?;
    let (mut left, mut right) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
    loop {
        let size = first.read(&mut left).map_err(at(one))?;
        second.read_exact(&mut right[..size]).map_err(at(other))?;
        if left[..size] != right[..size] {
            return Ok(false);
        }
        if size == 0 {
            return Ok(true);
        }
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
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

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
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
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
    fn candidate_knows_the_changed_templates_until_it_is_accepted() {
        let folder = TempFolder::new("candidate");
        fs::create_dir_all(folder.0.join("infra")).unwrap();
        let names = ["template.yaml", "infra/network.yaml", "infra/operations.yaml"];
        let checkout = Checkout::at(&folder.0);
        let staging = Staging::open(&folder.0).unwrap();
        names.iter().for_each(|name| fs::write(folder.0.join(name), "one").unwrap());
        fs::write(folder.0.join("infra/README.md"), "not a template").unwrap();
        let first = staging.copy_candidate(&checkout).unwrap();
        assert_eq!(first.changed(), names);
        fs::write(folder.0.join("template.yaml"), "an edit while the first is deployed").unwrap();
        staging.accept(&first).unwrap();
        assert_eq!(staging.copy_candidate(&checkout).unwrap().changed(), ["template.yaml"]);

        fs::remove_file(folder.0.join("infra/network.yaml")).unwrap();
        let last = staging.copy_candidate(&checkout).unwrap();
        assert_eq!(templates(last.folder()).unwrap(), ["template.yaml", "infra/operations.yaml"]);
    }

    #[test]
    fn launcher_starts_the_staged_version_of_a_function() {
        let folder = TempFolder::new("launcher's");
        let staging = Staging::open(&folder.0).unwrap();
        let run = || {
            let output = Command::new("sh").arg(staging.bootstrap("f")).arg("two  words").output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let put = |code: &str| {
            let binary = folder.binary(code, 0);
            fs::set_permissions(&binary.path, PermissionsExt::from_mode(0o755)).unwrap();
            let changed = staging.put_launchers(&[binary]).unwrap();
            // As cargo does, so that the staged version keeps its content.
            fs::remove_file(folder.0.join("built")).unwrap();
            changed
        };
        assert_eq!(put("#!/bin/sh\necho \"one $1\""), ["f"]);
        assert_eq!(run(), "one two  words\n");
        let first = staging.version("f").unwrap();
        assert!(put("#!/bin/sh\necho \"one $1\"").is_empty());
        assert_eq!(staging.version("f").unwrap(), first);
        staging.delete("f").unwrap();
        assert_eq!(staging.version("f"), None);
        assert_eq!(put("#!/bin/sh\necho \"one $1\""), ["f"], "the function is new");
        assert_eq!(put("#!/bin/sh\necho \"two $1\""), ["f"]);
        assert_eq!(run(), "two two  words\n");
        let versions = || fs::read_dir(staging.versions("f")).unwrap().count();
        assert_eq!(versions(), 2);
        staging.delete_old_versions("f").unwrap();
        assert_eq!((versions(), run().as_str()), (1, "two two  words\n"));
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
