//! Generates the files of a project: the kit and one application, with the project's names.
//!
//! `./scripts/new-project` creates a project with [`generate`]. `./scripts/upgrade` generates the old and the new release
//! with the names in the project's [`ProjectRecord`], and merges the difference.

mod cargo_manifest;
mod error;
mod generate;
mod names;
mod record;
mod renaming;
mod rules;
mod source;

pub use self::error::ProjectError;
pub use self::generate::{Generated, generate};
pub use self::names::{InvalidName, Names};
pub use self::record::{ProjectRecord, RECORD_FILE};
pub use self::rules::Application;
pub use self::source::git;
