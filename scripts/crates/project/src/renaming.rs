//! Replaces the names of the kit's repository with those of a project.

use fancy_regex::{NoExpand, Regex};

/// Ordered replacements of names in texts.
#[derive(Debug)]
pub(crate) struct Renaming(Vec<(Regex, String)>);

impl Renaming {
    /// Creates a renaming from patterns and their replacements.
    pub(crate) fn new(replacements: Vec<(Regex, String)>) -> Self {
        Self(replacements)
    }

    /// Returns `text` with the names of the project.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, replacement) in &self.0 {
            text = pattern.replace_all(&text, NoExpand(replacement)).into_owned();
        }
        text
    }
}
