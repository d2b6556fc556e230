//! Derives the manifest of a project's workspace from that of the kit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ferrite_local_stack::files::{FileError, at};
use toml_edit::{DocumentMut, InlineTable, Item, Key, Table, Value, value};

use crate::error::ProjectError;

const MANIFEST: &str = "Cargo.toml";
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// A crate of the project.
#[derive(Debug)]
struct Crate {
    /// Its folder, relative to the root.
    folder: String,
    is_library: bool,
    /// The dependencies that it takes from the workspace.
    inherited: BTreeSet<String>,
}

/// Adapts the manifest in the root of a project, which is a copy of the kit's: removes members and dependencies that the
/// project does not have, and adds the project's own libraries.
///
/// # Errors
/// Returns an error if a manifest cannot be read, parsed or written.
pub(crate) fn derive(root: &Path) -> Result<(), ProjectError> {
    let mut manifest = read(root, MANIFEST)?;
    let mut crates = BTreeMap::new();
    if let Some(members) = manifest["workspace"]["members"].as_array_mut() {
        let mut kept = Vec::new();
        for member in members.iter().filter_map(Value::as_str) {
            let found = crates_of(root, member)?;
            if !found.is_empty() {
                kept.push(member.to_owned());
            }
            crates.extend(found);
        }
        *members = kept.into_iter().collect();
    }
    if let Some(dependencies) = manifest["workspace"]["dependencies"].as_table_mut() {
        keep_inherited(dependencies, &crates);
    }
    write(root, MANIFEST, &manifest)
}

/// The crates of a member of the workspace by their names. A member is a folder, or all folders in a folder, `folder/*`.
fn crates_of(root: &Path, member: &str) -> Result<BTreeMap<String, Crate>, ProjectError> {
    let folders = match member.strip_suffix("/*") {
        Some(parent) => subfolders(root, parent)?,
        None => vec![member.to_owned()],
    };
    let mut crates = BTreeMap::new();
    for folder in folders {
        let path = format!("{folder}/{MANIFEST}");
        if !root.join(&path).is_file() {
            continue;
        }
        let manifest = read(root, &path)?;
        if let Some(name) = manifest["package"]["name"].as_str() {
            let is_library = root.join(&folder).join("src/lib.rs").is_file();
            let inherited = inherited(&manifest);
            crates.insert(name.to_owned(), Crate { folder, is_library, inherited });
        }
    }
    Ok(crates)
}

fn subfolders(root: &Path, parent: &str) -> Result<Vec<String>, FileError> {
    let path = root.join(parent);
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&path).map_err(at(&path))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.map(|name| format!("{parent}/{name}")).collect())
}

/// The names of the dependencies with `workspace = true` in a manifest.
fn inherited(manifest: &DocumentMut) -> BTreeSet<String> {
    let tables = DEPENDENCIES.iter().filter_map(|kind| manifest.get(kind)?.as_table_like());
    let is_inherited = |item: &Item| item.get("workspace").and_then(Item::as_bool) == Some(true);
    tables.flat_map(|table| table.iter()).filter(|(_, item)| is_inherited(item)).map(|(name, _)| name.to_owned()).collect()
}

/// Removes the dependencies that no crate inherits, and adds the libraries that are missing.
fn keep_inherited(dependencies: &mut Table, crates: &BTreeMap<String, Crate>) {
    let inherited: BTreeSet<&str> = crates.values().flat_map(|found| &found.inherited).map(String::as_str).collect();
    let is_missing = |name: &str| match dependencies.get(name).and_then(|item| item.get("path")) {
        // A library of the application may have the folder of another crate of the kit's repository.
        Some(path) => crates.get(name).is_none_or(|found| path.as_str() != Some(&found.folder)),
        None => !dependencies.contains_key(name),
    };
    let added: Vec<(&String, &Crate)> = crates
        .iter()
        .filter(|(name, found)| found.is_library && inherited.contains(name.as_str()) && is_missing(name))
        .collect();
    let kept: Vec<(Key, Item)> = dependencies
        .iter()
        .filter(|(name, item)| inherited.contains(name) && (item.get("path").is_none() || crates.contains_key(*name)))
        .filter(|(name, _)| !added.iter().any(|(other, _)| other == name))
        .filter_map(|(name, item)| Some((dependencies.key(name)?.clone(), item.clone())))
        .collect();
    dependencies.clear();
    for (name, found) in added {
        let mut table = InlineTable::new();
        table.insert("path", found.folder.as_str().into());
        dependencies.insert(name, value(table));
    }
    for (key, item) in kept {
        dependencies.insert_formatted(&key, item);
    }
}

/// Removes settings of packages that are not in Cargo.lock: the build profiles of single packages in Cargo.toml, and the
/// exceptions in deny.toml.
///
/// # Errors
/// Returns an error if a file cannot be read, parsed or written.
pub(crate) fn remove_unused_packages(root: &Path) -> Result<(), ProjectError> {
    let lock = read(root, "Cargo.lock")?;
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    let packages: BTreeSet<&str> =
        packages.into_iter().flatten().filter_map(|package| package.get("name")?.as_str()).collect();

    let mut manifest = read(root, MANIFEST)?;
    for (_, profile) in manifest.get_mut("profile").and_then(Item::as_table_mut).into_iter().flat_map(Table::iter_mut) {
        if let Some(overrides) = profile.get_mut("package").and_then(Item::as_table_mut) {
            overrides.retain(|name, _| name == "*" || packages.contains(name));
        }
    }
    write(root, MANIFEST, &manifest)?;

    if !root.join("deny.toml").is_file() {
        return Ok(());
    }
    let mut deny = read(root, "deny.toml")?;
    for (section, list) in [("licenses", "exceptions"), ("bans", "skip")] {
        if let Some(entries) = deny.get_mut(section).and_then(|section| section.get_mut(list)).and_then(Item::as_array_mut) {
            entries.retain(|entry| {
                let package = entry.as_inline_table().and_then(|entry| entry.get("crate")?.as_str());
                package.is_none_or(|package| packages.contains(package.split('@').next().unwrap_or(package)))
            });
        }
    }
    write(root, "deny.toml", &deny)
}

fn read(root: &Path, path: &str) -> Result<DocumentMut, ProjectError> {
    let path = root.join(path);
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    text.parse().map_err(|source| ProjectError::Manifest { path, source })
}

fn write(root: &Path, path: &str, document: &DocumentMut) -> Result<(), ProjectError> {
    let path = root.join(path);
    Ok(fs::write(&path, document.to_string()).map_err(at(&path))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIT: &str = r#"# The kit.
[workspace]
members = ["functions/*", "shared/core", "shared/domain", "tests/kit"]

[workspace.dependencies]
kit-core = { path = "shared/core", version = "0.1.0" }
kit-domain = { path = "shared/domain" }
kit-tests = { path = "tests/kit" }

csv = "1" # only for reports
serde = "1" # for all

[profile.dev]
debug = false

[profile.dev.package.csv]
opt-level = 3

[profile.dev.package.serde]
opt-level = 3
"#;

    fn project() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let crate_with = |folder: &str, name: &str, dependencies: &str| {
            fs::create_dir_all(root.path().join(folder).join("src")).unwrap();
            fs::write(root.path().join(folder).join("src/lib.rs"), "").unwrap();
            let manifest = format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}");
            fs::write(root.path().join(folder).join(MANIFEST), manifest).unwrap();
        };
        crate_with("shared/core", "kit-core", "serde.workspace = true");
        crate_with("shared/domain", "domain", "kit-core = { workspace = true }");
        crate_with("functions/get-note", "get-note", "domain.workspace = true\n[dev-dependencies]\nserde.workspace = true");
        fs::write(root.path().join(MANIFEST), KIT).unwrap();
        root
    }

    #[test]
    fn keeps_only_what_the_project_has_and_uses() {
        let root = project();
        derive(root.path()).unwrap();
        let text = fs::read_to_string(root.path().join(MANIFEST)).unwrap();
        assert!(
            text.starts_with("# The kit.\n[workspace]\nmembers = [\"functions/*\", \"shared/core\", \"shared/domain\"]\n")
        );
        let expected = "[workspace.dependencies]\ndomain = { path = \"shared/domain\" }\n\
                        kit-core = { path = \"shared/core\", version = \"0.1.0\" }\nserde = \"1\" # for all\n";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn removes_the_settings_of_packages_that_are_not_in_the_lock_file() {
        let root = project();
        fs::write(root.path().join("Cargo.lock"), "[[package]]\nname = \"serde\"\n").unwrap();
        let deny =
            "[bans]\nskip = [\n  { crate = \"serde@1\", reason = \"a\" },\n  { crate = \"csv@1\", reason = \"b\" },\n]\n";
        fs::write(root.path().join("deny.toml"), deny).unwrap();
        remove_unused_packages(root.path()).unwrap();
        let text = fs::read_to_string(root.path().join(MANIFEST)).unwrap();
        assert!(text.contains("[profile.dev.package.serde]") && !text.contains("[profile.dev.package.csv]"), "{text}");
        assert!(text.contains("[profile.dev]"));
        let deny = fs::read_to_string(root.path().join("deny.toml")).unwrap();
        assert!(deny.contains("serde@1") && !deny.contains("csv@1"), "{deny}");
    }
}
