//! Tags of notes.

use serde::{Deserialize, Serialize};

/// A tag: one word in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// Parses a tag. Returns `None` if it is not one word in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
        is_valid.then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_one_word_in_lower_case() {
        assert!(Tag::parse("draft").is_some());
        assert_eq!(Tag::parse("two words"), None);
    }
}
