//! Conversion of the table's stream records to domain events.

use ferrite_core::ports::PortError;
use ferrite_core::{CloudEvent, EventId};
use ferrite_domain::{
    Customer, CustomerRegistered, DomainEvent, EmailConfirmation, EmailConfirmationRequested, Order, OrderCancelled,
    OrderPaid, OrderPaymentFailed, OrderPlaced, OrderStatus,
};
use serde::Deserialize;

use super::{keys, order_item, profile_item};

/// A record of the table's stream with the view type `NEW_AND_OLD_IMAGES` ("Using AWS Lambda with Amazon DynamoDB").
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

/// A stream record that cannot be read. The error is permanent, so redelivery does not help.
#[derive(Debug, thiserror::Error)]
#[error("stream record does not match its key: {0}")]
pub struct StreamRecordError(#[source] PortError);

impl StreamRecord {
    /// Returns the event that reports the change, or `None` if the change requires no event. Events are published when
    /// a customer registers or has to confirm an e-mail address, and when an order is placed or its status changes.
    ///
    /// The event's identifier is derived from the entity and its version, so the same change always has the same
    /// identifier.
    ///
    /// # Errors
    /// Returns an error if the record is not of a customer or an order. The filter of the event source mapping excludes
    /// other records.
    pub fn into_event(self) -> Result<Option<CloudEvent<DomainEvent>>, StreamRecordError> {
        let Change { keys, new_image, old_image } = self.dynamodb;
        // The application never deletes customers or orders, and manual deletions produce no event.
        let Some(new) = new_image else { return Ok(None) };
        let event = if keys.sk.s == keys::PROFILE { customer_event(new, old_image) } else { order_event(new, old_image) };
        event.map_err(StreamRecordError)
    }
}

fn customer_event(
    new: serde_dynamo::Item,
    old: Option<serde_dynamo::Item>,
) -> Result<Option<CloudEvent<DomainEvent>>, PortError> {
    let (customer, trace_context) = profile_item::read_with_trace_context(new)?;
    let before = old.map(profile_item::read).transpose()?;
    let subject = customer.id.to_string();
    let id = EventId::of_change(&subject, customer.version);
    let time = customer.updated_at;
    let event = match before {
        None => DomainEvent::CustomerRegistered(CustomerRegistered { customer_id: customer.id }),
        Some(before) if requests_confirmation(&before, &customer) => {
            DomainEvent::EmailConfirmationRequested(EmailConfirmationRequested { customer_id: customer.id })
        }
        Some(_) => return Ok(None),
    };
    Ok(Some(CloudEvent::new(id, subject, time, event).with_trace_context(trace_context)))
}

/// Returns whether the change requested a confirmation. Each request has its own token or time.
fn requests_confirmation(before: &Customer, after: &Customer) -> bool {
    let is_requested = matches!(after.email_confirmation, EmailConfirmation::Unconfirmed { request: Some(_) });
    is_requested && before.email_confirmation != after.email_confirmation
}

fn order_event(
    new: serde_dynamo::Item,
    old: Option<serde_dynamo::Item>,
) -> Result<Option<CloudEvent<DomainEvent>>, PortError> {
    let (order, trace_context) = order_item::read_with_trace_context(new)?;
    let before = old.map(order_item::read).transpose()?;
    if before.is_some_and(|before| before.status == order.status) {
        return Ok(None);
    }
    let subject = order.id.to_string();
    let id = EventId::of_change(&subject, order.version);
    let time = order.updated_at;
    Ok(Some(CloudEvent::new(id, subject, time, status_event(order)).with_trace_context(trace_context)))
}

fn status_event(order: Order) -> DomainEvent {
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
    fn publishes_a_registration_event_only_for_a_new_customer() {
        let event = event_of(None, Some(profile(1))).unwrap();
        assert_eq!((event.id.as_str(), event.event.event_type()), ("ada:1", "ferrite.customer.registered.v1"));
        assert_eq!(event.trace_context.correlation_id.as_ref().map(|id| id.as_str()), Some("signup-1"));
        assert!(
            !serde_json::to_string(&event).unwrap().contains("example.com"),
            "the event must not contain the e-mail address"
        );
        assert!(event_of(Some(profile(1)), Some(profile(2))).is_none());
    }

    #[test]
    fn publishes_an_event_for_each_request_to_confirm_an_address() {
        let requested = |version, token: char| {
            let mut profile = profile(version);
            profile["confirmationToken"] = json!({"S": token.to_string().repeat(32)});
            profile["confirmationRequestedAt"] = json!({"S": "2026-11-22T22:00:00.000Z"});
            profile
        };
        let confirmed = |version| {
            let mut profile = profile(version);
            profile["emailConfirmedAt"] = json!({"S": "2026-11-22T22:00:01.000Z"});
            profile
        };
        for (old, new, is_published) in [
            (profile(1), requested(2, 'a'), true),
            (requested(1, 'a'), requested(2, 'b'), true),
            (confirmed(1), requested(2, 'b'), true),
            (requested(1, 'a'), requested(2, 'a'), false),
            (requested(1, 'a'), confirmed(2), false),
            (confirmed(1), confirmed(2), false),
        ] {
            let event = event_of(Some(old), Some(new));
            assert_eq!(event.is_some(), is_published);
            let Some(event) = event else { continue };
            assert_eq!(
                (event.id.as_str(), event.event.event_type()),
                ("ada:2", "ferrite.customer.email-confirmation-requested.v1")
            );
            assert!(!serde_json::to_string(&event).unwrap().contains("bbbb"), "the event must not contain the token");
        }
    }

    #[test]
    fn publishes_an_order_placed_event_for_a_new_order() {
        let event = event_of(None, Some(image("pending", 1))).unwrap();
        assert_eq!((event.id.as_str(), event.event.event_type()), (&*format!("{ORDER}:1"), "ferrite.order.placed.v1"));
        assert_eq!(event.trace_context.traceparent.map(|span| span.span_id), Some(0xb7ad_6b71_6920_3331));
        assert!(
            !serde_json::to_string(&event).unwrap().contains("tok_success"),
            "the event must not contain the payment token"
        );
    }

    #[test]
    fn publishes_the_event_of_the_new_status() {
        let pending = || Some(image("pending", 1));
        let event_type = |status| event_of(pending(), Some(image(status, 2))).map(|event| event.event.event_type());
        assert_eq!(event_type("paid"), Some("ferrite.order.paid.v1"));
        assert_eq!(event_type("payment_failed"), Some("ferrite.order.payment-failed.v1"));
        assert_eq!(event_type("cancelled"), Some("ferrite.order.cancelled.v1"));
        assert_eq!(event_type("pending"), None);
        assert!(event_of(pending(), None).is_none());
    }

    #[test]
    fn returns_an_error_for_a_record_that_does_not_match_its_key() {
        for sort_key in ["PROFILE", "ORDER#1"] {
            let change = json!({"Keys": {"sk": {"S": sort_key}}, "NewImage": {"pk": {"S": "x"}}});
            let record = json!({ "dynamodb": change });
            assert!(serde_json::from_value::<StreamRecord>(record).unwrap().into_event().is_err());
        }
    }
}
