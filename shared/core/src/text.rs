//! Validated text from external input: trimmed, with a maximum length, and without control characters.
//!
//! ```
//! ferrite_core::text!(
//!     /// The name of a note: one line of 1 to 80 characters.
//!     NoteName,
//!     80,
//!     char::is_control,
//!     "text on one line"
//! );
//!
//! assert_eq!(NoteName::try_from(" Shopping ".to_owned())?.as_str(), "Shopping");
//! # Ok::<(), ferrite_core::ValueError>(())
//! ```

use crate::ValueError;

/// Defines a text type.
///
/// The arguments are the documentation and name of the type, the maximum number of characters, a function that returns
/// whether a character is forbidden, and a description of the allowed characters for the error message.
#[macro_export]
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $forbidden:expr, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(::std::string::String);

        impl $name {
            /// Maximum number of characters (Unicode scalar values).
            pub const MAX: usize = $max;

            /// Returns the text without leading or trailing whitespace.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::core::convert::TryFrom<::std::string::String> for $name {
            type Error = $crate::ValueError;

            fn try_from(text: ::std::string::String) -> ::core::result::Result<Self, $crate::ValueError> {
                $crate::text::parse(&text, Self::MAX, $forbidden, $allowed).map(Self)
            }
        }

        impl ::core::convert::From<$name> for ::std::string::String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::serde_as_text!($name);
    };
}

/// Implements `Serialize` and `Deserialize` through `Into<String>` and `TryFrom<String>`.
///
/// Written by hand because serde's derive macros refer to the crate `serde`, which users of the exported macros may not
/// depend on.
#[doc(hidden)]
#[macro_export]
macro_rules! serde_as_text {
    ($name:ident) => {
        impl $crate::macros::serde::Serialize for $name {
            fn serialize<S: $crate::macros::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> $crate::macros::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::macros::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let text = <::std::string::String as $crate::macros::serde::Deserialize>::deserialize(deserializer)?;
                <Self as ::core::convert::TryFrom<::std::string::String>>::try_from(text)
                    .map_err($crate::macros::serde::de::Error::custom)
            }
        }
    };
}

/// Validates `text` and returns it without leading or trailing whitespace.
///
/// The checks apply to the untrimmed text, so that a JSON Schema can express them.
///
/// # Errors
/// Returns [`ValueError::Empty`] if the text is blank, [`ValueError::TooLong`] if it has more than `max` characters, or
/// [`ValueError::Forbidden`] if it contains a character for which `forbidden` returns `true`.
pub fn parse(text: &str, max: usize, forbidden: fn(char) -> bool, allowed: &'static str) -> Result<String, ValueError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ValueError::Empty);
    }
    if text.chars().count() > max {
        return Err(ValueError::TooLong { max });
    }
    if text.chars().any(forbidden) {
        return Err(ValueError::Forbidden { allowed });
    }
    Ok(trimmed.to_owned())
}

text!(
    /// Reason for a failure, for the person who investigates it: one line of 1 to 500 characters.
    Reason,
    500,
    char::is_control,
    "text on one line"
);
text!(
    /// Idempotency key: identifies a request, so that a retry of the request is not executed twice.
    ///
    /// 1 to 255 visible ASCII characters. The format follows the IETF draft "The Idempotency-Key HTTP Header Field",
    /// and the maximum length is that of the Stripe API.
    IdempotencyKey,
    255,
    |c| !c.is_ascii_graphic(),
    "visible ASCII characters"
);
text!(
    /// Correlation ID: identifies a request in the logs of all functions that process it or its events.
    ///
    /// 1 to 128 visible ASCII characters.
    CorrelationId,
    128,
    |c| !c.is_ascii_graphic(),
    "visible ASCII characters"
);

impl Reason {
    /// Converts any text to a valid reason: replaces control characters and characters that XML does not allow with
    /// spaces, and truncates the text. SQS rejects characters that XML does not allow ("SendMessage").
    ///
    /// Use it for internal error messages, where rejecting the text would lose the reason.
    #[must_use]
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
    fn trims_text_and_counts_characters_not_bytes() {
        assert_eq!(Reason::try_from("  Tea  ".to_owned()).unwrap().as_str(), "Tea");
        assert!(Reason::try_from("é".repeat(500)).is_ok());
        assert_eq!(Reason::try_from("é".repeat(501)), Err(ValueError::TooLong { max: 500 }));
        assert_eq!(Reason::try_from(" \t ".to_owned()), Err(ValueError::Empty));
        assert!(Reason::try_from("a\nb".to_owned()).is_err());
    }

    #[test]
    fn applies_limits_to_the_untrimmed_text() {
        assert_eq!(Reason::try_from(format!("{} ", "é".repeat(500))), Err(ValueError::TooLong { max: 500 }));
        assert!(Reason::try_from("Tea\n".to_owned()).is_err());
    }

    #[test]
    fn accepts_only_visible_ascii_in_idempotency_keys() {
        assert!(IdempotencyKey::try_from("8e03978e-40d5-43dd-bc93-6894a57f9324".to_owned()).is_ok());
        for text in ["", "two words", "ключ", &"k".repeat(256)] {
            assert!(IdempotencyKey::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn converts_any_text_to_a_valid_reason() {
        assert_eq!(Reason::from_lossy("a\nb").as_str(), "a b");
        assert_eq!(Reason::from_lossy("").as_str(), "unknown");
        assert_eq!(Reason::from_lossy(&"x".repeat(900)).as_str().len(), Reason::MAX);
    }
}
