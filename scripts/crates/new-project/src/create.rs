//! Creates the folder of a project.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::files::at;
use ferrite_project::{Application, Generated, Names, ProjectRecord, generate};

use crate::repository;

/// The version of the kit: that of all crates of the workspace.
const KIT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Creates a project in `directory`. The folder appears when it is complete: a failure or an interrupt leaves nothing.
///
/// # Errors
/// Returns an error if the folder is not empty or cannot be created, or if a file cannot be generated.
pub(crate) fn create(kit: &Checkout, names: &Names, application: &Application, directory: &Path) -> anyhow::Result<()> {
    let directory = std::path::absolute(directory).context("cannot find the current folder")?;
    require_empty(&directory)?;
    let parent = directory.parent().context("the root folder cannot be a project")?;
    let created = create_folders(parent)?;
    let result = create_in(kit, names, application, &directory, parent);
    if result.is_err() {
        // Only folders that are empty are removed.
        created.iter().for_each(|folder| drop(fs::remove_dir(folder)));
    }
    let files = result?;
    report_files(names, &directory, &files)?;
    repository::warnings(kit.root())?.iter().for_each(|warning| report(warning));
    Ok(())
}

fn create_in(
    kit: &Checkout,
    names: &Names,
    application: &Application,
    directory: &Path,
    parent: &Path,
) -> anyhow::Result<Generated> {
    let name = names.kebab();
    let prefix = format!(".{name}-");
    let temporary = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(at(parent))?;
    let root = temporary.path().join("project");
    let mut files = step(&format!("Generating {name}"), || generate(kit.root(), names, application, &root))?;
    let record = ProjectRecord {
        name: name.clone(),
        application: application.clone(),
        version: KIT_VERSION.to_owned(),
        commit: repository::commit(kit.root())?,
        source: repository::origin(kit.root()),
    };
    record.write(&root)?;
    files.kit.push(ferrite_project::RECORD_FILE.to_owned());
    if !repository::is_in_repository(parent) {
        repository::create(&root, &format!("Create {name} with Ferrite {}", record.version))?;
    }
    fs::rename(&root, directory).map_err(at(directory))?;
    Ok(files)
}

/// Checks that a folder does not exist or has no files.
fn require_empty(directory: &Path) -> anyhow::Result<()> {
    match fs::read_dir(directory).map(Iterator::count) {
        Ok(0) => Ok(()),
        Ok(_) => bail!("{} is not empty; name a folder that does not exist", directory.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(directory)(error).into()),
    }
}

/// Creates a folder and its parents, and returns those that did not exist, the innermost first.
fn create_folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    fs::create_dir_all(folder).map_err(at(folder))?;
    Ok(missing)
}

/// Prints the files that the team owns, and the folders of the kit.
fn report_files(names: &Names, directory: &Path, files: &Generated) -> anyhow::Result<()> {
    let lines = |files: &[String]| -> anyhow::Result<usize> {
        let count = |file: &String| {
            let path = directory.join(file);
            let bytes = fs::read(&path).map_err(at(&path))?;
            Ok(bytes.iter().filter(|byte| **byte == b'\n').count())
        };
        files.iter().map(count).sum()
    };
    report(&format!("\nYour application ({} files, {} lines):", files.owned.len(), lines(&files.owned)?));
    files.owned.iter().for_each(|file| report(&format!("  {file}")));
    report("\nGenerated from it (./scripts/generate):");
    files.generated.iter().for_each(|file| report(&format!("  {file}")));
    report("\nThe kit, which ./scripts/upgrade updates. Do not edit it, except to add dependencies to Cargo.toml:");
    for (folder, count) in kit_folders(files) {
        report(&format!("  {folder}{}", if count == 1 { String::new() } else { format!(" ({count} files)") }));
    }
    let directory = directory.canonicalize().map_err(at(directory))?;
    let directory = directory.display();
    report(&format!("\nCreated {} in {directory}. Its README.md describes the next steps.", names.kebab()));
    report(&format!("Start it with: cd {directory} && ./scripts/dev"));
    Ok(())
}

/// The files of the kit, grouped by the topmost folders that contain no file of the application, with their numbers.
fn kit_folders(files: &Generated) -> BTreeMap<String, usize> {
    let is_shared = |folder: &str| {
        let other = files.owned.iter().chain(&files.generated);
        other.into_iter().any(|file| file.starts_with(folder))
    };
    let mut folders = BTreeMap::new();
    for file in &files.kit {
        let ends = file.match_indices('/').map(|(at, _)| at + 1);
        let topmost = ends.map(|end| &file[..end]).find(|folder| !is_shared(folder)).unwrap_or(file);
        *folders.entry(topmost.to_owned()).or_default() += 1;
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_the_files_of_the_kit_by_folders_without_other_files() {
        let list = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect();
        let files = Generated {
            owned: list(&["shared/domain/src/lib.rs", "template.yaml"]),
            generated: list(&["shared/api/openapi.json"]),
            kit: list(&["shared/core/a.rs", "shared/core/src/b.rs", "tests/proxy/c.rs", "clippy.toml"]),
        };
        let folders: Vec<(String, usize)> = kit_folders(&files).into_iter().collect();
        let expected = [("clippy.toml", 1), ("shared/core/", 2), ("tests/", 1)];
        assert_eq!(folders, expected.map(|(folder, count)| (folder.to_owned(), count)));
    }

    #[test]
    fn accepts_only_folders_that_are_empty_or_do_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        assert!(require_empty(&folder.path().join("new/app")).is_ok());
        assert!(require_empty(folder.path()).is_ok());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(require_empty(folder.path()).unwrap_err().to_string().contains("is not empty"));
        assert!(require_empty(&folder.path().join("file")).is_err());
    }
}
