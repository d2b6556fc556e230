//! Customers: how to reach them and what to call them.

use std::fmt;

use ferrite_core::{Timestamp, ValueError, Version};
use serde::{Deserialize, Serialize};

use crate::{CustomerId, CustomerName};

/// The address of an e-mail account, by its form alone: whether anyone reads it, no form tells.
///
/// At most 254 characters (RFC 5321 with its erratum 1690), of the kind that SES takes (7-bit ASCII): before the `@` 1 to 64 that may
/// stand there without quotes (RFC 5322, "atext" and dots), behind it labels of letters, digits and hyphens with a dot between
/// them. It says who someone is, so its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    pub(crate) const MAX: usize = 254;
    pub(crate) const LOCAL_PART_MAX: usize = 64;
    pub(crate) const LABEL_MAX: usize = 63;

    /// The address, for the one who writes to it or keeps it.
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
        // As it was sent: what a schema can say is what is refused.
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
    let stands_unquoted = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    (1..=Email::LOCAL_PART_MAX).contains(&text.len()) && text.bytes().all(stands_unquoted)
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

/// Someone who registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Who they are.
    pub id: CustomerId,
    /// Where to write to them.
    pub email: Email,
    /// What to call them.
    pub name: CustomerName,
    /// Counts the changes.
    pub version: Version,
    /// When they registered.
    pub created_at: Timestamp,
    /// When they last changed something.
    pub updated_at: Timestamp,
}

/// What a customer says of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Where to write to them.
    pub email: Email,
    /// What to call them.
    pub name: CustomerName,
}

/// What a registration comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// They are new.
    Created(Customer),
    /// They were registered, and something is different now.
    Changed(Customer),
    /// They were registered with just this: there is nothing to keep.
    Unchanged(Customer),
}

impl Registration {
    /// What it makes of the customer `id`, who up to now is `before`.
    pub fn register(self, id: CustomerId, before: Option<Customer>, now: Timestamp) -> Registered {
        let Self { email, name } = self;
        match before {
            None => {
                Registered::Created(Customer { id, email, name, version: Version::FIRST, created_at: now, updated_at: now })
            }
            Some(before) if before.email == email && before.name == name => Registered::Unchanged(before),
            Some(before) => {
                Registered::Changed(Customer { email, name, version: before.version.next(), updated_at: now, ..before })
            }
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
    fn what_can_be_written_to_is_an_address() {
        let longest = format!("{}@{}.{}.{}.example", "a".repeat(64), "b".repeat(60), "c".repeat(60), "d".repeat(59));
        assert_eq!(longest.len(), 254);
        for text in
            ["ada@example.com", " ada@example.com ", "o'brien+tea@mail.example.co.uk", "a..b@docomo.example", &longest]
        {
            assert_eq!(Email::try_from(text.to_owned()).unwrap().expose(), text.trim());
        }
    }

    #[test]
    fn what_nobody_can_be_reached_at_or_what_says_more_than_an_address_is_refused() {
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
    fn an_address_is_not_shown_by_debug() {
        let Registered::Created(customer) =
            registration("ada@example.com", "Ada").register("ada".to_owned().try_into().unwrap(), None, at(1))
        else {
            panic!("nobody was registered before");
        };
        assert!(!format!("{customer:?}").contains("example.com"));
    }

    #[test]
    fn the_version_moves_with_a_change_alone() {
        let id: CustomerId = "ada".to_owned().try_into().unwrap();
        let Registered::Created(first) = registration("ada@example.com", "Ada").register(id.clone(), None, at(1)) else {
            panic!("nobody was registered before");
        };
        assert_eq!((first.version, first.created_at, first.updated_at), (Version::FIRST, at(1), at(1)));

        let same = registration("ada@example.com", " Ada ").register(id.clone(), Some(first.clone()), at(2));
        assert_eq!(same, Registered::Unchanged(first.clone()));

        for other in [registration("ada@example.org", "Ada"), registration("ada@example.com", "Ada L.")] {
            let Registered::Changed(changed) = other.clone().register(id.clone(), Some(first.clone()), at(3)) else {
                panic!("something is different");
            };
            assert_eq!((changed.email, changed.name), (other.email, other.name));
            assert_eq!((changed.version.get(), changed.created_at, changed.updated_at), (2, at(1), at(3)));
        }
    }
}
