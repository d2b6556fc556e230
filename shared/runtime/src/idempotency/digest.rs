//! Hashes of values, compatible with Powertools for AWS Lambda (Python) with `hash_function="sha256"`. The hash is
//! computed from the JSON text that Python's `json.dumps(value, sort_keys=True)` returns.
//!
//! The hash differs from Python's in cases where Python parses a number differently: integers of more than 64 bits and
//! `-0`, which serde_json parses as floats, and floats with so many digits that serde_json's fast parser rounds to an
//! adjacent value.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};
use sha2::{Digest, Sha256};

/// The error for a value that cannot be serialized as JSON.
#[derive(Debug, thiserror::Error)]
#[error("the value cannot be serialized as JSON")]
pub struct DigestError(#[from] serde_json::Error);

/// Returns the SHA-256 hash of a value's JSON in hexadecimal. It does not depend on white space or on the order of
/// keys.
///
/// # Errors
/// Returns an error if the value cannot be serialized as JSON.
pub fn digest(value: &impl Serialize) -> Result<String, DigestError> {
    let mut value = serde_json::to_value(value)?;
    value.sort_all_objects();
    let mut text = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut text, PythonFormatter))?;
    Ok(Sha256::digest(&text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// Formats JSON as Python does: with a space after commas and colons, and with only ASCII characters.
struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // Rust and Python write the same digits, and an exponent for the same numbers. Python's exponent has a sign and
        // at least two digits.
        let text = format!("{value:?}");
        match text.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?))) {
            Some((digits, exponent)) => write!(writer, "{digits}e{exponent:+03}"),
            None => writer.write_all(text.as_bytes()),
        }
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            match c {
                ' '..='~' => writer.write_all(&[c as u8])?,
                _ => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn text(value: &Value) -> String {
        let mut bytes = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut bytes, PythonFormatter)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn formats_json_like_python() {
        let value = json!({"a": [1, 2.5, 1e15, 1e16, -1.5e-7, true, null], "b": "é\u{1f600}\"\\/\n\u{1}\u{7f}", "c": {}});
        let expected = concat!(
            r#"{"a": [1, 2.5, 1000000000000000.0, 1e+16, -1.5e-07, true, null], "b": ""#,
            r"\u00e9\ud83d\ude00\",
            r#"""#,
            r"\\/\n\u0001\u007f",
            r#"", "c": {}}"#
        );
        assert_eq!(text(&value), expected);
    }

    #[test]
    fn ignores_the_order_of_keys() {
        let first: Value = serde_json::from_str(r#"{"b": {"y": 1, "x": 2}, "a": 0}"#).unwrap();
        let second: Value = serde_json::from_str(r#"{"a":0,"b":{"x":2,"y":1}}"#).unwrap();
        assert_eq!(digest(&first).unwrap(), digest(&second).unwrap());
        assert_ne!(digest(&first).unwrap(), digest(&json!({"a": 0})).unwrap());
    }

    #[test]
    fn returns_the_same_hash_as_powertools() {
        // hashlib.sha256(json.dumps(["ada", "k"], sort_keys=True).encode()).hexdigest()
        let expected = "9cbaa45644fb173dbec5c722388d6fc5c798175b3cf8972606b3a65a7f9d32cc";
        assert_eq!(digest(&("ada", "k")).unwrap(), expected);
    }
}
