//! The name of a project, and the names that are derived from it.

/// Maximum length of a project's name, so that the name of its production stack, `NAME-production`, is valid.
///
/// A stack name has at most 28 characters, because bucket names contain it (`MAX_STACK_NAME_LENGTH` of
/// `scripts/crates/dev`).
const MAX_NAME_LENGTH: usize = 28 - "-production".len();

/// The name in this repository, which the name of the project replaces.
const KIT: &str = "ferrite";

/// AWS reserves these prefixes: EventBridge rejects event sources that start with `aws.`, and Systems Manager rejects
/// parameter names that start with `/aws` or `/ssm`.
const RESERVED_PREFIXES: [&str; 2] = ["aws", "ssm"];

/// Keywords of Rust (The Rust Reference, "Keywords"), and names that cargo rejects because they are those of crates of the
/// standard library.
const RESERVED_WORDS: [&str; 57] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// The name of a project is invalid. The message states the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid project name {name:?}: {reason}")]
pub struct InvalidName {
    name: String,
    reason: String,
}

/// The name of a project, and the names that are derived from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    words: Vec<String>,
}

impl Names {
    /// Parses the name of a project in kebab case, such as `aurora-borealis`.
    ///
    /// It is part of the names of crates, stacks, buckets, SSM parameters, and event types.
    ///
    /// # Errors
    /// Returns an error if the name is not valid in one of these places, or reserved.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        let invalid = |reason: String| Err(InvalidName { name: name.to_owned(), reason });
        let is_word = |word: &str| {
            let mut bytes = word.bytes();
            !word.is_empty() && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !name.split('-').all(is_word) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            return invalid(
                "it must consist of lower-case words and digits separated by single hyphens, and start with a letter, such \
                 as my-app"
                    .to_owned(),
            );
        }
        if name.len() > MAX_NAME_LENGTH {
            return invalid(format!(
                "it has {} characters, but the limit is {MAX_NAME_LENGTH}, because names of buckets contain \
                 {name}-production",
                name.len()
            ));
        }
        if name.contains(KIT) {
            return invalid(format!("it must not contain {KIT}, the name of the kit"));
        }
        if let Some(prefix) = RESERVED_PREFIXES.into_iter().find(|prefix| name.starts_with(prefix)) {
            return invalid(format!("AWS reserves names that start with {prefix}"));
        }
        if RESERVED_WORDS.contains(&name) {
            return invalid("Rust reserves this name".to_owned());
        }
        Ok(Self { words: name.split('-').map(str::to_owned).collect() })
    }

    /// The name itself: `aurora-borealis`. Stacks, URNs, event types and the event source start with it.
    #[must_use]
    pub fn kebab(&self) -> String {
        self.words.join("-")
    }

    /// The name in Pascal case, for the namespace of metrics: `AuroraBorealis`.
    #[must_use]
    pub fn pascal(&self) -> String {
        self.words.iter().map(|word| capitalize(word)).collect()
    }

    /// The name as a title for documentation: `Aurora Borealis`.
    #[must_use]
    pub fn title(&self) -> String {
        self.words.iter().map(|word| capitalize(word)).collect::<Vec<_>>().join(" ")
    }

    /// Replaces the placeholders `{name}`, `{pascal}` and `{title}` in a text.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{name}", &self.kebab()).replace("{pascal}", &self.pascal()).replace("{title}", &self.title())
    }
}

fn capitalize(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str) -> String {
        Names::parse(name).unwrap_err().to_string()
    }

    #[test]
    fn derives_the_names_of_a_project() {
        let names = Names::parse("aurora-borealis").unwrap();
        assert_eq!(names.kebab(), "aurora-borealis");
        assert_eq!((names.pascal().as_str(), names.title().as_str()), ("AuroraBorealis", "Aurora Borealis"));
        assert_eq!(names.fill("{name} {pascal} {title} {other}"), "aurora-borealis AuroraBorealis Aurora Borealis {other}");
        assert_eq!(Names::parse("app2").unwrap().pascal(), "App2");
    }

    #[test]
    fn rejects_names_that_are_no_valid_stack_names() {
        for name in ["", "App", "2app", "my_app", "my app", "my.app", "-app", "app-", "my--app", "äpp", "../x"] {
            assert!(error(name).contains("lower-case"), "{name}");
        }
        assert!(Names::parse(&"a".repeat(MAX_NAME_LENGTH)).is_ok());
        assert!(error(&"a".repeat(MAX_NAME_LENGTH + 1)).contains("has 18 characters, but the limit is 17"));
    }

    #[test]
    fn rejects_reserved_names() {
        for name in ["ferrite", "ferrite-app", "my-ferrite"] {
            assert!(error(name).contains("the name of the kit"), "{name}");
        }
        for name in ["aws", "aws-app", "awsome", "ssm-tool"] {
            assert!(error(name).contains("AWS reserves"), "{name}");
        }
        for name in ["async", "test", "std", "proc-macro"] {
            assert!(error(name).contains("Rust reserves"), "{name}");
        }
        assert!(Names::parse("test-app").is_ok());
    }
}
