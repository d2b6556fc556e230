//! JSON Schemas of the storefront's types, for the event schemas and the OpenAPI document.
//!
//! serde does not know which strings and numbers a parsed type accepts, so this module states the constraints. Each
//! schema accepts exactly the values that the type's parser accepts, unless a comment states a difference.

use std::borrow::Cow;

use ferrite_core::Subject;
use ferrite_core::schema::{GRAPHIC, LINES, LINES_NOT_BLANK, NAME, ONE_LINE_NOT_BLANK, prefixed_id};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Amount, ConfirmationToken, ContentType, Currency, CustomerId, CustomerName, Description, Email, ImageId, OrderId,
    PaymentToken, ProductId, ProductName, Quantity, Stock, UploadSize,
};

ferrite_core::schema_of! {
    Amount: {"type": "integer", "minimum": 0, "maximum": Amount::MAX}
    ConfirmationToken: {"type": "string", "pattern": "^ *[0-9a-f]{32} *$"}
    ContentType: {"type": "string", "enum": [ContentType::Jpeg, ContentType::Png, ContentType::WebP]}
    // Readers accept any code, because ISO 4217 adds codes over time. `CurrencyCode` lists the codes that requests may
    // use.
    Currency: {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}
    CustomerId: {"type": "string", "minLength": 1, "maxLength": Subject::MAX, "pattern": GRAPHIC}
    ImageId: {"type": "string", "pattern": prefixed_id(ImageId::PREFIX)}
    PaymentToken: {"type": "string", "pattern": payment_token()}
    // The values that the stock can be set to. Returned units can raise a stored stock above the maximum.
    Stock: {"type": "integer", "minimum": 0, "maximum": Stock::MAX}
    UploadSize: {"type": "integer", "minimum": 1, "maximum": UploadSize::MAX}
    OrderId: {"type": "string", "pattern": prefixed_id(OrderId::PREFIX)}
    ProductId: {"type": "string", "pattern": prefixed_id(ProductId::PREFIX)}
    Quantity: {"type": "integer", "minimum": 1, "maximum": Quantity::MAX}
}

/// A dot at the start or end of the local part, or two dots in a row. A pattern that excludes them could not also limit
/// the length of the local part without lookahead, which not all implementations support.
const MISPLACED_DOT: &str = r"^ *\.|\.\.|\.@";

// The parsers differ in two ways: `maxLength` applies to the normalized text, and the patterns do not contain the characters
// above U+FFFF that are forbidden or invisible.
ferrite_core::text_schema_of! {
    CustomerName: NAME, ONE_LINE_NOT_BLANK;
    Description: LINES, LINES_NOT_BLANK;
    ProductName: NAME, ONE_LINE_NOT_BLANK;
}

/// Requests must contain a valid address. Responses can contain one that an earlier version stored, with misplaced dots or
/// hyphens.
impl JsonSchema for Email {
    fn schema_name() -> Cow<'static, str> {
        "Email".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let local_part = format!("[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,{}}}", Self::LOCAL_PART_MAX);
        let pattern = |label: &str| format!("^ *{local_part}@{label}(\\.{label})+ *$");
        if generator.contract().is_deserialize() {
            let label = format!("[A-Za-z0-9]([A-Za-z0-9-]{{0,{}}}[A-Za-z0-9])?", Self::LABEL_MAX - 2);
            let pattern = pattern(&label);
            json_schema!({"type": "string", "maxLength": Self::MAX, "pattern": pattern, "not": {"pattern": MISPLACED_DOT}})
        } else {
            let pattern = pattern(&format!("[A-Za-z0-9-]{{1,{}}}", Self::LABEL_MAX));
            json_schema!({"type": "string", "maxLength": Self::MAX, "pattern": pattern})
        }
    }
}

fn payment_token() -> String {
    format!("^{}[A-Za-z0-9_]{{1,{}}}$", PaymentToken::PREFIX, PaymentToken::MAX_AFTER_PREFIX)
}

/// A [`Currency`] in a request: one of the codes that this version accepts.
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
        json_schema!({"type": "string", "description": "ISO 4217 currency code.", "enum": known})
    }
}
