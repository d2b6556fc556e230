//! Validates sample events against their schemas.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_core::{CloudEvent, EventId, Reason, TraceContext, Version};
use ferrite_domain::contract::{now, product};
use ferrite_domain::{
    CustomerId, CustomerRegistered, DomainEvent, EmailConfirmationRequested, Money, OrderCancelled, OrderId, OrderLine,
    OrderPaid, OrderPaymentFailed, OrderPlaced,
};
use serde_json::{Value, json};

use crate::generated;

/// Returns one event of each type, as it is published to the event bus.
fn samples() -> Vec<Value> {
    let order_id: OrderId = UniqueIds.new_id().into();
    let customer_id: CustomerId = "auth0|ada".to_owned().try_into().unwrap();
    let customer = || customer_id.clone();
    let tea = product(1);
    let total: Money = tea.price;
    let reason = || Reason::from_lossy("the card was declined — ask the bank");
    let line = OrderLine { product_id: tea.id, quantity: 1.try_into().unwrap(), unit_price: tea.price };
    let events = [
        DomainEvent::OrderPlaced(OrderPlaced { order_id, customer_id: customer(), lines: vec![line], total }),
        DomainEvent::OrderPaid(OrderPaid { order_id, customer_id: customer(), total }),
        DomainEvent::OrderPaymentFailed(OrderPaymentFailed { order_id, customer_id: customer(), reason: reason() }),
        DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id: customer(), reason: reason(), total }),
        DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: customer() }),
        DomainEvent::EmailConfirmationRequested(EmailConfirmationRequested { customer_id: customer() }),
    ];
    let trace_context = TraceContext {
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap()),
        correlation_id: Some("request-7".to_owned().try_into().unwrap()),
    };
    let subject = order_id.to_string();
    let published = |event| {
        let id = EventId::of_change(&subject, Version::FIRST);
        let event = CloudEvent::new(id, subject.clone(), now(), event).with_trace_context(trace_context.clone());
        serde_json::to_value(event).unwrap()
    };
    events.into_iter().map(published).collect()
}

fn is_valid(event: &Value) -> bool {
    let kind = event["type"].as_str().unwrap();
    jsonschema::validator_for(&generated()[kind]).unwrap().is_valid(event)
}

#[test]
fn each_schema_accepts_only_events_of_its_type() {
    let schemas = generated();
    let samples = samples();
    assert_eq!(schemas.len(), samples.len(), "there must be one sample per event type");
    for (kind, schema) in &schemas {
        let validator = jsonschema::validator_for(schema).unwrap();
        for sample in &samples {
            let errors: Vec<String> = validator.iter_errors(sample).map(|error| error.to_string()).collect();
            assert_eq!(errors.is_empty(), sample["type"] == kind.as_str(), "{kind}: {errors:?}");
        }
    }
}

#[test]
fn trace_context_is_optional_but_not_null() {
    for mut event in samples() {
        for attribute in ["traceparent", "correlationid"] {
            event[attribute] = Value::Null;
            assert!(!is_valid(&event), "{event}");
            event.as_object_mut().unwrap().remove(attribute);
            assert!(is_valid(&event), "{event}");
        }
    }
}

#[test]
fn every_payload_field_is_required() {
    for event in samples() {
        for field in event["data"].as_object().unwrap().keys() {
            let mut event = event.clone();
            event["data"].as_object_mut().unwrap().remove(field);
            assert!(!is_valid(&event) && CloudEvent::<DomainEvent>::parse(&event.to_string()).is_err(), "{event}");
        }
    }
}

#[test]
fn schemas_and_types_accept_the_same_values() {
    let samples = samples();
    for (pointer, value, is_allowed) in [
        ("/data/orderId", json!("ord_0192f0c1a2b37c4d8e5f60718293a4b5"), true),
        ("/data/orderId", json!("ord_0192F0C1a2b37c4d8e5f60718293a4b5"), false),
        ("/data/orderId", json!("ord_0192f0c1a2b34c4d8e5f60718293a4b5"), false),
        ("/data/orderId", json!("prd_0192f0c1a2b37c4d8e5f60718293a4b5"), false),
        ("/data/orderId", json!("ord_0192f0c1a2b37c4d8e5f60718293a4b5\n"), false),
        ("/data/customerId", json!("x".repeat(255)), true),
        ("/data/customerId", json!("x".repeat(256)), false),
        ("/data/customerId", json!("a b"), false),
        ("/data/customerId", json!(""), false),
        ("/data/reason", json!("茶".repeat(500)), true),
        ("/data/reason", json!("茶".repeat(501)), false),
        ("/data/reason", json!("two\nlines"), false),
        ("/data/reason", json!("\u{85}"), false),
        ("/data/reason", json!(""), false),
        ("/data/total/amount", json!(999_999_999_999_u64), true),
        ("/data/total/amount", json!(1_000_000_000_000_u64), false),
        ("/data/total/amount", json!(-1), false),
        ("/data/total/amount", json!(1.5), false),
        ("/data/total/amount", json!("1"), false),
        ("/data/total/currency", json!("JPY"), true),
        ("/data/total/currency", json!("eur"), false),
        ("/data/total/currency", json!("EURO"), false),
        ("/data/lines/0/quantity", json!(1000), true),
        ("/data/lines/0/quantity", json!(1001), false),
        ("/data/lines/0/quantity", json!(0), false),
        ("/data/lines/0/unitPrice", json!(1250), false),
        ("/specversion", json!("0.3"), false),
        ("/source", json!("elsewhere"), false),
        ("/time", json!("yesterday"), false),
    ] {
        let mut matches = 0;
        for mut event in samples.clone() {
            let Some(found) = event.pointer_mut(pointer) else { continue };
            *found = value.clone();
            matches += 1;
            assert_eq!(is_valid(&event), is_allowed, "schema: {pointer} {value}");
            assert_eq!(CloudEvent::<DomainEvent>::parse(&event.to_string()).is_ok(), is_allowed, "type: {pointer} {value}");
        }
        assert!(matches > 0, "no event contains {pointer}");
    }
}
