//! Prefixes of the keys of uploaded objects.

use std::fmt;
use std::str::FromStr;

/// A text is not a prefix for uploads.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a folder for uploads: use letters, digits and - _ . / and end with a slash, as in uploads/")]
pub(crate) struct InvalidPrefix(String);

/// Two functions would receive the same notifications.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{function} already receives the uploads with the prefix {existing:?}, and S3 does not allow overlapping prefixes; \
     choose another one, as in --upload '{suggestion}/'"
)]
pub(crate) struct PrefixConflict {
    function: String,
    existing: String,
    suggestion: String,
}

/// The beginning of the keys of uploaded objects, with a slash at the end, such as `uploads/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix(String);

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        // Other characters would have to be encoded in the notification configuration.
        let is_folder = |folder: &str| {
            !folder.is_empty() && folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match text.strip_suffix('/') {
            Some(folders) if folders.split('/').all(is_folder) => Ok(Self(text.to_owned())),
            _ => Err(InvalidPrefix(text.to_owned())),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Prefix {
    /// Checks that no `existing` prefix, given with the name of its function, contains this one or is part of it.
    ///
    /// # Errors
    /// Returns the first conflict. `name` is the name of the new function.
    pub(crate) fn check<'a>(
        &self,
        name: &str,
        existing: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), PrefixConflict> {
        match existing.into_iter().find(|(_, other)| self.0.starts_with(other) || other.starts_with(&self.0)) {
            Some((function, other)) => Err(PrefixConflict {
                function: function.to_owned(),
                existing: other.to_owned(),
                suggestion: name.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_folders() {
        for text in ["uploads/", "uploads/scans/", "a-b_c.d/"] {
            assert_eq!(text.parse::<Prefix>().map(|prefix| prefix.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "/", "uploads", "/uploads/", "a//", "a b/", "a/*/"] {
            assert_eq!(text.parse::<Prefix>(), Err(InvalidPrefix(text.to_owned())));
        }
    }

    #[test]
    fn rejects_prefixes_that_overlap() {
        let check = |text: &str, other| text.parse::<Prefix>().unwrap().check("scan-file", [("import-notes", other)]);
        assert_eq!(check("scans/", "uploads/"), Ok(()));
        assert_eq!(check("uploads2/", "uploads/"), Ok(()));
        for (text, other) in [("uploads/", "uploads/"), ("uploads/a/", "uploads/"), ("uploads/", "uploads/a/"), ("x/", "")] {
            let error = check(text, other).unwrap_err().to_string();
            assert!(
                error.starts_with("import-notes already receives") && error.ends_with("--upload 'scan-file/'"),
                "{error}"
            );
        }
    }
}
