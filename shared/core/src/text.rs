//! Validated text from external input: trimmed, in Unicode normalization form C (NFC), with a maximum length, and
//! without forbidden characters.
//!
//! ```
//! ferrite_core::text!(
//!     /// The name of a note: one line of 1 to 80 characters.
//!     NoteName,
//!     80,
//!     ferrite_core::text::Name
//! );
//!
//! assert_eq!(NoteName::try_from(" Shopping ".to_owned())?.as_str(), "Shopping");
//! assert_eq!(NoteName::try_from("Cafe\u{301}".to_owned())?.as_str(), "Caf\u{e9}");
//! assert!(NoteName::try_from("\u{200b}".to_owned()).is_err());
//! # Ok::<(), ferrite_core::ValueError>(())
//! ```

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::ValueError;

/// Defines a text type.
///
/// The arguments are the documentation and name of the type, the maximum number of characters, and the [`Rules`].
///
/// `TryFrom<String>` validates and normalizes new text. `Deserialize` reads text that was validated when it was stored or
/// sent, so it applies [`Rules::read`], which does not change when the rules for new text become stricter.
#[macro_export]
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $rules:ty) => {
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
                <$rules as $crate::text::Rules>::parse(&text, Self::MAX).map(Self)
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

        $crate::serde_as_text!($name, |text| <$rules as $crate::text::Rules>::read(&text, Self::MAX).map(Self));
    };
}

/// Implements `Serialize` through `Display`, and `Deserialize` through `TryFrom<String>` or an expression for the text.
///
/// Written by hand because serde's derive macros refer to the crate `serde`, which users of the exported macros may not
/// depend on.
#[doc(hidden)]
#[macro_export]
macro_rules! serde_as_text {
    ($name:ident) => {
        $crate::serde_as_text!($name, |text| <Self as ::core::convert::TryFrom<::std::string::String>>::try_from(text));
    };
    ($name:ident, |$text:ident| $read:expr) => {
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
                let $text = <::std::string::String as $crate::macros::serde::Deserialize>::deserialize(deserializer)?;
                $read.map_err($crate::macros::serde::de::Error::custom)
            }
        }
    };
}

/// The rules of a kind of text.
pub trait Rules {
    /// Validates new text and returns it as it is stored: normalized, and without leading or trailing whitespace.
    ///
    /// The checks apply to the untrimmed text, so that a JSON Schema can express them. `max` is the maximum number of
    /// characters after the normalization.
    ///
    /// # Errors
    /// Returns [`ValueError::Empty`] if the text has no visible character, [`ValueError::TooLong`] if it has more than
    /// `max` characters, or [`ValueError::Forbidden`] if it contains a forbidden character.
    fn parse(text: &str, max: usize) -> Result<String, ValueError>;

    /// Reads text that [`parse`](Self::parse) of this or an earlier version returned. It must accept what earlier versions
    /// accepted, because stored items would be unreadable otherwise.
    ///
    /// # Errors
    /// Returns an error if no version has returned such text.
    fn read(text: &str, max: usize) -> Result<String, ValueError>;
}

/// Rules for names: one line without bidirectional controls and tag characters.
///
/// Bidirectional controls (Unicode Standard Annex #9) change the order of the text around a name, and tag characters hide
/// text in a name.
#[derive(Debug)]
pub struct Name;

/// Rules for text on one line.
#[derive(Debug)]
pub struct Line;

/// Rules for text with line breaks and tabs.
#[derive(Debug)]
pub struct Lines;

/// Rules for identifiers: visible ASCII characters.
#[derive(Debug)]
pub struct Graphic;

const ONE_LINE: &str = "text on one line";

impl Name {
    /// Whether names must not contain `c`.
    pub(crate) fn is_forbidden(c: char) -> bool {
        if c.is_ascii() {
            return c.is_ascii_control();
        }
        let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
        let is_tag = matches!(c, '\u{e0000}'..='\u{e007f}');
        // SQS does not accept these two ("SendMessage"), so events could not contain the name.
        let is_unsendable = matches!(c, '\u{fffe}' | '\u{ffff}');
        let is_bidi_control = || CodePointSetData::new::<BidiControl>().contains(c);
        c.is_control() || is_separator || is_tag || is_unsendable || is_bidi_control()
    }
}

impl Rules for Name {
    fn parse(text: &str, max: usize) -> Result<String, ValueError> {
        parse_visible(
            text,
            max,
            Self::is_forbidden,
            "a single line of text without bidirectional controls and tag characters",
        )
    }

    fn read(text: &str, max: usize) -> Result<String, ValueError> {
        check(text, max, char::is_control, ONE_LINE)
    }
}

impl Rules for Line {
    fn parse(text: &str, max: usize) -> Result<String, ValueError> {
        parse_visible(text, max, char::is_control, ONE_LINE)
    }

    fn read(text: &str, max: usize) -> Result<String, ValueError> {
        check(text, max, char::is_control, ONE_LINE)
    }
}

impl Lines {
    /// Whether text with several lines must not contain `c`.
    pub(crate) fn is_forbidden(c: char) -> bool {
        c.is_control() && c != '\n' && c != '\r' && c != '\t'
    }
}

impl Rules for Lines {
    fn parse(text: &str, max: usize) -> Result<String, ValueError> {
        parse_visible(text, max, Self::is_forbidden, "text, line breaks, and tabs")
    }

    fn read(text: &str, max: usize) -> Result<String, ValueError> {
        check(text, max, Self::is_forbidden, "text, line breaks, and tabs")
    }
}

impl Rules for Graphic {
    fn parse(text: &str, max: usize) -> Result<String, ValueError> {
        check(text, max, |c| !c.is_ascii_graphic(), "visible ASCII characters")
    }

    fn read(text: &str, max: usize) -> Result<String, ValueError> {
        Self::parse(text, max)
    }
}

/// Normalizes `text`, and checks it for visible and forbidden characters.
fn parse_visible(
    text: &str,
    max: usize,
    is_forbidden: fn(char) -> bool,
    allowed: &'static str,
) -> Result<String, ValueError> {
    let normalized = to_nfc(text);
    if !normalized.chars().any(is_visible) {
        return Err(ValueError::Empty);
    }
    check(&normalized, max, is_forbidden, allowed)
}

/// Checks `text` and returns it without leading or trailing whitespace.
fn check(text: &str, max: usize, is_forbidden: fn(char) -> bool, allowed: &'static str) -> Result<String, ValueError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ValueError::Empty);
    }
    if text.chars().count() > max {
        return Err(ValueError::TooLong { max });
    }
    if text.chars().any(is_forbidden) {
        return Err(ValueError::Forbidden { allowed });
    }
    Ok(trimmed.to_owned())
}

/// Returns `text` in Unicode normalization form C (Unicode Standard Annex #15), so that equal text has equal characters.
fn to_nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Whether `c` is visible on its own: not whitespace, not a control or format character, not ignorable, and not a
/// character whose glyph is blank.
///
/// Unassigned characters count as visible, because a later version of Unicode may assign them.
#[must_use]
pub fn is_visible(c: char) -> bool {
    /// Characters with a blank glyph. No Unicode property lists them: the braille pattern blank, the Khitan small script
    /// filler, the Egyptian hieroglyph blanks, the musical symbol null notehead, and the placeholder for an object.
    const BLANK: [char; 6] = ['\u{2800}', '\u{16fe4}', '\u{13441}', '\u{13442}', '\u{1d159}', '\u{fffc}'];
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    let is_ignorable = || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    let is_format = || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format;
    !(c.is_whitespace() || c.is_control() || BLANK.contains(&c) || is_ignorable() || is_format())
}

text!(
    /// Reason for a failure, for the person who investigates it: one line of 1 to 500 characters.
    Reason,
    500,
    Line
);
text!(
    /// Idempotency key: identifies a request, so that a retry of the request is not executed twice.
    ///
    /// 1 to 255 visible ASCII characters. The format follows the IETF draft "The Idempotency-Key HTTP Header Field",
    /// and the maximum length is that of the Stripe API.
    IdempotencyKey,
    255,
    Graphic
);
text!(
    /// Correlation ID: identifies a request in the logs of all functions that process it or its events.
    ///
    /// 1 to 128 visible ASCII characters.
    CorrelationId,
    128,
    Graphic
);

impl Reason {
    /// Converts any text to a valid reason: normalizes it, replaces control characters and characters that XML does not
    /// allow with spaces, and truncates it. SQS rejects characters that XML does not allow ("SendMessage").
    ///
    /// Use it for internal error messages, where rejecting the text would lose the reason.
    #[must_use]
    pub fn from_lossy(text: &str) -> Self {
        let clean: String = to_nfc(text)
            .chars()
            .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
            .take(Self::MAX)
            .collect();
        let clean = clean.trim();
        Self(if clean.chars().any(is_visible) { clean.to_owned() } else { "unknown".to_owned() })
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

    text!(
        /// A name.
        NoteName,
        20,
        Name
    );
    text!(
        /// Several lines.
        Note,
        20,
        Lines
    );

    fn name(text: &str) -> Result<String, ValueError> {
        NoteName::try_from(text.to_owned()).map(String::from)
    }

    #[test]
    fn text_without_visible_characters_is_empty() {
        let blank = [
            "\u{200b}",
            "\u{200c}\u{200d}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{34f}",
            "\u{180e}",
            "\u{2800}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}\u{1160}",
            "\u{17b4}\u{17b5}",
            "\u{fe0f}",
            "\u{e0100}",
            "\u{1d159}",
            "\u{1d173}",
            "\u{fffc}",
            "\u{fff9}\u{fffb}",
            "\u{13441}",
            "\u{16fe4}",
            "\u{3000}\u{200b} ",
            "\u{2028}",
            "\u{85}",
            "\u{200e}",
            "\u{e0061}",
            "",
        ];
        for text in blank {
            assert_eq!(name(text), Err(ValueError::Empty), "{}", text.escape_unicode());
            assert_eq!(Note::try_from(text.to_owned()), Err(ValueError::Empty), "{}", text.escape_unicode());
            assert_eq!(Reason::from_lossy(text).as_str(), "unknown", "{}", text.escape_unicode());
        }
        for text in ["\u{200b}x", "\u{2801}", "\u{301}", "\u{f8ff}", "\u{378}", "茶", "🫖", "1️⃣"] {
            assert!(name(text).is_ok(), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn rejects_bidirectional_controls_and_tag_characters_in_names_only() {
        let bidi =
            ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter().chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let tags = '\u{e0000}'..='\u{e007f}';
        for c in bidi.chain(tags).chain(['\u{2028}', '\u{2029}', '\u{fffe}', '\u{ffff}']) {
            let text = format!("Tea{c}pot");
            assert!(matches!(name(&text), Err(ValueError::Forbidden { .. })), "{}", c.escape_unicode());
            assert_eq!(Note::try_from(text.clone()).map(String::from), Ok(text), "{}", c.escape_unicode());
        }
        // Persian needs the zero-width non-joiner, emoji the joiner and selectors, and Japanese names ideographic variants.
        for text in ["نامه\u{200c}ای", "👩\u{200d}🚀", "❤\u{fe0f}", "葛\u{e0100}飾", "a\u{ad}b"] {
            assert_eq!(name(text).as_deref(), Ok(text), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn normalizes_text_before_it_counts_characters() {
        assert_eq!(name("Cafe\u{301}").as_deref(), Ok("Caf\u{e9}"));
        assert_eq!(name("\u{1112}\u{1161}\u{11ab}").as_deref(), Ok("\u{d55c}"));
        assert_eq!(name("\u{212b}").as_deref(), Ok("\u{c5}"));
        assert_eq!(name(&"e\u{301}".repeat(20)), Ok("\u{e9}".repeat(20)));
        // One character of the input becomes three.
        assert_eq!(name(&"\u{fb2c}".repeat(7)), Err(ValueError::TooLong { max: 20 }));
        assert_eq!(name(&"\u{fb2c}".repeat(6)).map(|name| name.chars().count()), Ok(18));
        assert_eq!(Reason::from_lossy("e\u{301}").as_str(), "\u{e9}");
        assert_eq!(Reason::try_from("e\u{301}".to_owned()).unwrap().as_str(), "\u{e9}");
    }

    #[test]
    fn deserializes_text_that_earlier_versions_accepted() {
        for text in ["\u{200b}", "Tea\u{202e}", "Cafe\u{301}", "\u{e0061}x", "a\u{2028}b"] {
            let stored = serde_json::to_string(text).unwrap();
            assert_eq!(serde_json::from_str::<NoteName>(&stored).unwrap().as_str(), text, "{}", text.escape_unicode());
        }
        for text in ["", " ", "a\nb", &"x".repeat(21)] {
            let stored = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<NoteName>(&stored).is_err(), "{}", text.escape_unicode());
        }
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
