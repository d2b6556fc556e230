//! Identifiers: a UUIDv7 (RFC 9562) with a prefix that names the type of entity, so that types cannot be confused.
//!
//! ```
//! ferrite_core::prefixed_id!(
//!     /// Identifies a note.
//!     NoteId,
//!     "note_"
//! );
//!
//! let id: NoteId = "note_0192f0c1a2b37c4d8e5f60718293a4b5".parse()?;
//! assert_eq!(id.to_string(), "note_0192f0c1a2b37c4d8e5f60718293a4b5");
//! # Ok::<(), ferrite_core::ValueError>(())
//! ```

use uuid::Uuid;

use crate::ValueError;

/// Defines an identifier type: `prefixed_id!(/** docs */ NoteId, "note_");`
///
/// The type is `Copy`, sorts by creation time, and is serialized as text.
#[macro_export]
macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        ///
        #[doc = concat!("Text form: `", $prefix, "` followed by 32 lowercase hexadecimal digits. It is URL-safe and sorts by creation time.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::macros::uuid::Uuid);

        impl $name {
            /// Prefix of every identifier of this type.
            pub const PREFIX: &'static str = $prefix;
        }

        impl ::core::convert::From<$crate::macros::uuid::Uuid> for $name {
            fn from(uuid: $crate::macros::uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl ::core::convert::From<$name> for $crate::macros::uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::ValueError;

            fn from_str(text: &str) -> ::core::result::Result<Self, $crate::ValueError> {
                $crate::id::parse(text, $prefix).map(Self)
            }
        }

        impl ::core::convert::TryFrom<::std::string::String> for $name {
            type Error = $crate::ValueError;

            fn try_from(text: ::std::string::String) -> ::core::result::Result<Self, $crate::ValueError> {
                text.parse()
            }
        }

        impl ::core::convert::From<$name> for ::std::string::String {
            fn from(id: $name) -> Self {
                ::std::string::ToString::to_string(&id)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::write!(f, "{}{}", $prefix, self.0.simple())
            }
        }

        $crate::serde_as_text!($name);
    };
}

/// Parses the UUIDv7 in `text`, which must be `prefix` followed by 32 lowercase hexadecimal digits.
///
/// Only this canonical form is accepted, because another form of the same identifier would be a different table key.
///
/// # Errors
/// Returns [`ValueError::NotAnId`] for any other text.
pub fn parse(text: &str, prefix: &'static str) -> Result<Uuid, ValueError> {
    let error = ValueError::NotAnId { prefix };
    let digits = text.strip_prefix(prefix).ok_or_else(|| error.clone())?;
    let is_canonical = digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match Uuid::try_parse(digits) {
        Ok(uuid) if is_canonical && uuid.get_version_num() == 7 => Ok(uuid),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use crate::ValueError;

    crate::prefixed_id!(
        /// Identifies a note.
        NoteId,
        "note_"
    );

    const DIGITS: &str = "0192f0c1a2b37c4d8e5f60718293a4b5";

    #[test]
    fn round_trips_its_text_form() {
        let id: NoteId = format!("note_{DIGITS}").parse().unwrap();
        assert_eq!(id.to_string(), format!("note_{DIGITS}"));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"note_{DIGITS}\""));
    }

    #[test]
    fn rejects_an_identifier_with_another_prefix() {
        let error = format!("user_{DIGITS}").parse::<NoteId>().unwrap_err();
        assert_eq!(error, ValueError::NotAnId { prefix: "note_" });
    }

    #[test]
    fn rejects_non_canonical_forms() {
        for text in [
            format!("note_{}", DIGITS.to_uppercase()),
            "note_0192f0c1-a2b3-7c4d-8e5f-60718293a4b5".into(),
            format!("note_{{{DIGITS}}}"),
            "note_".into(),
            String::new(),
        ] {
            assert!(text.parse::<NoteId>().is_err(), "{text}");
        }
    }

    #[test]
    fn rejects_other_uuid_versions() {
        assert!("note_0192f0c1a2b34c4d8e5f60718293a4b5".parse::<NoteId>().is_err());
    }
}
