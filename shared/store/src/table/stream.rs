//! The table's stream: what a committed change tells.

use ferrite_core::ports::PortError;
use ferrite_core::{CloudEvent, EventId};
use ferrite_domain::{
    CustomerRegistered, DomainEvent, Order, OrderCancelled, OrderPaid, OrderPaymentFailed, OrderPlaced, OrderStatus,
};
use serde::Deserialize;

use super::{keys, order_item, profile_item};

/// One record of the table's stream ("Using AWS Lambda with Amazon DynamoDB": `NEW_AND_OLD_IMAGES`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamRecord {
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    keys: Keys,
    new_image: Option<serde_dynamo::Item>,
    old_image: Option<serde_dynamo::Item>,
}

#[derive(Debug, Deserialize)]
struct Keys {
    sk: SortKey,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct SortKey {
    s: String,
}

/// A record that this code cannot read. To deliver it again cannot help.
#[derive(Debug, thiserror::Error)]
#[error("a stream record does not hold what its key says: {0}")]
pub struct StreamRecordError(#[source] PortError);

impl StreamRecord {
    /// What the change tells, if it tells anything: somebody registered, an order was placed, or came to another status.
    ///
    /// The event's identifier comes from the thing and its version, so the same change always tells the same event.
    ///
    /// # Errors
    /// The record is not one of a customer's or an order's item; the event source mapping's filter lets no other through.
    pub fn into_event(self) -> Result<Option<CloudEvent<DomainEvent>>, StreamRecordError> {
        let Change { keys, new_image, old_image } = self.dynamodb;
        // Neither is ever deleted by this system; if someone deletes one by hand, that is no event of theirs.
        let Some(new) = new_image else { return Ok(None) };
        let told = if keys.sk.s == keys::PROFILE { registration(new, old_image) } else { change_of_order(new, old_image) };
        told.map_err(StreamRecordError)
    }
}

fn registration(
    new: serde_dynamo::Item,
    old: Option<serde_dynamo::Item>,
) -> Result<Option<CloudEvent<DomainEvent>>, PortError> {
    let (customer, trace_context) = profile_item::read_with_trace_context(new)?;
    if old.is_some() {
        return Ok(None);
    }
    let subject = customer.id.to_string();
    let (id, time) = (EventId::of_change(&subject, customer.version), customer.updated_at);
    let event = DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: customer.id });
    Ok(Some(CloudEvent::new(id, subject, time, event).with_trace_context(trace_context)))
}

fn change_of_order(
    new: serde_dynamo::Item,
    old: Option<serde_dynamo::Item>,
) -> Result<Option<CloudEvent<DomainEvent>>, PortError> {
    let (order, trace_context) = order_item::read_with_trace_context(new)?;
    let before = old.map(order_item::read).transpose()?;
    if before.is_some_and(|before| before.status == order.status) {
        return Ok(None);
    }
    let subject = order.id.to_string();
    let (id, time) = (EventId::of_change(&subject, order.version), order.updated_at);
    Ok(Some(CloudEvent::new(id, subject, time, event(order)).with_trace_context(trace_context)))
}

fn event(order: Order) -> DomainEvent {
    let Order { id: order_id, customer: customer_id, lines, total, status, .. } = order;
    match status {
        OrderStatus::Pending => DomainEvent::OrderPlaced(OrderPlaced { order_id, customer_id, lines, total }),
        OrderStatus::Paid => DomainEvent::OrderPaid(OrderPaid { order_id, customer_id, total }),
        OrderStatus::PaymentFailed { reason } => {
            DomainEvent::OrderPaymentFailed(OrderPaymentFailed { order_id, customer_id, reason })
        }
        OrderStatus::Cancelled { reason } => {
            DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id, reason, total })
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::Event;
    use serde_json::{Value, json};

    use super::*;

    const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn image(status: &str, version: u32) -> Value {
        let mut item = json!({
            "pk": {"S": "CUSTOMER#ada"}, "sk": {"S": format!("ORDER#{ORDER}")},
            "id": {"S": ORDER}, "customerId": {"S": "ada"}, "status": {"S": status},
            "lines": {"L": [{"M": {
                "productId": {"S": "prd_0192f0c1a2b37c4d8e5f60718293a4b5"}, "quantity": {"N": "2"},
                "unitPrice": {"M": {"amount": {"N": "1250"}, "currency": {"S": "EUR"}}}
            }}]},
            "total": {"M": {"amount": {"N": "2500"}, "currency": {"S": "EUR"}}},
            "paymentToken": {"S": "tok_success"}, "version": {"N": version.to_string()},
            "traceparent": {"S": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
            "createdAt": {"S": "2026-11-22T22:00:00.000Z"}, "updatedAt": {"S": "2026-11-22T22:00:01.000Z"}
        });
        if status == "payment_failed" || status == "cancelled" {
            item["reason"] = json!({"S": "declined"});
        }
        item
    }

    fn event_of(old: Option<Value>, new: Option<Value>) -> Option<CloudEvent<DomainEvent>> {
        let keys = json!({"pk": {"S": "CUSTOMER#ada"}, "sk": old.as_ref().or(new.as_ref()).unwrap()["sk"]});
        let change = json!({"Keys": keys, "OldImage": old, "NewImage": new});
        let record = json!({"eventID": "1", "eventName": "MODIFY", "dynamodb": change});
        serde_json::from_value::<StreamRecord>(record).unwrap().into_event().unwrap()
    }

    fn profile(version: u32) -> Value {
        json!({
            "pk": {"S": "CUSTOMER#ada"}, "sk": {"S": "PROFILE"}, "customerId": {"S": "ada"},
            "email": {"S": "ada@example.com"}, "name": {"S": "Ada"}, "version": {"N": version.to_string()},
            "correlationid": {"S": "signup-1"},
            "createdAt": {"S": "2026-11-22T22:00:00.000Z"}, "updatedAt": {"S": "2026-11-22T22:00:01.000Z"}
        })
    }

    #[test]
    fn a_new_customer_registered_and_a_changed_one_did_not() {
        let event = event_of(None, Some(profile(1))).unwrap();
        assert_eq!((event.id.as_str(), event.event.event_type()), ("ada:1", "ferrite.customer.registered.v1"));
        assert_eq!(event.trace_context.correlation_id.as_ref().map(|id| id.as_str()), Some("signup-1"));
        assert!(!serde_json::to_string(&event).unwrap().contains("example.com"), "the address stays in the table");
        assert!(event_of(Some(profile(1)), Some(profile(2))).is_none());
    }

    #[test]
    fn a_new_order_was_placed() {
        let event = event_of(None, Some(image("pending", 1))).unwrap();
        assert_eq!((event.id.as_str(), event.event.event_type()), (&*format!("{ORDER}:1"), "ferrite.order.placed.v1"));
        assert_eq!(event.trace_context.traceparent.map(|span| span.span_id), Some(0xb7ad_6b71_6920_3331));
        assert!(!serde_json::to_string(&event).unwrap().contains("tok_success"), "the token stays in the table");
    }

    #[test]
    fn a_change_of_status_tells_what_became_of_the_order() {
        let pending = || Some(image("pending", 1));
        let kind = |status| event_of(pending(), Some(image(status, 2))).map(|event| event.event.event_type());
        assert_eq!(kind("paid"), Some("ferrite.order.paid.v1"));
        assert_eq!(kind("payment_failed"), Some("ferrite.order.payment-failed.v1"));
        assert_eq!(kind("cancelled"), Some("ferrite.order.cancelled.v1"));
        assert_eq!(kind("pending"), None);
        assert!(event_of(pending(), None).is_none());
    }

    #[test]
    fn what_is_not_what_its_key_says_is_an_error_and_not_an_event() {
        for sort_key in ["PROFILE", "ORDER#1"] {
            let change = json!({"Keys": {"sk": {"S": sort_key}}, "NewImage": {"pk": {"S": "x"}}});
            let record = json!({ "dynamodb": change });
            assert!(serde_json::from_value::<StreamRecord>(record).unwrap().into_event().is_err());
        }
    }
}
