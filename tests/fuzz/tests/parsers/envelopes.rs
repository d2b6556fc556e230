//! What arrives from the bus, in a queue or from a schedule.

use bolero::check;
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::DomainEvent;
use ferrite_runtime::batch::events::from_rule;

use crate::{ORDER, Plan, near};

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
    let mut read = 0;
    check!().with_type::<Plan>().for_each(|plan| {
        let json = near(&[&cancelled, registered], plan);
        // The bus hands on what it was given, so both readers have to agree.
        let event = CloudEvent::<DomainEvent>::parse(&json);
        assert_eq!(from_rule(&format!(r#"{{"version":"0","detail":{json}}}"#)).ok(), event.as_ref().ok().cloned());
        if let Ok(event) = event {
            read += 1;
            assert_eq!(event.source, DomainEvent::SOURCE);
            assert_eq!(CloudEvent::<DomainEvent>::parse(&serde_json::to_string(&event).unwrap()), Ok(event));
        }
    });
    assert!(read > 0, "no event was read: the examples are none");
}

#[test]
fn fuzz_messages_from_a_rule() {
    let example = r#"{"version":"0","id":"6a7e8feb","detail-type":"ferrite.customer.registered.v1","source":"ferrite.storefront",
        "account":"123456789012","time":"2026-11-22T22:00:01Z","region":"eu-west-1","resources":[],"detail":{"specversion":"1.0",
        "id":"ada:1","source":"ferrite.storefront","subject":"ada","time":"2026-11-22T22:00:01.000Z",
        "type":"ferrite.customer.registered.v1","data":{"customerId":"ada"}}}"#;
    check!().with_type::<Plan>().for_each(|plan| {
        if let Ok(event) = from_rule::<DomainEvent>(&near(&[example], plan)) {
            assert_eq!(event.source, DomainEvent::SOURCE);
        }
    });
}
