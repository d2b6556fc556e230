//! E-mail addresses.

use std::fmt;

use ferrite_core::ValueError;
use serde::{Deserialize, Serialize};

/// A syntactically valid e-mail address. The type does not check that the mailbox exists.
///
/// An address has at most 254 characters (RFC 5321, erratum 1690) and only 7-bit ASCII, which Amazon SES requires. The
/// local part has at most 64 characters. It is a `dot-atom` (RFC 5322): parts that do not need quotes, separated by
/// single dots. The domain has two or more labels of letters, digits, and hyphens, separated by dots; a label does not
/// begin or end with a hyphen (RFC 1123, section 2.1). SES rejects other addresses. An address is personal data, so the
/// `Debug` output does not contain it.
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

    /// Restores an address that was validated before it was stored, possibly by an earlier version with other rules.
    pub fn from_stored(address: String) -> Self {
        Self(address)
    }

    /// Returns the address in lower case. Addresses that differ only in case reach the same mailbox at all common
    /// e-mail providers, although RFC 5321 lets the local part be case-sensitive.
    pub fn lower_case(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Returns the mailbox that limits apply to: the address in lower case and without its subaddress (RFC 5233), such
    /// as `ada@example.com` for `Ada+shop@example.com`. Other aliases are not known, except those of Google.
    pub fn mailbox(&self) -> String {
        let address = self.lower_case();
        match address.split_once('@') {
            Some((local_part, domain)) => {
                let user = local_part.split('+').next().unwrap_or_default();
                // A local part that begins with `+` has no user.
                let user = if user.is_empty() { local_part } else { user };
                match domain {
                    // Google ignores dots, and delivers to both domains.
                    "gmail.com" | "googlemail.com" => format!("{}@gmail.com", user.replace('.', "")),
                    _ => format!("{user}@{domain}"),
                }
            }
            None => address,
        }
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
    let needs_no_quotes = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(needs_no_quotes);
    text.len() <= Email::LOCAL_PART_MAX && text.split('.').all(is_atom)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=Email::LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_valid_addresses() {
        let longest = format!("{}@{}.{}.{}.example", "a".repeat(64), "b".repeat(60), "c".repeat(60), "d".repeat(59));
        assert_eq!(longest.len(), 254);
        for text in ["ada@example.com", " ada@example.com ", "o'brien+tea@mail.example.co.uk", "a.b@x-1.example", &longest] {
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
            ".ada@example.com",
            "ada.@example.com",
            "ada..lovelace@example.com",
            ".@example.com",
            "ada@-shop.example",
            "ada@shop-.example",
            "ada@mail.-shop.example",
            "ada@example.com-",
            "ada@example..com",
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
    fn mailbox_ignores_case_and_subaddress() {
        for (address, mailbox) in [
            ("Ada@Example.COM", "ada@example.com"),
            ("ada+shop@example.com", "ada@example.com"),
            ("ada+a+b@example.com", "ada@example.com"),
            ("+ada@example.com", "+ada@example.com"),
            ("a.da@example.com", "a.da@example.com"),
            ("a.d.a+x@GoogleMail.com", "ada@gmail.com"),
        ] {
            assert_eq!(Email::try_from(address.to_owned()).unwrap().mailbox(), mailbox);
        }
    }
}
