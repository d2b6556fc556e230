//! JSON Schemas of the types and events, for consumers in other languages and for compatibility checks.
//!
//! Schemas are derived from the types that serialize and deserialize, so they describe the actual events and HTTP
//! bodies. This module adds what serde does not know: the strings and numbers that a validated type accepts. A schema
//! accepts exactly the values that the parser of its type accepts.

pub mod compatibility;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::text::{Lines, Name, is_visible};
use crate::{
    CloudEvent, CorrelationId, Event, EventId, IdempotencyKey, PageLimit, Reason, Subject, Timestamp, TraceParent, Version,
};

/// Regular expression for visible ASCII characters.
pub const GRAPHIC: &str = "^[!-~]+$";

/// Regular expression for text without control characters.
pub const ONE_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]+$";

/// Regular expression for stored text without control characters that contains at least one non-whitespace character
/// ([`char::is_whitespace`]).
pub const ONE_LINE_NOT_BLANK: &str =
    r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\x00-\x1f\x7f-\x9f]*$";

/// Like [`ONE_LINE_NOT_BLANK`], but line breaks and tabs are allowed.
pub const LINES_NOT_BLANK: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

/// Regular expression for new text that follows the rules [`Name`].
pub static NAME: LazyLock<String> = LazyLock::new(|| with_visible_character(Name::is_forbidden));

/// Regular expression for new text that follows the rules [`Lines`].
pub static LINES: LazyLock<String> = LazyLock::new(|| with_visible_character(Lines::is_forbidden));

/// Returns a regular expression for text with a visible character and without forbidden characters.
fn with_visible_character(is_forbidden: fn(char) -> bool) -> String {
    let forbidden = character_class(is_forbidden);
    let invisible = character_class(|c| is_forbidden(c) || !is_visible(c));
    format!("^[^{forbidden}]*[^{invisible}][^{forbidden}]*$")
}

/// Returns the ranges of the characters up to U+FFFF for which `is_in_class` returns `true`, for a character class.
///
/// There is no notation for characters above U+FFFF that ECMAScript accepts with and without the flag `u`, and validators
/// differ in the flag. So the pattern accepts text that the parser rejects if it depends on one of them.
fn character_class(is_in_class: impl Fn(char) -> bool) -> String {
    let escaped = |c: char| match u32::from(c) {
        code @ ..=0xff => format!("\\x{code:02x}"),
        code => format!("\\u{code:04x}"),
    };
    let mut ranges: Vec<(char, char)> = Vec::new();
    for c in ('\0'..='\u{ffff}').filter(|c| is_in_class(*c)) {
        match ranges.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => ranges.push((c, c)),
        }
    }
    let range = |(first, last): &(char, char)| {
        if first == last { escaped(*first) } else { format!("{}-{}", escaped(*first), escaped(*last)) }
    };
    ranges.iter().map(range).collect()
}

/// Returns the schema of a text type with at most `max` characters: `new` is the pattern of new text, and `stored` that of
/// text that is read, which can come from an earlier version.
#[must_use]
pub fn text(generator: &SchemaGenerator, max: usize, new: &str, stored: &str) -> Schema {
    if generator.contract().is_deserialize() {
        let description =
            "The text is stored in Unicode normalization form C (NFC). The maximum length applies to that form.";
        json_schema!({"type": "string", "description": description, "minLength": 1, "maxLength": max, "pattern": new})
    } else {
        json_schema!({"type": "string", "minLength": 1, "maxLength": max, "pattern": stored})
    }
}

/// Regular expression for the RFC 3339 format that [`Timestamp`] writes.
const TIMESTAMP: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$";

/// Implements [`JsonSchema`] for types with handwritten, inlined schemas.
#[macro_export]
macro_rules! schema_of {
    ($($name:ident: $schema:tt)*) => {$(
        impl $crate::macros::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::core::stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut $crate::macros::schemars::SchemaGenerator) -> $crate::macros::schemars::Schema {
                $crate::macros::schemars::json_schema!($schema)
            }
        }
    )*};
}

/// Implements [`JsonSchema`] for types that [`text!`](crate::text!) defines, each with the pattern of new text and that of
/// stored text; see [`text`].
#[macro_export]
macro_rules! text_schema_of {
    ($($name:ident: $new:expr, $stored:expr;)*) => {$(
        impl $crate::macros::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::core::stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(
                generator: &mut $crate::macros::schemars::SchemaGenerator,
            ) -> $crate::macros::schemars::Schema {
                $crate::schema::text(generator, Self::MAX, &$new, $stored)
            }
        }
    )*};
}

schema_of! {
    CorrelationId: {"type": "string", "minLength": 1, "maxLength": CorrelationId::MAX, "pattern": GRAPHIC}
    EventId: {"type": "string", "minLength": 1}
    IdempotencyKey: {"type": "string", "minLength": 1, "maxLength": IdempotencyKey::MAX, "pattern": GRAPHIC}
    PageLimit: {"type": "integer", "minimum": 1, "maximum": PageLimit::MAX, "default": PageLimit::default().get()}
    Reason: {"type": "string", "minLength": 1, "maxLength": Reason::MAX, "pattern": ONE_LINE}
    Subject: {"type": "string", "minLength": 1, "maxLength": Subject::MAX, "pattern": GRAPHIC}
    Timestamp: {"type": "string", "format": "date-time", "pattern": TIMESTAMP}
    TraceParent: {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$"}
    Version: {"type": "integer", "minimum": 1}
}

/// Returns the regular expression for identifier types defined with [`prefixed_id!`](crate::prefixed_id).
#[must_use]
pub fn prefixed_id(prefix: &str) -> String {
    format!("^{prefix}[0-9a-f]{{12}}7[0-9a-f]{{19}}$")
}

/// Parts of the schema of [`CloudEvent`]: the envelope, and one entry for each event type.
#[derive(Deserialize)]
struct DerivedSchema {
    #[serde(rename = "$schema")]
    dialect: String,
    #[serde(flatten)]
    envelope: ObjectSchema,
    #[serde(rename = "oneOf")]
    events: Vec<ObjectSchema>,
}

#[derive(Deserialize)]
struct ObjectSchema {
    #[serde(default)]
    description: String,
    properties: BTreeMap<String, Value>,
    required: BTreeSet<String>,
}

/// Returns the JSON Schema (2020-12) of every event type of an application, by event type. Each schema is
/// self-contained and includes the envelope.
///
/// # Errors
/// Returns an error if `E` is not serialized as one of several `{"type", "data"}` objects.
pub fn of_events<E: Event + JsonSchema>() -> Result<BTreeMap<String, Value>, serde_json::Error> {
    // Describe the serialized form, which consumers receive. Inline subschemas, because their names are internal.
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<CloudEvent<E>>();
    let DerivedSchema { dialect, mut envelope, events } = serde_json::from_value(schema.to_value())?;
    if let Some(source) = envelope.properties.get_mut("source") {
        source["const"] = E::SOURCE.into();
    }
    let schema = |event: ObjectSchema| {
        let event_type = event.properties.get("type").and_then(|property| property.get("const")?.as_str());
        let event_type = event_type.unwrap_or_default().to_owned();
        let properties: BTreeMap<_, _> = envelope.properties.clone().into_iter().chain(event.properties).collect();
        let required: BTreeSet<_> = envelope.required.union(&event.required).collect();
        let schema = serde_json::json!({
            "$schema": dialect,
            "title": event_type,
            "description": event.description,
            "type": "object",
            "properties": properties,
            "required": required,
        });
        (event_type, schema)
    };
    Ok(events.into_iter().map(schema).collect())
}
