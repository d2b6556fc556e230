//! Identifiers: a UUIDv7 (RFC 9562) behind a prefix that tells the kind, so that one kind is never taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ValueError;

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        ///
        #[doc = concat!("Text form: `", $prefix, "` and 32 lower-case hexadecimal digits. It is URL-safe and sorts by time of creation.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                parse(text, $prefix).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.0.simple())
            }
        }
    };
}

prefixed_id!(
    /// Identifies a product.
    ProductId,
    "prd_"
);
prefixed_id!(
    /// Identifies an image of a product.
    ImageId,
    "img_"
);
prefixed_id!(
    /// Identifies an order.
    OrderId,
    "ord_"
);

/// One text form only: a second spelling of the same identifier would be a second key in the table.
fn parse(text: &str, prefix: &'static str) -> Result<Uuid, ValueError> {
    let refused = ValueError::NotAnId { prefix };
    let digits = text.strip_prefix(prefix).ok_or_else(|| refused.clone())?;
    let canonical = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match Uuid::try_parse(digits) {
        Ok(uuid) if canonical && uuid.get_version_num() == 7 => Ok(uuid),
        _ => Err(refused),
    }
}

/// Identifies a customer: the `sub` claim of a token (RFC 7519, section 4.1.2), as its issuer wrote it.
///
/// 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomerId(String);

impl CustomerId {
    pub(crate) const MAX: usize = 128;

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CustomerId {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        if text.len() > Self::MAX {
            return Err(ValueError::TooLong { max: Self::MAX });
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ValueError::Forbidden { allowed: "visible ASCII characters" });
        }
        Ok(Self(text))
    }
}

impl From<CustomerId> for String {
    fn from(id: CustomerId) -> Self {
        id.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0192f0c1a2b37c4d8e5f60718293a4b5";

    #[test]
    fn an_identifier_reads_back_as_it_was_written() {
        let id: ProductId = format!("prd_{DIGITS}").parse().unwrap();
        assert_eq!(id.to_string(), format!("prd_{DIGITS}"));
    }

    #[test]
    fn one_kind_is_not_taken_for_another() {
        assert!(format!("ord_{DIGITS}").parse::<ProductId>().is_err());
    }

    #[test]
    fn a_second_spelling_is_refused() {
        for text in [
            format!("prd_{}", DIGITS.to_uppercase()),
            "prd_0192f0c1-a2b3-7c4d-8e5f-60718293a4b5".into(),
            format!("prd_{{{DIGITS}}}"),
            "prd_".into(),
            String::new(),
        ] {
            assert!(text.parse::<ProductId>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_version_7_is_an_identifier() {
        assert!("prd_0192f0c1a2b34c4d8e5f60718293a4b5".parse::<ProductId>().is_err());
    }

    #[test]
    fn a_customer_id_holds_what_issuers_write() {
        for text in ["auth0|507f1f77bcf86cd799439011", "user_2abc", "4b1b2b3c-0000-4000-8000-000000000000"] {
            assert_eq!(CustomerId::try_from(text.to_owned()).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a\n", &"x".repeat(129)] {
            assert!(CustomerId::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
