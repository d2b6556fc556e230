//! What a client writes into a path, a query or a body.

use bolero::check;
use ferrite_core::{CorrelationId, Cursor, IdempotencyKey, PageLimit, Timestamp, TraceParent};
use ferrite_domain::{
    Amount, ContentType, Currency, CustomerId, Email, ImageId, Money, OrderId, ProductId, Quantity, Stock, UploadSize,
};

use crate::{IMAGE, ORDER, ORDER_CURSOR, PRODUCT, Plan, json_reads_back, near, reads_back};

#[test]
fn fuzz_ids() {
    check!().with_type::<Plan>().for_each(|plan| {
        let text = near(&[PRODUCT, IMAGE, ORDER], plan);
        assert!(reads_back::<ProductId>(&text) && reads_back::<ImageId>(&text) && reads_back::<OrderId>(&text));
        let spellings =
            [text.parse::<ProductId>().is_ok(), text.parse::<ImageId>().is_ok(), text.parse::<OrderId>().is_ok()];
        assert!(spellings.iter().filter(|accepted| **accepted).count() <= 1, "one kind is taken for another");
        // A second spelling of an identifier would be a second key in the table.
        assert!(text.parse::<OrderId>().is_ok_and(|id| id.to_string() == text) || text.parse::<OrderId>().is_err());
    });
}

#[test]
fn fuzz_cursors() {
    check!().with_type::<Plan>().for_each(|plan| {
        let text = near(&[ORDER_CURSOR], plan);
        assert!(reads_back_as_written(&text), "{text}");
        assert!(text.parse::<Cursor<ProductId>>().is_err(), "one listing's cursor goes into another");
    });
}

fn reads_back_as_written(text: &str) -> bool {
    text.parse::<Cursor<OrderId>>().ok().is_none_or(|cursor| cursor.to_string() == text)
}

#[test]
fn fuzz_page_limits() {
    check!().with_type::<Plan>().for_each(|plan| {
        if let Ok(limit) = near(&["1", "20", "100"], plan).parse::<PageLimit>() {
            assert!((1..=100).contains(&limit.get()));
        }
    });
}

#[test]
fn fuzz_moments() {
    let examples = ["2026-11-22T22:00:00.000Z", "1970-01-01T00:00:00Z", "2026-11-22T23:30:00.123456+01:30"];
    check!().with_type::<Plan>().for_each(|plan| assert!(reads_back::<Timestamp>(&near(&examples, plan))));
    check!().with_type::<i64>().for_each(|millis| {
        let time = Timestamp::from_unix_millis(*millis);
        assert_eq!(time.to_string().parse::<Timestamp>().ok(), Some(time));
        assert!(reads_back::<ferrite_core::Day>(&time.day().to_string()));
    });
}

#[test]
fn fuzz_places_in_a_trace() {
    let examples = [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    ];
    check!().with_type::<Plan>().for_each(|plan| {
        let text = near(&examples, plan);
        assert!(reads_back::<TraceParent>(&text));
        if let Some(place) = TraceParent::from_xray(&text) {
            assert_eq!(TraceParent::from_xray(&place.xray_header()), Some(place));
        }
    });
}

#[test]
fn fuzz_words() {
    let examples = ["ada@example.com", "image/jpeg", "5f1c-\u{e9}", "a b", "EUR", "google-oauth2|1042"];
    check!().with_type::<Plan>().for_each(|plan| {
        let json = serde_json::to_string(&near(&examples, plan)).unwrap();
        assert!(json_reads_back::<CorrelationId>(&json) && json_reads_back::<CustomerId>(&json));
        assert!(json_reads_back::<Currency>(&json) && json_reads_back::<ContentType>(&json));
        let text: String = serde_json::from_str(&json).unwrap();
        if let Ok(address) = Email::try_from(text.clone()) {
            // Either would begin another header of a mail.
            assert!(!address.expose().contains(['\r', '\n']));
        }
        if let Ok(key) = IdempotencyKey::try_from(text.clone()) {
            assert_eq!(key.to_string(), text);
        }
    });
}

#[test]
fn fuzz_money() {
    let examples = [r#"{"amount":1250,"currency":"EUR"}"#, r#"{"amount":999999999999,"currency":"JPY"}"#];
    check!().with_type::<Plan>().for_each(|plan| assert!(json_reads_back::<Money>(&near(&examples, plan))));
    check!().with_type::<(u64, u64, u64)>().for_each(|(one, other, pieces)| {
        let bounded = Amount::MAX + 2;
        let (Ok(one), Ok(other)) = (Amount::try_from(one % bounded), Amount::try_from(other % bounded)) else { return };
        let currency = Currency::try_from("EUR".to_owned()).unwrap();
        let one = Money { amount: one, currency };
        let other = Money { amount: other, currency };
        let sum = u128::from(one.amount.minor_units()) + u128::from(other.amount.minor_units());
        assert_eq!(one.plus(other).map(|sum| sum.amount.minor_units().into()), (sum <= Amount::MAX.into()).then_some(sum));
        let Ok(pieces) = Quantity::try_from(pieces % (Quantity::MAX + 2)) else { return };
        let price = u128::from(one.amount.minor_units()) * u128::from(pieces.get());
        assert_eq!(
            one.times(pieces).map(|price| price.amount.minor_units().into()),
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
