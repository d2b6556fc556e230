//! Customers, their e-mail addresses, and their registration.

use std::fmt;

use ferrite_core::{Timestamp, ValueError, Version};
use serde::{Deserialize, Serialize};

use crate::{CustomerId, CustomerName};

/// A syntactically valid e-mail address. The type does not check that the mailbox exists.
///
/// An address has at most 254 characters (RFC 5321, erratum 1690) and only 7-bit ASCII, which Amazon SES requires. The
/// local part has 1 to 64 characters that do not need quotes (RFC 5322 `atext` and dots). The domain has two or more
/// parts of letters, digits, and hyphens, separated by dots. An address is personal data, so the `Debug` output does
/// not contain it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    pub(crate) const MAX: usize = 254;
    pub(crate) const LOCAL_PART_MAX: usize = 64;
    pub(crate) const LABEL_MAX: usize = 63;

    /// Returns the address. Use it only to send e-mail or to store the address.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let trimmed = text.trim_matches(' ');
        if trimmed.is_empty() {
            return Err(ValueError::Empty);
        }
        // Checked before trimming, because the JSON Schema's `maxLength` also applies to the untrimmed text.
        if text.len() > Self::MAX {
            return Err(ValueError::TooLong { max: Self::MAX });
        }
        match trimmed.split_once('@') {
            Some((local_part, domain)) if is_local_part(local_part) && is_domain(domain) => Ok(Self(trimmed.to_owned())),
            _ => Err(ValueError::Invalid { expected: "an e-mail address, such as ada@example.com" }),
        }
    }
}

fn is_local_part(text: &str) -> bool {
    let needs_no_quotes = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    (1..=Email::LOCAL_PART_MAX).contains(&text.len()) && text.bytes().all(needs_no_quotes)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=Email::LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.contains('.') && text.split('.').all(is_label)
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// A registered customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer's identifier.
    pub id: CustomerId,
    /// The customer's e-mail address.
    pub email: Email,
    /// The customer's name.
    pub name: CustomerName,
    /// Incremented with each change.
    pub version: Version,
    /// When the customer registered.
    pub created_at: Timestamp,
    /// When the profile last changed.
    pub updated_at: Timestamp,
}

/// The profile data that a customer registers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The customer's e-mail address.
    pub email: Email,
    /// The customer's name.
    pub name: CustomerName,
}

/// Outcome of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationOutcome {
    /// The customer is new.
    Created(Customer),
    /// The customer was registered before and the profile changed.
    Updated(Customer),
    /// The customer was registered before with the same profile; nothing needs to be saved.
    Unchanged(Customer),
}

impl Registration {
    /// Applies the registration to the customer `id`, whose current profile is `current`.
    pub fn apply(self, id: CustomerId, current: Option<Customer>, now: Timestamp) -> RegistrationOutcome {
        let Self { email, name } = self;
        match current {
            None => RegistrationOutcome::Created(Customer {
                id,
                email,
                name,
                version: Version::FIRST,
                created_at: now,
                updated_at: now,
            }),
            Some(current) if current.email == email && current.name == name => RegistrationOutcome::Unchanged(current),
            Some(current) => RegistrationOutcome::Updated(Customer {
                email,
                name,
                version: current.version.next(),
                updated_at: now,
                ..current
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(email: &str, name: &str) -> Registration {
        Registration { email: email.to_owned().try_into().unwrap(), name: name.to_owned().try_into().unwrap() }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn accepts_valid_addresses() {
        let longest = format!("{}@{}.{}.{}.example", "a".repeat(64), "b".repeat(60), "c".repeat(60), "d".repeat(59));
        assert_eq!(longest.len(), 254);
        for text in
            ["ada@example.com", " ada@example.com ", "o'brien+tea@mail.example.co.uk", "a..b@docomo.example", &longest]
        {
            assert_eq!(Email::try_from(text.to_owned()).unwrap().expose(), text.trim());
        }
    }

    #[test]
    fn rejects_text_that_is_not_a_single_address() {
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@example.",
            "ada@.com",
            "ada@exam ple.com",
            "ada@b@example.com",
            "ada lovelace@example.com",
            "Ada <ada@example.com>",
            "ada@example.com,bob@example.com",
            "friends:ada@example.com",
            "\"ada\"@example.com",
            "ada@example.com\nbcc:bob@example.com",
            "ada@example.com\n",
            "ada@[127.0.0.1]",
            "adé@example.com",
            "ada@exämple.com",
            &format!("{}@example.com", "a".repeat(65)),
            &format!("ada@{}.example", "b".repeat(64)),
            &format!("ada@{}example", "b.".repeat(125)),
        ] {
            assert!(Email::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_address() {
        let RegistrationOutcome::Created(customer) =
            registration("ada@example.com", "Ada").apply("ada".to_owned().try_into().unwrap(), None, at(1))
        else {
            panic!("expected a new customer");
        };
        assert!(!format!("{customer:?}").contains("example.com"));
    }

    #[test]
    fn increments_the_version_only_on_a_change() {
        let id: CustomerId = "ada".to_owned().try_into().unwrap();
        let RegistrationOutcome::Created(first) = registration("ada@example.com", "Ada").apply(id.clone(), None, at(1))
        else {
            panic!("expected a new customer");
        };
        assert_eq!((first.version, first.created_at, first.updated_at), (Version::FIRST, at(1), at(1)));

        let same = registration("ada@example.com", " Ada ").apply(id.clone(), Some(first.clone()), at(2));
        assert_eq!(same, RegistrationOutcome::Unchanged(first.clone()));

        for other in [registration("ada@example.org", "Ada"), registration("ada@example.com", "Ada L.")] {
            let RegistrationOutcome::Updated(updated) = other.clone().apply(id.clone(), Some(first.clone()), at(3)) else {
                panic!("expected an updated customer");
            };
            assert_eq!((updated.email, updated.name), (other.email, other.name));
            assert_eq!((updated.version.get(), updated.created_at, updated.updated_at), (2, at(1), at(3)));
        }
    }
}
