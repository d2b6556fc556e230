//! Replaces the names of the kit's repository with those of a project.

use fancy_regex::{NoExpand, Regex};

use crate::error::ProjectError;

/// Ordered replacements of names in texts.
#[derive(Debug)]
pub(crate) struct Renaming(Vec<(Regex, String)>);

impl Renaming {
    /// Creates a renaming from patterns and their replacements.
    pub(crate) fn new(replacements: Vec<(Regex, String)>) -> Self {
        Self(replacements)
    }

    /// Returns `text` with the names of the project.
    ///
    /// # Errors
    /// Returns an error if a pattern needs too many steps to match.
    pub(crate) fn apply(&self, text: &str) -> Result<String, ProjectError> {
        let mut text = text.to_owned();
        for (pattern, replacement) in &self.0 {
            let replaced = pattern.try_replacen(&text, 0, NoExpand(replacement));
            let replaced =
                replaced.map_err(|error| ProjectError::Rules(format!("pattern {:?}: {error}", pattern.as_str())))?;
            text = replaced.into_owned();
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_an_error_if_a_pattern_needs_too_many_steps() {
        let renaming = Renaming::new(vec![(Regex::new("(?:(?!b)a|aa)+c").unwrap(), String::new())]);
        let error = renaming.apply(&"a".repeat(50)).unwrap_err().to_string();
        assert!(error.contains("scripts/project.toml is invalid: pattern \"(?:(?!b)a|aa)+c\": "), "{error}");
    }
}
