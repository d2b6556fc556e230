//! Fuzz targets for events and for the messages in which EventBridge rules deliver them.

use bolero::check;
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::DomainEvent;
use ferrite_runtime::batch::events::from_eventbridge;

use crate::{MutationPlan, ORDER, mutate};

#[test]
fn fuzz_events() {
    let cancelled = format!(
        r#"{{"specversion":"1.0","id":"{ORDER}:2","source":"ferrite.storefront","subject":"{ORDER}","time":"2026-11-22T22:00:01.000Z",
        "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","correlationid":"shop-1",
        "type":"ferrite.order.cancelled.v1","data":{{"orderId":"{ORDER}","customerId":"ada","reason":"asked_for",
        "total":{{"amount":2500,"currency":"EUR"}}}}}}"#
    );
    let registered = r#"{"specversion":"1.0","id":"ada:1","source":"ferrite.storefront","subject":"ada","time":"2026-11-22T22:00:01.000Z",
        "type":"ferrite.customer.registered.v1","data":{"customerId":"ada"}}"#;
    let mut accepted = 0;
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let json = mutate(&[&cancelled, registered], plan);
        // A rule delivers the event unchanged, so both parsers must return the same.
        let event = CloudEvent::<DomainEvent>::parse(&json);
        assert_eq!(from_eventbridge(&format!(r#"{{"version":"0","detail":{json}}}"#)).ok(), event.as_ref().ok().cloned());
        if let Ok(event) = event {
            accepted += 1;
            assert_eq!(event.source, DomainEvent::SOURCE);
            assert_eq!(CloudEvent::<DomainEvent>::parse(&serde_json::to_string(&event).unwrap()), Ok(event));
        }
    });
    assert!(accepted > 0, "no event was accepted: the examples are not valid");
}

#[test]
fn fuzz_messages_from_a_rule() {
    let example = r#"{"version":"0","id":"6a7e8feb","detail-type":"ferrite.customer.registered.v1","source":"ferrite.storefront",
        "account":"123456789012","time":"2026-11-22T22:00:01Z","region":"eu-west-1","resources":[],"detail":{"specversion":"1.0",
        "id":"ada:1","source":"ferrite.storefront","subject":"ada","time":"2026-11-22T22:00:01.000Z",
        "type":"ferrite.customer.registered.v1","data":{"customerId":"ada"}}}"#;
    check!().with_type::<MutationPlan>().for_each(|plan| {
        if let Ok(event) = from_eventbridge::<DomainEvent>(&mutate(&[example], plan)) {
            assert_eq!(event.source, DomainEvent::SOURCE);
        }
    });
}
