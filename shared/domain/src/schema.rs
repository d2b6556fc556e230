//! JSON Schemas of the events and of what the HTTP API is made of: what consumers in other languages read, and what a change
//! is held against.
//!
//! They are derived from the types that write and read, so that they say what is on the bus and on the wire. What serde does not
//! know of is said here: which texts and numbers the parsed types are. A schema takes what its type's parser takes, and no more.

pub mod compatibility;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Amount, CloudEvent, ContentType, CorrelationId, Currency, CustomerId, CustomerName, Description, Email, EventId,
    IdempotencyKey, ImageId, OrderId, PageLimit, PaymentToken, ProductId, ProductName, Quantity, Reason, Stock, Timestamp,
    TraceParent, UploadSize, Version,
};

/// Visible ASCII characters.
const GRAPHIC: &str = "^[!-~]+$";

/// Text without control characters.
const ONE_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]+$";

/// What [`ONE_LINE`] takes, with something in it that is not white space ([`char::is_whitespace`]).
const ONE_LINE_WITH_INK: &str =
    r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\x00-\x1f\x7f-\x9f]*$";

/// The same with line breaks and tabs.
const LINES_WITH_INK: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

/// RFC 3339 as [`Timestamp`] writes it.
const MOMENT: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$";

macro_rules! schema_of {
    ($($name:ident: $schema:tt)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

schema_of! {
    Amount: {"type": "integer", "minimum": 0, "maximum": Amount::MAX}
    CorrelationId: {"type": "string", "minLength": 1, "maxLength": CorrelationId::MAX, "pattern": GRAPHIC}
    ContentType: {"type": "string", "enum": [ContentType::Jpeg, ContentType::Png, ContentType::WebP]}
    // Not a list of the codes: ISO 4217 adds to it, and who reads one takes any. See CurrencyCode.
    Currency: {"type": "string", "pattern": "^[A-Z]{3}$"}
    CustomerName: {"type": "string", "minLength": 1, "maxLength": CustomerName::MAX, "pattern": ONE_LINE_WITH_INK}
    Description: {"type": "string", "minLength": 1, "maxLength": Description::MAX, "pattern": LINES_WITH_INK}
    Email: {"type": "string", "maxLength": Email::MAX, "pattern": email_address()}
    IdempotencyKey: {"type": "string", "minLength": 1, "maxLength": IdempotencyKey::MAX, "pattern": GRAPHIC}
    ImageId: {"type": "string", "pattern": prefixed_id(ImageId::PREFIX)}
    PageLimit: {"type": "integer", "minimum": 1, "maximum": PageLimit::MAX, "default": PageLimit::default().get()}
    PaymentToken: {"type": "string", "pattern": payment_token()}
    ProductName: {"type": "string", "minLength": 1, "maxLength": ProductName::MAX, "pattern": ONE_LINE_WITH_INK}
    // What it can be set to. Pieces that come back may take it past that.
    Stock: {"type": "integer", "minimum": 0, "maximum": Stock::MAX}
    UploadSize: {"type": "integer", "minimum": 1, "maximum": UploadSize::MAX}
    Version: {"type": "integer", "minimum": 1}
    CustomerId: {"type": "string", "minLength": 1, "maxLength": CustomerId::MAX, "pattern": GRAPHIC}
    EventId: {"type": "string", "minLength": 1}
    OrderId: {"type": "string", "pattern": prefixed_id(OrderId::PREFIX)}
    ProductId: {"type": "string", "pattern": prefixed_id(ProductId::PREFIX)}
    Quantity: {"type": "integer", "minimum": 1, "maximum": Quantity::MAX}
    Reason: {"type": "string", "minLength": 1, "maxLength": Reason::MAX, "pattern": ONE_LINE}
    Timestamp: {"type": "string", "format": "date-time", "pattern": MOMENT}
    TraceParent: {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$"}
}

fn prefixed_id(prefix: &str) -> String {
    format!("^{prefix}[0-9a-f]{{12}}7[0-9a-f]{{19}}$")
}

fn email_address() -> String {
    let label = format!("[A-Za-z0-9-]{{1,{}}}", Email::LABEL_MAX);
    format!("^ *[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,{}}}@{label}(\\.{label})+ *$", Email::LOCAL_PART_MAX)
}

fn payment_token() -> String {
    format!("^{}[A-Za-z0-9_]{{1,{}}}$", PaymentToken::PREFIX, PaymentToken::MAX_AFTER_PREFIX)
}

/// A [`Currency`] that is sent: one of the codes that are read here.
#[derive(Debug)]
pub struct CurrencyCode;

impl JsonSchema for CurrencyCode {
    fn schema_name() -> Cow<'static, str> {
        "CurrencyCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        let codes = codes.map(|code| String::from_utf8_lossy(&code).into_owned());
        let known: Vec<String> = codes.filter(|code| Currency::try_from(code.clone()).is_ok()).collect();
        json_schema!({"type": "string", "description": "A code of ISO 4217.", "enum": known})
    }
}

/// What the schema of [`CloudEvent`] is made of: an envelope, and one of several ways to fill it.
#[derive(Deserialize)]
struct Derived {
    #[serde(rename = "$schema")]
    dialect: String,
    #[serde(flatten)]
    envelope: Object,
    #[serde(rename = "oneOf")]
    events: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    description: String,
    properties: BTreeMap<String, Value>,
    required: BTreeSet<String>,
}

/// The schema of every event (JSON Schema 2020-12), envelope and all, by the event's type. Each stands for itself: nothing in it
/// refers to another.
///
/// # Errors
/// The types have come to be written in a way that is not an envelope around one of several events.
pub fn of_events() -> Result<BTreeMap<String, Value>, serde_json::Error> {
    // As it is written, not as it may be read; a consumer has no use for names of parts.
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<CloudEvent>();
    let Derived { dialect, envelope, events } = serde_json::from_value(schema.to_value())?;
    let schema = |event: Object| {
        let kind = event.properties.get("type").and_then(|of_type| of_type.get("const")?.as_str());
        let kind = kind.unwrap_or_default().to_owned();
        let properties: BTreeMap<_, _> = envelope.properties.clone().into_iter().chain(event.properties).collect();
        let required: BTreeSet<_> = envelope.required.union(&event.required).collect();
        let schema = serde_json::json!({
            "$schema": dialect,
            "title": kind,
            "description": event.description,
            "type": "object",
            "properties": properties,
            "required": required,
        });
        (kind, schema)
    };
    Ok(events.into_iter().map(schema).collect())
}
