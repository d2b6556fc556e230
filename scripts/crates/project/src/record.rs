//! The file in which a project records what it was created from.

use std::fs;
use std::path::Path;

use ferrite_local_stack::files::at;
use serde::Deserialize;

use crate::error::ProjectError;
use crate::rules::Application;

/// The name of the file in the root of a project.
pub const RECORD_FILE: &str = "ferrite.toml";

/// What a project was created from, or upgraded to. It is stored in the file [`RECORD_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProjectRecord {
    /// The name of the project in kebab case.
    pub name: String,
    /// The application that the project started with.
    pub application: Application,
    /// The version of the kit.
    pub version: String,
    /// The commit of the kit, as a full hash.
    pub commit: String,
    /// The repository of the kit: the URL of a Git remote, or a path.
    pub source: String,
}

impl ProjectRecord {
    /// Reads the record of the project in the folder `root`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is invalid.
    pub fn read(root: &Path) -> Result<Self, ProjectError> {
        let path = root.join(RECORD_FILE);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        toml::from_str(&text).map_err(|error| ProjectError::Record(error.to_string()))
    }

    /// Writes the record of the project in the folder `root`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), ProjectError> {
        let mut document = toml_edit::DocumentMut::new();
        let keys = [
            ("name", self.name.as_str()),
            ("application", self.application.as_str()),
            ("version", self.version.as_str()),
            ("commit", self.commit.as_str()),
            ("source", self.source.as_str()),
        ];
        for (key, value) in keys {
            document[key] = toml_edit::value(value);
        }
        let comment =
            "# What this project was created from. ./scripts/upgrade reads and updates this file, so do not edit it.\n";
        let path = root.join(RECORD_FILE);
        Ok(fs::write(&path, format!("{comment}{document}")).map_err(at(&path))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let record = ProjectRecord {
            name: "aurora".to_owned(),
            application: Application::skeleton(),
            version: "0.2.0".to_owned(),
            commit: "0123abcd".to_owned(),
            source: "/a \\ 'b' \"c\"".to_owned(),
        };
        record.write(folder.path()).unwrap();
        assert_eq!(ProjectRecord::read(folder.path()).unwrap(), record);
    }

    #[test]
    fn names_the_file_that_is_invalid() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(RECORD_FILE), "name = 'aurora'").unwrap();
        let error = ProjectRecord::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("ferrite.toml") && error.contains("application"), "{error}");
    }
}
