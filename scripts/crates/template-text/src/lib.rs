//! Edits a SAM template as text, so that comments, order and formatting stay.
//!
//! An *entry* is a key of a mapping with its value, such as a resource. The entry's *block* is its lines, and the
//! comment lines directly above it, which describe it. A comment that a blank line separates from the entry below, such
//! as the heading of a group of resources, belongs to no entry.
//!
//! Each edit parses the new text and compares it with the old one. It returns an error, and changes nothing, if it would
//! have changed anything but the entries that the caller named.
//!
//! ```
//! use ferrite_template_text::TemplateText;
//!
//! let mut template = TemplateText::parse("Resources:\n  # Notes.\n  Table:\n    Type: AWS::DynamoDB::Table\n")?;
//! template.insert_after(&["Resources"], "Table", "  Queue:\n    Type: AWS::SQS::Queue\n")?;
//! assert!(template.text().ends_with("Table\n\n  Queue:\n    Type: AWS::SQS::Queue\n"));
//! # Ok::<(), ferrite_template_text::EditError>(())
//! ```

mod blocks;
mod lines;

use std::fs;
use std::path::Path;

use serde_yaml_ng::{Mapping, Value};

pub use blocks::{Blocks, split};
use lines::{Entry, Lines};

/// Error returned when a template cannot be read or edited. The template keeps its text.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file could not be read.
    #[error("cannot read {file}")]
    File {
        /// Path of the file.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The text is not valid YAML. The message of the source contains the line.
    #[error("{file} is not valid YAML")]
    Invalid {
        /// Name of the file.
        file: String,
        /// The error of the parser.
        source: serde_yaml_ng::Error,
    },
    /// The block to insert is not valid YAML, or not a mapping.
    #[error("the text to insert is not a list of keys and values: {reason}\n{block}")]
    InvalidBlock {
        /// Text that was to be inserted.
        block: String,
        /// Why it is not valid.
        reason: String,
    },
    /// The template has no such section.
    #[error("{file} has no section {section}")]
    NoSection {
        /// Name of the file.
        file: String,
        /// Path of the section.
        section: String,
    },
    /// The section is written in a form that cannot be edited, such as `{a: 1, b: 2}`.
    #[error(
        "line {line} of {file}: cannot edit {section}, because it does not have one key per line; write it in that form"
    )]
    Layout {
        /// Name of the file.
        file: String,
        /// Path of the section.
        section: String,
        /// Line of the section's key, starting at 1.
        line: usize,
    },
    /// The section has no entry with this name.
    #[error("{section} in {file} has no entry {name}")]
    NoEntry {
        /// Name of the file.
        file: String,
        /// Path of the section.
        section: String,
        /// Name of the entry.
        name: String,
    },
    /// The section already has an entry with this name.
    #[error("line {line} of {file}: {section} already has an entry {name}")]
    Exists {
        /// Name of the file.
        file: String,
        /// Path of the section.
        section: String,
        /// Name of the entry.
        name: String,
        /// Line of the existing entry, starting at 1.
        line: usize,
    },
    /// Without its only entry, the section would be empty.
    #[error("{name} is the only entry of {section} in {file}; remove {section} instead")]
    OnlyEntry {
        /// Name of the file.
        file: String,
        /// Path of the section.
        section: String,
        /// Name of the entry.
        name: String,
    },
    /// The block of the entry does not contain the text exactly once.
    #[error("{name} in {file} contains this text {count} times instead of once:\n{text}")]
    NotOnce {
        /// Name of the file.
        file: String,
        /// Name of the entry.
        name: String,
        /// Text that was to be replaced.
        text: String,
        /// How often the block contains it.
        count: usize,
    },
    /// The edit would have changed other parts of the template as well.
    #[error("cannot edit {section} in {file} without changing more than {name}; edit the file by hand")]
    ChangesMore {
        /// Name of the file.
        file: String,
        /// Path of the section.
        section: String,
        /// Name of the entry.
        name: String,
    },
}

/// A template, with its text and the parsed document.
///
/// All methods find a section by the path of its keys, such as `["Resources"]` or
/// `["Resources", "Api", "Properties", "Auth"]`.
#[derive(Debug, Clone)]
pub struct TemplateText {
    file: String,
    text: String,
    document: Value,
}

impl TemplateText {
    /// Reads the template at `path`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not valid YAML.
    pub fn read(path: &Path) -> Result<Self, EditError> {
        let text =
            fs::read_to_string(path).map_err(|source| EditError::File { file: path.display().to_string(), source })?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::named(file, text)
    }

    /// Parses the text of template.yaml.
    ///
    /// # Errors
    /// Returns an error if `text` is not valid YAML.
    pub fn parse(text: &str) -> Result<Self, EditError> {
        Self::named("template.yaml".to_owned(), text.to_owned())
    }

    fn named(file: String, text: String) -> Result<Self, EditError> {
        match serde_yaml_ng::from_str(&text) {
            Ok(document) => Ok(Self { file, text, document }),
            Err(source) => Err(EditError::Invalid { file, source }),
        }
    }

    /// The text of the template, with all edits.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parsed template.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns the names of a section's entries in the order of the file, such as the logical ids of all resources.
    /// An empty path returns the names of the top-level sections.
    ///
    /// # Errors
    /// Returns an error if there is no such section, or if it does not have one key per line.
    pub fn entries(&self, section: &[&str]) -> Result<Vec<String>, EditError> {
        Ok(self.section(section)?.into_iter().map(|entry| entry.name).collect())
    }

    /// Whether the section exists and has an entry with this name.
    #[must_use]
    pub fn contains(&self, section: &[&str], name: &str) -> bool {
        mapping(&self.document, section).is_some_and(|mapping| mapping.contains_key(name))
    }

    /// Returns the block of an entry: its lines, and the comment lines directly above it.
    ///
    /// # Errors
    /// Returns an error if there is no such entry.
    pub fn block(&self, section: &[&str], name: &str) -> Result<&str, EditError> {
        let (entries, index) = self.entry(section, name)?;
        Ok(Lines::of(&self.text).text(entries[index].block()))
    }

    /// Returns the number of the line with the entry's key, starting at 1.
    ///
    /// # Errors
    /// Returns an error if there is no such entry.
    pub fn line(&self, section: &[&str], name: &str) -> Result<usize, EditError> {
        let (entries, index) = self.entry(section, name)?;
        Ok(entries[index].key + 1)
    }

    /// Inserts `block` after the entry `anchor`. The block contains one or more entries with the indentation of the
    /// section, and their comments. Blank lines separate it from other entries if they separate those.
    ///
    /// # Errors
    /// Returns an error if there is no entry `anchor`, if an entry of the block exists already, or if the block is not
    /// valid.
    pub fn insert_after(&mut self, section: &[&str], anchor: &str, block: &str) -> Result<(), EditError> {
        let (entries, index) = self.entry(section, anchor)?;
        self.insert(section, &entries, index + 1, entries[index].end, block)
    }

    /// Inserts `block` before the entry `anchor` and its comments. See [`Self::insert_after`].
    ///
    /// # Errors
    /// Returns an error in the same cases as [`Self::insert_after`].
    pub fn insert_before(&mut self, section: &[&str], anchor: &str, block: &str) -> Result<(), EditError> {
        let (entries, index) = self.entry(section, anchor)?;
        self.insert(section, &entries, index, entries[index].comments, block)
    }

    /// Inserts `block` after the last entry of a section. See [`Self::insert_after`].
    ///
    /// # Errors
    /// Returns an error if there is no such section, if an entry of the block exists already, or if the block is not
    /// valid.
    pub fn insert_last(&mut self, section: &[&str], block: &str) -> Result<(), EditError> {
        let entries = self.section(section)?;
        let end = entries.last().map_or(0, |entry| entry.end);
        self.insert(section, &entries, entries.len(), end, block)
    }

    /// Replaces the block of the entry `name` by `block`, which contains the same entry with any other value, and its
    /// comments.
    ///
    /// # Errors
    /// Returns an error if there is no such entry, or if the block is not this entry.
    pub fn replace(&mut self, section: &[&str], name: &str, block: &str) -> Result<(), EditError> {
        let (entries, index) = self.entry(section, name)?;
        let new = parse_block(block)?;
        if new.len() != 1 || !new.contains_key(name) {
            let reason = format!("it does not consist of the entry {name}");
            return Err(EditError::InvalidBlock { block: block.to_owned(), reason });
        }
        let text = Lines::of(&self.text).replaced(entries[index].block(), &trimmed(block));
        let mut expected = self.document.clone();
        if let Some(mapping) = mapping_mut(&mut expected, section) {
            mapping.extend(new);
        }
        self.accept(section, name, text, &expected)
    }

    /// Replaces a text within the block of the entry `name`, which must contain it exactly once.
    ///
    /// # Errors
    /// Returns an error if there is no such entry, if it does not contain `old` exactly once, or if the new text would
    /// not be valid YAML or would change other entries.
    pub fn replace_text(&mut self, section: &[&str], name: &str, old: &str, new: &str) -> Result<(), EditError> {
        let block = self.block(section, name)?;
        let count = block.matches(old).count();
        if count != 1 {
            let (file, name) = (self.file.clone(), name.to_owned());
            return Err(EditError::NotOnce { file, name, text: old.to_owned(), count });
        }
        let block = block.replacen(old, new, 1);
        self.replace(section, name, &block)
    }

    /// Removes the entry `name`, its comments, and the blank line that separates it from the next entry.
    ///
    /// # Errors
    /// Returns an error if there is no such entry, or if it is the only one of its section.
    pub fn remove(&mut self, section: &[&str], name: &str) -> Result<(), EditError> {
        let (entries, index) = self.entry(section, name)?;
        if entries.len() == 1 {
            let (file, section) = (self.file.clone(), section.join("."));
            return Err(EditError::OnlyEntry { file, section, name: name.to_owned() });
        }
        let lines = Lines::of(&self.text);
        let text = lines.replaced(lines.with_blank_lines(&entries, index), "");
        let mut expected = self.document.clone();
        if let Some(mapping) = mapping_mut(&mut expected, section) {
            mapping.shift_remove(name);
        }
        self.accept(section, name, text, &expected)
    }

    fn insert(
        &mut self,
        section: &[&str],
        entries: &[Entry],
        index: usize,
        line: usize,
        block: &str,
    ) -> Result<(), EditError> {
        let new = parse_block(block)?;
        for name in new.keys().filter_map(Value::as_str) {
            if let Some(existing) = entries.iter().find(|entry| entry.name == name) {
                let (file, section, line) = (self.file.clone(), section.join("."), existing.key + 1);
                return Err(EditError::Exists { file, section, name: name.to_owned(), line });
            }
        }
        let lines = Lines::of(&self.text);
        let is_separated = lines.are_separated(entries) || (entries.len() == 1 && section == ["Resources"]);
        let block = match (is_separated, index) {
            (false, _) => trimmed(block),
            (true, 0) => format!("{}\n", trimmed(block)),
            // Before an entry that has a heading above it, or after an entry.
            (true, _) if lines.is_blank(line.saturating_sub(1)) => format!("{}\n", trimmed(block)),
            (true, _) => format!("\n{}", trimmed(block)),
        };
        let text = lines.replaced(line..line, &block);
        let names: Vec<_> = new.keys().filter_map(Value::as_str).map(str::to_owned).collect();
        let mut expected = self.document.clone();
        if let Some(mapping) = mapping_mut(&mut expected, section) {
            let mut all: Vec<_> = std::mem::take(mapping).into_iter().collect();
            all.splice(index..index, new);
            mapping.extend(all);
        }
        self.accept(section, &names.join(" and "), text, &expected)
    }

    /// Takes over the new text if it is the expected document, including the order of its keys.
    fn accept(&mut self, section: &[&str], name: &str, text: String, expected: &Value) -> Result<(), EditError> {
        let changes_more = || {
            let (file, section) = (self.file.clone(), section.join("."));
            EditError::ChangesMore { file, section, name: name.to_owned() }
        };
        let document: Value = serde_yaml_ng::from_str(&text).map_err(|_| changes_more())?;
        // Mappings are equal if they differ only in the order of their keys, but their text differs.
        let serialized = |value: &Value| serde_yaml_ng::to_string(value).map_err(|_| changes_more());
        if serialized(&document)? != serialized(expected)? {
            return Err(changes_more());
        }
        (self.text, self.document) = (text, document);
        Ok(())
    }

    fn entry(&self, section: &[&str], name: &str) -> Result<(Vec<Entry>, usize), EditError> {
        let entries = self.section(section)?;
        let index = entries.iter().position(|entry| entry.name == name).ok_or_else(|| EditError::NoEntry {
            file: self.file.clone(),
            section: section.join("."),
            name: name.to_owned(),
        })?;
        Ok((entries, index))
    }

    fn section(&self, section: &[&str]) -> Result<Vec<Entry>, EditError> {
        let parsed = mapping(&self.document, section);
        let parsed = parsed.ok_or_else(|| EditError::NoSection { file: self.file.clone(), section: section.join(".") })?;
        let lines = Lines::of(&self.text);
        let mut range = 0..lines.len();
        let mut key = 0;
        for part in section {
            let found = lines.entries(range.clone()).into_iter().find(|entry| entry.name == *part);
            let Some(found) = found else { return Err(self.layout(section, key)) };
            (key, range) = (found.key, found.key + 1..found.end);
        }
        let entries = lines.entries(range);
        if entries.iter().map(|entry| entry.name.as_str()).eq(parsed.keys().filter_map(Value::as_str)) {
            Ok(entries)
        } else {
            Err(self.layout(section, key))
        }
    }

    fn layout(&self, section: &[&str], line: usize) -> EditError {
        EditError::Layout { file: self.file.clone(), section: section.join("."), line: line + 1 }
    }
}

/// The block without blank lines around it, with a line break at its end.
fn trimmed(block: &str) -> String {
    let first = block.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum::<usize>();
    format!("{}\n", block[first..].trim_end())
}

fn parse_block(block: &str) -> Result<Mapping, EditError> {
    let invalid = |reason: String| EditError::InvalidBlock { block: block.to_owned(), reason };
    match serde_yaml_ng::from_str(block).map_err(|error| invalid(error.to_string()))? {
        Value::Mapping(mapping) if !mapping.is_empty() => Ok(mapping),
        _ => Err(invalid("it has no key".to_owned())),
    }
}

fn mapping<'a>(document: &'a Value, section: &[&str]) -> Option<&'a Mapping> {
    section.iter().try_fold(document, |value, key| value.get(*key))?.as_mapping()
}

fn mapping_mut<'a>(document: &'a mut Value, section: &[&str]) -> Option<&'a mut Mapping> {
    section.iter().try_fold(document, |value, key| value.get_mut(*key))?.as_mapping_mut()
}
