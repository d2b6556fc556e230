//! The source files that determine what `./scripts/dev` deploys.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::checkout::Checkout;
use crate::files::{FileError, at, delete_if_exists};

/// The folders with the source code of the functions.
pub const CODE_FOLDERS: [&str; 2] = ["functions", "shared"];

/// The folder with the nested templates.
pub const TEMPLATE_FOLDER: &str = "infra";

/// The file in the folder of `./scripts/dev` with the time of the sources that are deployed.
const RECORD: &str = ".ferrite/dev/sources";

/// What a source file determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// The code of functions.
    Code,
    /// The resources of the stack.
    Template,
}

/// Returns what a file determines, and `None` for files that are not deployed, such as the swap files of editors.
#[must_use]
pub fn kind_of(path: &Path) -> Option<SourceKind> {
    let name = path.file_name()?.to_str()?;
    match path.extension()?.to_str()? {
        // Some crates embed their JSON, HTML and DER files with `include_str!` or `include_bytes!`.
        "rs" | "json" | "html" | "der" => Some(SourceKind::Code),
        "toml" if name == "Cargo.toml" => Some(SourceKind::Code),
        "yaml" if name == "template.yaml" || path.parent()?.ends_with(TEMPLATE_FOLDER) => Some(SourceKind::Template),
        _ => None,
    }
}

/// Records that the stack of `./scripts/dev` has all changes before `time`.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub fn record_deployed(checkout: &Checkout, time: SystemTime) -> Result<(), FileError> {
    let path = checkout.path(RECORD);
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    fs::write(&path, since_epoch.as_nanos().to_string()).map_err(at(&path))
}

/// Deletes the record, while the stack of `./scripts/dev` is changed.
///
/// # Errors
/// Returns an error if the file cannot be deleted.
pub fn delete_record(checkout: &Checkout) -> Result<(), FileError> {
    delete_if_exists(&checkout.path(RECORD))
}

/// Returns the newest source file that was changed after the last deployment of `./scripts/dev`, relative to the checkout.
/// Without a record of the deployment, this is the newest source file.
///
/// # Errors
/// Returns an error if a folder cannot be read.
pub fn changed_since_deployment(checkout: &Checkout) -> Result<Option<PathBuf>, FileError> {
    let record = fs::read_to_string(checkout.path(RECORD)).ok().and_then(|text| text.trim().parse().ok());
    let deployed = SystemTime::UNIX_EPOCH + Duration::from_nanos(record.unwrap_or(0));
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    let mut add = |path: PathBuf| {
        if kind_of(&path).is_some()
            && let Ok(modified) = fs::metadata(&path).and_then(|metadata| metadata.modified())
            && modified > newest.as_ref().map_or(deployed, |(time, _)| *time)
        {
            newest = Some((modified, path));
        }
    };
    ["Cargo.toml", "template.yaml"].into_iter().for_each(|name| add(checkout.path(name)));
    let mut folders: Vec<PathBuf> =
        CODE_FOLDERS.iter().chain([&TEMPLATE_FOLDER]).map(|folder| checkout.path(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(at(&folder))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                add(path);
            }
        }
    }
    Ok(newest.map(|(_, path)| path.strip_prefix(checkout.root()).map(Path::to_owned).unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_sources_and_templates() {
        for (path, kind) in [
            ("/x/functions/a/src/main.rs", Some(SourceKind::Code)),
            ("/x/shared/aws/Cargo.toml", Some(SourceKind::Code)),
            ("/x/shared/api/openapi.json", Some(SourceKind::Code)),
            ("/x/shared/api/openapi.html", Some(SourceKind::Code)),
            ("/x/shared/aws/roots/root.der", Some(SourceKind::Code)),
            ("/x/template.yaml", Some(SourceKind::Template)),
            ("/x/infra/operations.yaml", Some(SourceKind::Template)),
            ("/x/.main.rs.swp", None),
            ("/x/functions/a/src/4913", None),
            ("/x/README.md", None),
            ("/x/Cargo.lock", None),
            ("/x/samconfig.toml", None),
        ] {
            assert_eq!(kind_of(Path::new(path)), kind, "{path}");
        }
    }

    #[test]
    fn finds_a_file_that_was_changed_after_the_deployment() {
        let folder = std::env::temp_dir().join(format!("ferrite-sources-{}", std::process::id()));
        for name in ["functions/a/src", "shared/b", "infra", ".ferrite/dev"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let checkout = Checkout::at(&folder);
        let source = folder.join("functions/a/src/main.rs");
        fs::write(&source, "fn main() {}").unwrap();
        fs::write(folder.join("template.yaml"), "Resources: {}").unwrap();
        let changed = || changed_since_deployment(&checkout).unwrap();
        assert!(changed().is_some());

        let now = SystemTime::now();
        record_deployed(&checkout, now + Duration::from_secs(1)).unwrap();
        assert_eq!(changed(), None);
        let edited = fs::File::options().write(true).open(&source).unwrap();
        edited.set_modified(now + Duration::from_secs(2)).unwrap();
        assert_eq!(changed().unwrap(), Path::new("functions/a/src/main.rs"));

        record_deployed(&checkout, now + Duration::from_secs(3)).unwrap();
        assert_eq!(changed(), None);
        delete_record(&checkout).unwrap();
        delete_record(&checkout).unwrap();
        assert_eq!(changed().unwrap(), Path::new("functions/a/src/main.rs"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
