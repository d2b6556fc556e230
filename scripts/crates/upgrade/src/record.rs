//! Updates the record of a project.

use anyhow::Context as _;
use ferrite_project::RECORD_FILE;
use toml_edit::{DocumentMut, value};

/// Returns `text`, the content of `ferrite.toml`, with another version and commit. Everything else stays as it is.
///
/// # Errors
/// Returns an error if the text is not TOML.
pub(crate) fn with_release(text: &str, version: &str, commit: &str) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().with_context(|| format!("{RECORD_FILE} is not TOML"))?;
    document["version"] = value(version);
    document["commit"] = value(commit);
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_version_and_the_commit_only() {
        let text = "# Read by upgrade.\nname = \"acme\"\nversion = \"1.0.0\"\ncommit = \"abc\"\nteam = 'a'\n";

        let changed = with_release(text, "1.2.0", "def").unwrap();

        assert_eq!(changed, text.replace("1.0.0", "1.2.0").replace("abc", "def"));
    }
}
