//! Generates the files of a project.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ferrite_local_stack::files::at;
use ferrite_local_stack::functions::remove_package_variables;
use ferrite_local_stack::process::{ProcessError, check_interrupted, run};

use crate::cargo_manifest;
use crate::error::ProjectError;
use crate::names::Names;
use crate::rules::{Application, Part, Rules};
use crate::source::tracked_files;

/// The files of a generated project, as sorted paths relative to its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// The files that the team owns and edits.
    pub owned: Vec<String>,
    /// Files that tools generate from those that the team owns, such as the API document.
    pub generated: Vec<String>,
    /// The files of the kit, which the team does not edit.
    pub kit: Vec<String>,
}

/// Generates the files of a project in the folder `destination`, which must be empty or not exist, from the checkout of
/// the kit in the folder `source`.
///
/// The files are those that Git tracks in `source`, with their contents in the work tree. A failure leaves an incomplete
/// project, so pass a temporary folder. The record of the project is not written.
///
/// # Errors
/// Returns an error if `source` is not a checkout, its rules are invalid or have no such application, or a file cannot be
/// written.
pub fn generate(
    source: &Path,
    names: &Names,
    application: &Application,
    destination: &Path,
) -> Result<Generated, ProjectError> {
    let rules = Rules::read(source)?;
    let renaming = rules.renaming(names);
    let mut files = BTreeMap::new();
    for path in tracked_files(source)? {
        let (part, path_in_project) = rules.part(&path, application)?;
        let path_in_project = renaming.apply(path_in_project)?;
        // A file in the folder of the application replaces the kit's file with the same path.
        let replaces = path_in_project != renaming.apply(&path)?;
        if part != Part::Repository && (replaces || !files.contains_key(&path_in_project)) {
            files.insert(path_in_project, (part, path));
        }
    }
    let mut renamed = Vec::new();
    for (path_in_project, (_, path)) in &files {
        check_interrupted().map_err(ProcessError::from)?;
        let change = |text: String| renaming.apply(&rules.without_removals(path, text, application)?);
        if copy(&source.join(path), &destination.join(path_in_project), change)? {
            renamed.push(path_in_project.clone());
        }
    }
    format(destination, renamed.iter().filter(|path| path.ends_with(".rs")))?;
    cargo_manifest::derive(destination)?;
    resolve_dependencies(destination)?;
    cargo_manifest::remove_unused_packages(destination)?;

    let mut generated = Generated::default();
    for (path, (part, _)) in files {
        match part {
            _ if rules.is_generated(&path) => generated.generated.push(path),
            Part::Kit => generated.kit.push(path),
            _ => generated.owned.push(path),
        }
    }
    Ok(generated)
}

/// Copies a file with its permissions, and changes it if it is a text. Returns whether the text is another one.
fn copy(from: &Path, to: &Path, change: impl FnOnce(String) -> Result<String, ProjectError>) -> Result<bool, ProjectError> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(at(folder))?;
    // This also copies the permissions.
    fs::copy(from, to).map_err(at(to))?;
    let bytes = fs::read(from).map_err(at(from))?;
    let Some(text) = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')) else { return Ok(false) };
    let changed = change(text.clone())?;
    if changed == text {
        return Ok(false);
    }
    fs::write(to, changed).map_err(at(to))?;
    Ok(true)
}

/// Formats source files, because lines with a longer or shorter name break elsewhere.
fn format<'a>(root: &Path, files: impl Iterator<Item = &'a String>) -> Result<(), ProcessError> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config-path", "rustfmt.toml"]).args(files).current_dir(root);
    if rustfmt.get_args().count() == 4 { Ok(()) } else { run(&mut rustfmt) }
}

/// Removes the packages from Cargo.lock that the project does not use, and adds its own crates. The versions stay.
fn resolve_dependencies(root: &Path) -> Result<(), ProcessError> {
    let update = |arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        remove_package_variables(&mut cargo);
        cargo.args(["update", "--workspace", "--quiet"]).args(arguments).current_dir(root);
        cargo
    };
    // The registry is needed only if this machine has never resolved the dependencies of the kit.
    match run(update(&["--offline"]).stderr(std::process::Stdio::null())) {
        Err(ProcessError::Failed { .. }) => run(&mut update(&[])),
        result => result,
    }
}
