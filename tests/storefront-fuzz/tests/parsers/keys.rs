//! Fuzz targets for the keys of uploaded objects and for the records of the table's stream.

use bolero::check;
use ferrite_core::CloudEvent;
use ferrite_domain::DomainEvent;
use ferrite_store::{StreamRecord, UploadKey};

use crate::{IMAGE, MutationPlan, ORDER, PRODUCT, mutate};

#[test]
fn fuzz_upload_keys() {
    let key = format!("uploads/{PRODUCT}/{IMAGE}");
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&[&key], plan);
        let Some(upload) = UploadKey::parse(&text) else { return };
        assert_eq!(UploadKey::parse(&upload.to_string()), Some(upload));
        // A different spelling of a key names a different object.
        assert_eq!(upload.to_string(), text);
    });
}

#[test]
fn fuzz_stream_images() {
    let profile = r#"{"dynamodb":{"Keys":{"pk":{"S":"CUSTOMER#ada"},"sk":{"S":"PROFILE"}},"NewImage":{"pk":{"S":"CUSTOMER#ada"},
        "sk":{"S":"PROFILE"},"customerId":{"S":"ada"},"email":{"S":"ada@example.com"},"name":{"S":"Ada"},"version":{"N":"1"},
        "correlationid":{"S":"signup-1"},"createdAt":{"S":"2026-11-22T22:00:00.000Z"},"updatedAt":{"S":"2026-11-22T22:00:01.000Z"}}}}"#;
    let order = format!(
        r#"{{"dynamodb":{{"Keys":{{"pk":{{"S":"CUSTOMER#ada"}},"sk":{{"S":"ORDER#{ORDER}"}}}},"NewImage":{{"pk":{{"S":"CUSTOMER#ada"}},
        "sk":{{"S":"ORDER#{ORDER}"}},"id":{{"S":"{ORDER}"}},"customerId":{{"S":"ada"}},"status":{{"S":"pending"}},"lines":{{"L":[{{"M":{{
        "productId":{{"S":"{PRODUCT}"}},"quantity":{{"N":"2"}},"unitPrice":{{"M":{{"amount":{{"N":"1250"}},"currency":{{"S":"EUR"}}}}}}}}}}]}},
        "total":{{"M":{{"amount":{{"N":"2500"}},"currency":{{"S":"EUR"}}}}}},"paymentToken":{{"S":"tok_success"}},"version":{{"N":"1"}},
        "createdAt":{{"S":"2026-11-22T22:00:00.000Z"}},"updatedAt":{{"S":"2026-11-22T22:00:01.000Z"}}}}}}}}"#
    );
    let mut events = 0;
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let Ok(record) = serde_json::from_str::<StreamRecord>(&mutate(&[profile, &order], plan)) else { return };
        let Ok(Some(event)) = record.into_event() else { return };
        events += 1;
        // Consumers can parse the event, and it contains no personal data or payment tokens.
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(CloudEvent::<DomainEvent>::parse(&json).ok(), Some(event));
        assert!(!json.contains("ada@example") && !json.contains("tok_success"));
    });
    assert!(events > 0, "no record produced an event: the examples do not match the table's items");
}
