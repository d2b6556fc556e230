//! Fuzz targets for the values that clients send in paths, queries and bodies.

use bolero::check;
use ferrite_core::{CorrelationId, Cursor, IdempotencyKey, PageLimit, Timestamp, TraceParent};
use ferrite_domain::{
    Amount, ContentType, Currency, CustomerId, Description, Email, ImageId, Money, OrderId, ProductId, ProductName,
    Quantity, Stock, UploadSize,
};

use serde_json::Value;

use crate::{IMAGE, MutationPlan, ORDER, ORDER_CURSOR, PRODUCT, json_round_trips, mutate, round_trips};

#[test]
fn fuzz_ids() {
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&[PRODUCT, IMAGE, ORDER], plan);
        assert!(round_trips::<ProductId>(&text) && round_trips::<ImageId>(&text) && round_trips::<OrderId>(&text));
        let accepted = [text.parse::<ProductId>().is_ok(), text.parse::<ImageId>().is_ok(), text.parse::<OrderId>().is_ok()];
        assert!(accepted.iter().filter(|accepted| **accepted).count() <= 1, "{text} is accepted as several kinds of id");
        // Only one spelling is accepted, because another one would be another key in the table.
        assert!(text.parse::<OrderId>().is_ok_and(|id| id.to_string() == text) || text.parse::<OrderId>().is_err());
    });
}

#[test]
fn fuzz_cursors() {
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&[ORDER_CURSOR], plan);
        assert!(cursor_round_trips_exactly(&text), "{text}");
        assert!(text.parse::<Cursor<ProductId>>().is_err(), "the cursor of one list is accepted by another");
    });
}

fn cursor_round_trips_exactly(text: &str) -> bool {
    text.parse::<Cursor<OrderId>>().ok().is_none_or(|cursor| cursor.to_string() == text)
}

#[test]
fn fuzz_page_limits() {
    check!().with_type::<MutationPlan>().for_each(|plan| {
        if let Ok(limit) = mutate(&["1", "20", "100"], plan).parse::<PageLimit>() {
            assert!((1..=100).contains(&limit.get()));
        }
    });
}

#[test]
fn fuzz_timestamps() {
    let examples = ["2026-11-22T22:00:00.000Z", "1970-01-01T00:00:00Z", "2026-11-22T23:30:00.123456+01:30"];
    check!().with_type::<MutationPlan>().for_each(|plan| assert!(round_trips::<Timestamp>(&mutate(&examples, plan))));
    check!().with_type::<i64>().for_each(|millis| {
        let time = Timestamp::from_unix_millis(*millis);
        assert_eq!(time.to_string().parse::<Timestamp>().ok(), Some(time));
        assert!(round_trips::<ferrite_core::Day>(&time.day().to_string()));
    });
}

#[test]
fn fuzz_trace_parents() {
    let examples = [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    ];
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&examples, plan);
        assert!(round_trips::<TraceParent>(&text));
        if let Some(parent) = TraceParent::from_xray(&text) {
            assert_eq!(TraceParent::from_xray(&parent.xray_header()), Some(parent));
        }
    });
}

#[test]
fn fuzz_strings() {
    let examples = ["ada@example.com", "image/jpeg", "5f1c-\u{e9}", "a b", "EUR", "google-oauth2|1042"];
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let json = serde_json::to_string(&mutate(&examples, plan)).unwrap();
        assert!(json_round_trips::<CorrelationId>(&json) && json_round_trips::<CustomerId>(&json));
        assert!(json_round_trips::<Currency>(&json) && json_round_trips::<ContentType>(&json));
        let text: String = serde_json::from_str(&json).unwrap();
        if let Ok(address) = Email::try_from(text.clone()) {
            // A line break would start another header of the e-mail.
            assert!(!address.expose().contains(['\r', '\n']));
        }
        if let Ok(key) = IdempotencyKey::try_from(text.clone()) {
            assert_eq!(key.to_string(), text);
        }
    });
}

#[test]
fn fuzz_texts() {
    let examples =
        ["Zoe\u{308}", " \u{200b}\u{2800} ", "\u{fb2c}", "Tea\u{202e}\u{200f}", "one\r\n\ttwo", "👩\u{200d}🚀", "\u{e0061}"];
    let mut names = 0;
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&examples, plan);
        if let Ok(description) = Description::try_from(text.clone()) {
            // Parsing the stored text again changes nothing, so it is normalized.
            assert_eq!(Description::try_from(description.to_string()).as_ref(), Ok(&description));
            assert!(json_round_trips::<Description>(&serde_json::to_string(&description).unwrap()));
        }
        if let Ok(name) = ProductName::try_from(text) {
            names += 1;
            assert_eq!(ProductName::try_from(name.to_string()).as_ref(), Ok(&name));
            assert!(json_round_trips::<ProductName>(&serde_json::to_string(&name).unwrap()));
            assert!(!name.as_str().contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)));
        }
    });
    assert!(names > 0, "no name was accepted: the examples are not valid");
}

#[test]
fn fuzz_json() {
    let examples = [
        "\u{feff}{\"name\": \"Tea\", \"stock\": 1}",
        r#"{"a": [{"b": 1, "c": -1.5e3}, null, true], "\u0062": {"b": {}}}"#,
        r#"{"a": 1, "a": 2}"#,
    ];
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&examples, plan);
        let parsed = ferrite_core::json::from_slice::<Value>(text.as_bytes());
        assert_eq!(parsed.is_ok(), ferrite_core::json::check(&text).is_ok(), "{text}");
        if let Ok(value) = parsed {
            let expected = serde_json::from_str::<Value>(text.strip_prefix('\u{feff}').unwrap_or(&text)).unwrap();
            assert_eq!(value, expected, "{text}");
            // No key was dropped: each has a colon of its own outside of strings.
            assert_eq!(keys(&value), colons(&text), "{text}");
        }
    });
}

fn keys(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(keys).sum(),
        Value::Object(fields) => fields.len() + fields.values().map(keys).sum::<usize>(),
        _ => 0,
    }
}

/// The number of colons outside of strings.
fn colons(json: &str) -> usize {
    let mut in_string = false;
    let mut characters = json.chars();
    let mut found = 0;
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '"' => in_string = !in_string,
            ':' if !in_string => found += 1,
            _ => {}
        }
    }
    found
}

#[test]
fn fuzz_money() {
    let examples = [r#"{"amount":1250,"currency":"EUR"}"#, r#"{"amount":999999999999,"currency":"JPY"}"#];
    check!().with_type::<MutationPlan>().for_each(|plan| assert!(json_round_trips::<Money>(&mutate(&examples, plan))));
    check!().with_type::<(u64, u64, u64)>().for_each(|(first, second, quantity)| {
        let limit = Amount::MAX + 2;
        let (Ok(first), Ok(second)) = (Amount::try_from(first % limit), Amount::try_from(second % limit)) else { return };
        let currency = Currency::try_from("EUR".to_owned()).unwrap();
        let first = Money { amount: first, currency };
        let second = Money { amount: second, currency };
        let sum = u128::from(first.amount.minor_units()) + u128::from(second.amount.minor_units());
        assert_eq!(
            first.plus(second).map(|sum| sum.amount.minor_units().into()),
            (sum <= Amount::MAX.into()).then_some(sum)
        );
        let Ok(quantity) = Quantity::try_from(quantity % (Quantity::MAX + 2)) else { return };
        let price = u128::from(first.amount.minor_units()) * u128::from(quantity.get());
        assert_eq!(
            first.times(quantity).map(|price| price.amount.minor_units().into()),
            (price <= Amount::MAX.into()).then_some(price)
        );
    });
}

#[test]
fn fuzz_numbers() {
    check!().with_type::<u64>().for_each(|number| {
        assert_eq!(Stock::try_from(*number).is_ok(), *number <= Stock::MAX);
        if let Ok(size) = UploadSize::try_from(*number) {
            assert_eq!(size.bytes(), *number);
        }
    });
}
