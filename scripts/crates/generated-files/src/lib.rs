//! Derives from template.yaml what has to agree with it. `./scripts/generate` writes the files, and `./scripts/test`
//! checks them.
//!
//! | file | derived |
//! |---|---|
//! | `template.yaml` | the routes of `answer-preflight`, the throttling of write routes, and the queues of `DlqPolicy` |
//! | `infra/operations.yaml` | the functions and queues that have alarms, and when a function is slow |
//! | `functions/NAME/Cargo.toml` | the memory size and timeout for `cargo lambda deploy` |
//! | `functions/README.md` | the table of triggers |
//!
//! Only these entries change. Their comments, and everything else in the files, stay. A file or section that a project
//! does not have is left out, unless it would leave functions or queues without alarms that others have.

mod alarms;
mod dead_letters;
mod items;
mod manifests;
mod preflight;
mod routes;
mod throttling;
mod triggers;

use std::fs;
use std::path::Path;

use ferrite_local_stack::files::{FileError, at};
use ferrite_local_stack::template::{Template, TemplateError};
use ferrite_template_text::{EditError, TemplateText};
use similar::TextDiff;

/// The command that writes the generated files, for error messages.
pub const COMMAND: &str = "./scripts/generate";

/// The template of the alarms, relative to the root of a checkout.
pub const OPERATIONS: &str = alarms::FILE;

/// Error returned when a file cannot be derived. The message contains what to change.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The template or infra/operations.yaml does not have the form that can be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The template cannot be read, or contains a function without the expected `CodeUri`.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file contains something that cannot be derived.
    #[error("{file}: {reason}")]
    Invalid {
        /// Path of the file in the checkout.
        file: String,
        /// What is wrong, and how to correct it.
        reason: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A file that is derived, wholly or in part.
#[derive(Debug, Clone)]
pub struct GeneratedFile {
    /// Path of the file, relative to the root of the checkout.
    pub path: String,
    /// The text of the file in the checkout.
    pub current: String,
    /// The text that the file should have.
    pub generated: String,
}

impl GeneratedFile {
    /// Whether the file in the checkout has the text that it should have.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.current == self.generated
    }

    /// The lines to change, as a unified diff. Empty if there are none.
    #[must_use]
    pub fn diff(&self) -> String {
        let diff = TextDiff::from_lines(&self.current, &self.generated);
        diff.unified_diff().context_radius(1).header(&self.path, &format!("{} (generated)", self.path)).to_string()
    }

    /// Writes the file. If the command is interrupted, the file has either the old or the new text.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), FileError> {
        let path = root.join(&self.path);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        fs::write(&new, &self.generated).map_err(at(&new))?;
        fs::rename(&new, &path).map_err(at(&path))
    }
}

/// Derives all files of the checkout at `root`, and returns them with their current texts.
///
/// # Errors
/// Returns an error if a file cannot be read or does not have the expected form.
pub fn generated_files(root: &Path) -> Result<Vec<GeneratedFile>, GenerateError> {
    let read = |path: &str| {
        let full = root.join(path);
        full.is_file().then(|| fs::read_to_string(&full).map_err(at(&full))).transpose()
    };
    let text = read("template.yaml")?;
    let text = text.ok_or_else(|| invalid("template.yaml", "there is no such file; run the command as ./scripts/NAME"))?;
    let generated = template(&text)?;
    let parsed = Template::parse(&generated)?;
    let mut files = vec![GeneratedFile { path: "template.yaml".to_owned(), current: text, generated }];
    if let Some(current) = read(alarms::FILE)? {
        let generated = alarms::update(&parsed, &current)?;
        files.push(GeneratedFile { path: alarms::FILE.to_owned(), current, generated });
    }
    if let Some(current) = read(triggers::FILE)? {
        let generated = triggers::update(&parsed, &current)?;
        files.push(GeneratedFile { path: triggers::FILE.to_owned(), current, generated });
    }
    for function in parsed.functions()? {
        let path = format!("functions/{}/Cargo.toml", function.name);
        if let Some(current) = read(&path)? {
            let generated = manifests::update(&parsed, &function.name, &path, &current)?;
            files.push(GeneratedFile { path, current, generated });
        }
    }
    Ok(files)
}

/// Derives the generated entries of template.yaml from its other entries.
///
/// # Errors
/// Returns an error if the template does not have the expected form.
pub fn template(text: &str) -> Result<String, GenerateError> {
    let mut edited = TemplateText::parse(text)?;
    let template = Template::parse(text)?;
    preflight::update(&mut edited, &template)?;
    throttling::update(&mut edited, &template)?;
    dead_letters::update(&mut edited, &template)?;
    Ok(edited.text().to_owned())
}

/// Derives the lists of infra/operations.yaml, whose text is `operations`, from template.yaml.
///
/// # Errors
/// Returns an error if one of the files does not have the expected form.
pub fn operations(template: &str, operations: &str) -> Result<String, GenerateError> {
    alarms::update(&Template::parse(template)?, operations)
}

fn invalid(file: &str, reason: impl Into<String>) -> GenerateError {
    GenerateError::Invalid { file: file.to_owned(), reason: reason.into() }
}
