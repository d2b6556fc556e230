//! Texts from outside, parsed: trimmed, bounded, without control characters.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ValueError;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $forbidden:expr, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters (Unicode scalar values) it may have.
            pub const MAX: usize = $max;

            /// The text, without white space at its ends.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                let trimmed = text.trim();
                if trimmed.is_empty() {
                    return Err(ValueError::Empty);
                }
                // As it was sent: what a schema can say is what is refused.
                if text.chars().count() > Self::MAX {
                    return Err(ValueError::TooLong { max: Self::MAX });
                }
                let forbidden: fn(char) -> bool = $forbidden;
                if text.chars().any(forbidden) {
                    return Err(ValueError::Forbidden { allowed: $allowed });
                }
                Ok(Self(trimmed.to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// What a product is called: one line of 1 to 200 characters.
    ProductName,
    200,
    char::is_control,
    "text on one line"
);
text!(
    /// What a product is like: 1 to 4,000 characters, line breaks and tabs included.
    Description,
    4000,
    |c| c.is_control() && c != '\n' && c != '\r' && c != '\t',
    "text, line breaks and tabs"
);
text!(
    /// What a customer is to be called: one line of 1 to 200 characters.
    CustomerName,
    200,
    char::is_control,
    "text on one line"
);
text!(
    /// Why something failed, for the person who can put it right: one line of 1 to 500 characters.
    Reason,
    500,
    char::is_control,
    "text on one line"
);
text!(
    /// What a client names a request by, to send it again without its being done again.
    ///
    /// 1 to 255 visible ASCII characters (the IETF draft "The Idempotency-Key HTTP Header Field"; the length is Stripe's).
    IdempotencyKey,
    255,
    |c| !c.is_ascii_graphic(),
    "visible ASCII characters"
);

text!(
    /// What a client calls a request, to find it again in the log of everything that it led to.
    ///
    /// 1 to 128 visible ASCII characters.
    CorrelationId,
    128,
    |c| !c.is_ascii_graphic(),
    "visible ASCII characters"
);

impl Reason {
    /// The reason that `text` gives, made to fit: control characters and what XML has no place for (SQS refuses it, see
    /// "SendMessage") become spaces, and what is too long is cut.
    ///
    /// For reasons that come from our own errors, where refusing the text would lose why something failed.
    pub fn from_lossy(text: &str) -> Self {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
            .take(Self::MAX)
            .collect();
        let clean = clean.trim();
        Self(if clean.is_empty() { "unknown".to_owned() } else { clean.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded_in_characters_not_bytes() {
        assert_eq!(ProductName::try_from("  Tea  ".to_owned()).unwrap().as_str(), "Tea");
        assert!(ProductName::try_from("é".repeat(200)).is_ok());
        assert_eq!(ProductName::try_from("é".repeat(201)), Err(ValueError::TooLong { max: 200 }));
        assert_eq!(ProductName::try_from(" \t ".to_owned()), Err(ValueError::Empty));
        assert!(ProductName::try_from("a\nb".to_owned()).is_err());
    }

    #[test]
    fn the_bounds_are_those_of_what_was_sent() {
        assert_eq!(ProductName::try_from(format!("{} ", "é".repeat(200))), Err(ValueError::TooLong { max: 200 }));
        assert!(ProductName::try_from("Tea\n".to_owned()).is_err());
        assert_eq!(Description::try_from("Tea\n".to_owned()).unwrap().as_str(), "Tea");
    }

    #[test]
    fn a_description_may_have_lines() {
        assert!(Description::try_from("one\r\n\ttwo".to_owned()).is_ok());
        assert!(Description::try_from("bell\u{7}".to_owned()).is_err());
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        assert!(IdempotencyKey::try_from("8e03978e-40d5-43dd-bc93-6894a57f9324".to_owned()).is_ok());
        for text in ["", "two words", "ключ", &"k".repeat(256)] {
            assert!(IdempotencyKey::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reason_is_never_lost() {
        assert_eq!(Reason::from_lossy("a\nb").as_str(), "a b");
        assert_eq!(Reason::from_lossy("").as_str(), "unknown");
        assert_eq!(Reason::from_lossy(&"x".repeat(900)).as_str().len(), Reason::MAX);
    }
}
