//! JSON from other systems: a byte order mark is ignored, and a duplicate key is an error.
//!
//! `serde_json` keeps the last value of a duplicate key, and other parsers keep the first (RFC 8259, section 4). If two
//! systems then read different values from the same text, one of them can approve what the other does not do.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// Number of characters of a duplicate key that an error message contains.
const SHOWN: usize = 40;

/// Parses JSON in UTF-8.
///
/// ```
/// let value: serde_json::Value = ferrite_core::json::from_slice("\u{feff}{\"a\": 1}".as_bytes())?;
/// assert_eq!(value["a"], 1);
/// assert!(ferrite_core::json::from_slice::<serde_json::Value>(br#"{"a": 1, "\u0061": 2}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Returns an error if the text is not valid JSON, contains an object with a duplicate key at any depth, or does not match
/// the type.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    serde_json::from_slice::<UniqueKeys>(json)?;
    serde_json::from_slice(json)
}

/// Returns JSON without a leading byte order mark, which parsers may ignore (RFC 8259, section 8.1).
///
/// # Errors
/// Returns an error if the text is not valid JSON, or contains an object with a duplicate key at any depth.
pub fn check(json: &str) -> Result<&str, serde_json::Error> {
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    serde_json::from_str::<UniqueKeys>(json)?;
    Ok(json)
}

/// Any JSON value in which no object has a duplicate key.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format_args!("duplicate key \"{}\"", shortened(&key))));
            }
            keys.insert(key);
            fields.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// Returns the beginning of `text`, with invisible characters escaped.
fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn error(json: &str) -> Option<String> {
        let parsed = from_slice::<Value>(json.as_bytes());
        assert_eq!(parsed.is_ok(), check(json).is_ok(), "{json}");
        parsed.err().map(|error| error.to_string())
    }

    #[test]
    fn rejects_duplicate_keys_at_any_depth_and_in_any_notation() {
        for json in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "b": 2, "a": null}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"x": {"y": [1, {"a": {}, "a": []}]}}"#,
            r#"[{"a": 1}, {"a": 1, "a": 2}]"#,
            r#"{"a": {"a": 1}, "a": {"b": 1}}"#,
        ] {
            let error = error(json).unwrap_or_else(|| panic!("{json}"));
            assert!(error.starts_with("duplicate key \"a\" at line 1 column "), "{json}: {error}");
        }
        assert!(error(r#"{"": 1, "": 2}"#).is_some());
        for json in
            [r#"{"a": {"a": [{"a": 1}, {"a": 1}]}, "A": 1, "á": 1, "a\u0301": 2}"#, "[1, -1, 1.5, null, true, \"a\"]"]
        {
            assert_eq!(error(json), None, "{json}");
        }
    }

    #[test]
    fn shortens_and_escapes_the_key_in_the_message() {
        let key = format!("a\u{202e}\n{}", "é".repeat(100));
        let json = format!("{{{0}: 1, {0}: 2}}", json!(key));
        let expected = format!("duplicate key \"a\\u{{202e}}\\n{}…\" at line 1 column ", "é".repeat(37));
        assert!(error(&json).unwrap().starts_with(&expected), "{:?}", error(&json));
    }

    #[test]
    fn ignores_one_byte_order_mark_at_the_start() {
        assert_eq!(from_slice::<Value>("\u{feff} {\"a\": \"\u{feff}\"}".as_bytes()).unwrap(), json!({"a": "\u{feff}"}));
        assert_eq!(check("\u{feff}{}").unwrap(), "{}");
        for json in ["\u{feff}", "\u{feff}\u{feff}{}", " \u{feff}{}", "{\u{feff}}", "{}\u{feff}"] {
            assert!(error(json).is_some(), "{}", json.escape_unicode());
        }
    }

    #[test]
    fn limits_the_depth() {
        assert!(error(&"[".repeat(100_000)).is_some());
        assert!(error(&format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000))).is_some());
    }
}
