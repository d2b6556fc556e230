//! Subject of an access token.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ValueError;

/// `sub` claim of a token (RFC 7519, section 4.1.2), unchanged: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

impl Subject {
    /// Maximum number of characters: that of OpenID Connect Core, section 2.
    pub const MAX: usize = 255;

    /// Returns the claim as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        if text.len() > Self::MAX {
            return Err(ValueError::TooLong { max: Self::MAX });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ValueError::Forbidden { allowed: "visible ASCII characters" });
        }
        Ok(Self(text))
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_subjects_of_common_issuers() {
        for text in ["auth0|507f1f77bcf86cd799439011", "user_2abc", "4b1b2b3c-0000-4000-8000-000000000000"] {
            assert_eq!(Subject::try_from(text.to_owned()).unwrap().as_str(), text);
        }
    }

    #[test]
    fn accepts_the_longest_subject_of_openid_connect() {
        assert!(Subject::try_from("x".repeat(255)).is_ok());
    }

    #[test]
    fn rejects_empty_long_and_non_visible_text() {
        for text in ["", "a b", "a\n", &"x".repeat(256)] {
            assert!(Subject::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
