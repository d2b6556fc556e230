//! Changes of files that are computed first and then written together, or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ferrite_local_stack::console::report;
use ferrite_local_stack::files::{FileError, at};
use ferrite_local_stack::process::{check_interrupted, interrupted};

/// Files to write and to remove, by their paths relative to the root.
#[derive(Debug, Default)]
pub(crate) struct Changes(BTreeMap<String, Option<String>>);

/// The contents of files before they are changed; `None` for files that do not exist.
struct Backup {
    root: PathBuf,
    files: BTreeMap<String, Option<Vec<u8>>>,
}

impl Changes {
    /// Creates or overwrites a file.
    pub(crate) fn write(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.0.insert(path.into(), Some(text.into()));
    }

    /// Removes a file.
    pub(crate) fn remove(&mut self, path: impl Into<String>) {
        self.0.insert(path.into(), None);
    }

    /// The text that a file will have, if it is written.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path)?.as_deref()
    }

    /// Writes and removes the files, and calls `finish`. Returns a description of each file that has changed. If an error or
    /// a signal occurs, restores the files, and those in `generated`, which `finish` may change.
    ///
    /// # Errors
    /// Returns the error of `finish`, or an error if a file cannot be written or a signal was received.
    pub(crate) fn apply(
        &self,
        root: &Path,
        generated: &[String],
        finish: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<String>> {
        let backup = Backup::read(root, self.0.keys().chain(generated))?;
        let result = self.write_all(root).and_then(|()| finish()).and_then(|()| Ok(check_interrupted()?));
        if let Err(error) = result {
            let failures: Vec<String> = backup.restore().iter().map(ToString::to_string).collect();
            let outcome = if failures.is_empty() {
                "the files are as they were before".to_owned()
            } else {
                format!("not all files could be restored ({}); restore them with git", failures.join(", "))
            };
            // After a signal, the commands do not print the error.
            if interrupted() {
                report(&outcome);
            }
            return Err(error.context(outcome));
        }
        Ok(backup.differences()?)
    }

    fn write_all(&self, root: &Path) -> anyhow::Result<()> {
        for (path, text) in &self.0 {
            check_interrupted()?;
            let path = root.join(path);
            match text {
                Some(text) => write(&path, text.as_bytes())?,
                None => remove(root, &path)?,
            }
        }
        Ok(())
    }
}

impl Backup {
    fn read<'a>(root: &Path, paths: impl Iterator<Item = &'a String>) -> Result<Self, FileError> {
        let mut files = BTreeMap::new();
        for relative in paths {
            files.insert(relative.clone(), contents(&root.join(relative))?);
        }
        Ok(Self { root: root.to_owned(), files })
    }

    /// Restores as many files as possible, and returns the errors of the others.
    fn restore(&self) -> Vec<FileError> {
        let restored = self.files.iter().map(|(relative, before)| {
            let path = self.root.join(relative);
            match before {
                Some(bytes) if contents(&path)?.as_ref() != Some(bytes) => write(&path, bytes),
                None => remove(&self.root, &path),
                Some(_) => Ok(()),
            }
        });
        restored.filter_map(Result::err).collect()
    }

    /// Describes each file that differs from the backup, such as `created functions/get-note/Cargo.toml`.
    fn differences(&self) -> Result<Vec<String>, FileError> {
        let mut differences = Vec::new();
        for (relative, before) in &self.files {
            let action = match (before, contents(&self.root.join(relative))?) {
                (None, Some(_)) => "created",
                (Some(_), None) => "removed",
                (Some(before), Some(after)) if *before != after => "changed",
                _ => continue,
            };
            differences.push(format!("{action} {relative}"));
        }
        Ok(differences)
    }
}

fn contents(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// Writes a file and its missing folders. Other programs see the old or the new contents, but nothing in between.
fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let written = fs::write(&temporary, bytes).and_then(|()| {
        if let Ok(metadata) = fs::metadata(path) {
            fs::set_permissions(&temporary, metadata.permissions())?;
        }
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(at(path))
}

/// Removes a file, and its folders up to `root` if they are empty.
fn remove(root: &Path, path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path)(error)),
        _ => {}
    }
    let folders = path.ancestors().skip(1).take_while(|folder| *folder != root);
    for folder in folders {
        // Fails if the folder is not empty.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    /// A folder with the files `kept`, `changed` and `folder/removed`, and changes of the last two and of `new/created`.
    fn fixture() -> (tempfile::TempDir, Changes) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        for name in ["kept", "changed", "folder/removed", "generated"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let mut changes = Changes::default();
        changes.write("changed", "new text");
        changes.write("new/created", "new text");
        changes.remove("folder/removed");
        (folder, changes)
    }

    fn files(root: &Path) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files.push((path.strip_prefix(root).unwrap().display().to_string(), "folder".to_owned()));
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).unwrap();
                    files.push((path.strip_prefix(root).unwrap().display().to_string(), text));
                }
            }
        }
        files.sort();
        files
    }

    #[test]
    fn writes_and_removes_files_and_folders() {
        let (folder, changes) = fixture();
        let differences = changes.apply(folder.path(), &["kept".to_owned()], || Ok(())).unwrap();
        assert_eq!(differences, ["changed changed", "removed folder/removed", "created new/created"]);
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let expected = [
            file("changed", "new text"),
            file("generated", "generated"),
            file("kept", "kept"),
            file("new", "folder"),
            file("new/created", "new text"),
        ];
        assert_eq!(files(folder.path()), expected);
    }

    #[test]
    fn restores_everything_after_an_error() {
        let (folder, changes) = fixture();
        let before = files(folder.path());
        let root = folder.path();
        let result = changes.apply(root, &["generated".to_owned(), "other".to_owned()], || {
            fs::write(root.join("generated"), "new text")?;
            fs::write(root.join("other"), "new text")?;
            bail!("the generator failed")
        });
        assert_eq!(format!("{:#}", result.unwrap_err()), "the files are as they were before: the generator failed");
        assert_eq!(files(root), before);
    }

    #[test]
    fn restores_the_other_files_if_one_cannot_be_restored() {
        let (folder, changes) = fixture();
        let root = folder.path();
        let result = changes.apply(root, &[], || {
            fs::remove_file(root.join("changed"))?;
            fs::create_dir(root.join("changed"))?;
            bail!("the generator failed")
        });
        let error = format!("{:#}", result.unwrap_err());
        assert!(error.starts_with("not all files could be restored (") && error.contains("changed"), "{error}");
        assert!(error.ends_with("; restore them with git: the generator failed"), "{error}");
        assert_eq!(fs::read_to_string(root.join("folder/removed")).unwrap(), "folder/removed");
        assert!(!root.join("new").exists());
    }

    #[test]
    fn restores_everything_if_a_file_cannot_be_written() {
        let (folder, mut changes) = fixture();
        // A file is in the place of a folder.
        changes.write("kept/created", "new text");
        let before = files(folder.path());
        assert!(changes.apply(folder.path(), &[], || Ok(())).is_err());
        assert_eq!(files(folder.path()), before);
    }
}
