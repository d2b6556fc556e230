//! Names of functions, and the names that are derived from them.

use std::fmt;
use std::str::FromStr;

/// Keywords of Rust in all editions, including the reserved ones. A function's name is also the name of its handler.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Names that Cargo or the Rust compiler refuses for a binary, and the name of the module that every function has.
const RESERVED: &[&str] =
    &["alloc", "build", "core", "deps", "examples", "handler", "incremental", "main", "proc-macro", "std", "test", "tests"];

/// Names of items and variables in the code of new functions, which a handler with the same name would conflict with.
const USED: &[&str] = &[
    "attempt",
    "caller",
    "data",
    "digest",
    "event",
    "event-of",
    "handle",
    "idempotency",
    "invocation",
    "item",
    "json",
    "later",
    "now",
    "object",
    "other",
    "path-id",
    "read",
    "record",
    "records",
    "request",
];

/// A text is not the name of a function.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name:?} cannot be the name of a function: {reason}")]
pub(crate) struct InvalidName {
    name: String,
    reason: &'static str,
}

/// The name of a function in kebab case, such as `count-notes`. It is the name of the crate, of the binary, and the end of
/// the name of the deployed function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName(String);

impl FromStr for FunctionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let error = |reason| Err(InvalidName { name: text.to_owned(), reason });
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !text.split('-').all(is_word) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
            return error("use lower-case letters, digits and single hyphens, and start with a letter, as in count-notes");
        }
        if KEYWORDS.contains(&text) {
            return error("it is a keyword of Rust; name the function after what it does, as in count-notes");
        }
        if RESERVED.contains(&text) {
            return error("Cargo reserves it; name the function after what it does, as in count-notes");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FunctionName {
    /// Checks that the code of a new function can have the name.
    ///
    /// # Errors
    /// Returns an error if the code uses the name for something else.
    pub(crate) fn check_unused(&self) -> Result<(), InvalidName> {
        if USED.contains(&self.as_str()) {
            let reason = "the generated code uses it; name the function after what it does, as in count-notes";
            return Err(InvalidName { name: self.0.clone(), reason });
        }
        Ok(())
    }

    /// The name in kebab case.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the handler and of the test module, such as `count_notes`.
    pub(crate) fn snake_case(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The logical id of the function in the template, such as `CountNotes`.
    pub(crate) fn logical_id(&self) -> String {
        pascal_case(&self.0)
    }

    /// The name as the beginning of a sentence, such as `Count notes`.
    pub(crate) fn sentence(&self) -> String {
        let text = self.0.replace('-', " ");
        let (first, rest) = text.split_at(1);
        first.to_ascii_uppercase() + rest
    }
}

/// Returns `count-notes` as `CountNotes`, and `noteId` as `NoteId`.
pub(crate) fn pascal_case(text: &str) -> String {
    let mut result = String::new();
    for word in text.split(['-', '_', ' ', '.']).filter(|word| !word.is_empty()) {
        let mut characters = word.chars();
        result.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        result.push_str(characters.as_str());
    }
    result
}

/// Returns `noteId` as `note_id`, and `note-id` as `note_id`.
pub(crate) fn snake_case(text: &str) -> String {
    let mut result = String::new();
    for character in text.chars() {
        if character.is_ascii_uppercase() && !result.is_empty() && !result.ends_with('_') {
            result.push('_');
        }
        result.push(if character == '-' { '_' } else { character.to_ascii_lowercase() });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_names_of_resources_and_items() {
        let name: FunctionName = "count-2-notes".parse().unwrap();
        assert_eq!((name.snake_case().as_str(), name.logical_id().as_str()), ("count_2_notes", "Count2Notes"));
        assert_eq!(name.sentence(), "Count 2 notes");
        assert_eq!((pascal_case("noteId"), snake_case("noteId")), ("NoteId".to_owned(), "note_id".to_owned()));
    }

    #[test]
    fn rejects_names_that_are_not_valid_crate_names() {
        for name in
            ["", "Count", "count_notes", "-count", "count-", "count--notes", "2-count", "count notes", "zähle", "../x"]
        {
            let error = name.parse::<FunctionName>().unwrap_err();
            assert!(error.to_string().contains("lower-case letters"), "{error}");
        }
    }

    #[test]
    fn rejects_keywords_and_reserved_names() {
        for (name, reason) in [("match", "keyword"), ("async", "keyword"), ("test", "reserves"), ("handler", "reserves")] {
            assert!(name.parse::<FunctionName>().unwrap_err().to_string().contains(reason), "{name}");
        }
        assert!("match-notes".parse::<FunctionName>().is_ok());
    }
}
