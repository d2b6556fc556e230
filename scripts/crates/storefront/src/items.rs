//! The items and events of the benchmark: one product, one customer, one order.

use serde_json::{Value, json};

/// The product of every request.
pub(crate) const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a400";
/// Its image.
pub(crate) const IMAGE: &str = "img_0192f0c1a2b37c4d8e5f60718293a400";
/// The order of every request.
pub(crate) const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a400";
/// The customer that calls.
pub(crate) const CALLER: &str = "bench-caller";
/// The partition that has no items, of the calls that open a connection (`NO_PARTITION` of ferrite-aws).
pub(crate) const NO_PARTITION: &str = "NONE";

const TIME: &str = "2026-11-22T22:00:00.000Z";
/// How many entries a list has.
const PAGE: usize = 10;

fn price() -> Value {
    json!({"M": {"amount": {"N": "1250"}, "currency": {"S": "EUR"}}})
}

/// The product as DynamoDB has it, with one image that is ready.
pub(crate) fn product(id: &str) -> Value {
    let variant = |side: &str| json!({"M": {"width": {"N": side}, "height": {"N": side}}});
    let image = json!({
        "id": {"S": IMAGE}, "state": {"S": "ready"}, "requestedAt": {"S": TIME},
        "variants": {"M": {"thumbnail": variant("200"), "display": variant("1200")}},
    });
    json!({
        "pk": {"S": format!("PRODUCT#{id}")}, "sk": {"S": "PRODUCT"}, "gsi1pk": {"S": "PRODUCTS"}, "gsi1sk": {"S": id},
        "id": {"S": id}, "name": {"S": "Enamel mug"}, "description": {"S": "Holds 350 ml and survives the dishwasher."},
        "price": price(), "stock": {"N": "40"}, "images": {"M": {IMAGE: {"M": image}}},
        "version": {"N": "3"}, "createdAt": {"S": TIME}, "updatedAt": {"S": TIME},
    })
}

/// The order as DynamoDB has it: pending, of one line.
pub(crate) fn order(id: &str) -> Value {
    let line = json!({"productId": {"S": PRODUCT}, "quantity": {"N": "2"}, "unitPrice": price()});
    json!({
        "pk": {"S": format!("CUSTOMER#{CALLER}")}, "sk": {"S": format!("ORDER#{id}")},
        "id": {"S": id}, "customerId": {"S": CALLER}, "status": {"S": "pending"}, "lines": {"L": [{"M": line}]},
        "total": {"M": {"amount": {"N": "2500"}, "currency": {"S": "EUR"}}}, "paymentToken": {"S": "tok_success"},
        "version": {"N": "1"}, "createdAt": {"S": TIME}, "updatedAt": {"S": TIME},
    })
}

/// The customer as DynamoDB has them.
pub(crate) fn customer() -> Value {
    json!({
        "pk": {"S": format!("CUSTOMER#{CALLER}")}, "sk": {"S": "PROFILE"}, "customerId": {"S": CALLER},
        "email": {"S": "ada@example.com"}, "name": {"S": "Ada"},
        "version": {"N": "1"}, "createdAt": {"S": TIME}, "updatedAt": {"S": TIME},
    })
}

/// A page of products or orders: `item` with identifiers that count on from `first`.
pub(crate) fn page(item: fn(&str) -> Value, first: &str) -> Vec<Value> {
    let (digits, _) = first.split_at(first.len() - 2);
    (0..PAGE).map(|number| item(&format!("{digits}{number:02x}"))).collect()
}

/// The domain event that the order was placed, as an EventBridge rule puts it into a queue.
pub(crate) fn order_placed() -> Value {
    let lines = json!([{"productId": PRODUCT, "quantity": 2, "unitPrice": {"amount": 1250, "currency": "EUR"}}]);
    let total = json!({"amount": 2500, "currency": "EUR"});
    let data = json!({"orderId": ORDER, "customerId": CALLER, "total": total, "lines": lines});
    event("ferrite.order.placed.v1", ORDER, &data)
}

/// The domain event that the customer registered, in the same way.
pub(crate) fn customer_registered() -> Value {
    event("ferrite.customer.registered.v1", CALLER, &json!({ "customerId": CALLER }))
}

fn event(kind: &str, subject: &str, data: &Value) -> Value {
    json!({
        "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602", "source": "ferrite.storefront",
        "detail-type": kind, "account": "000000000000", "time": TIME, "region": "us-east-1", "resources": [],
        "detail": {
            "specversion": "1.0", "id": format!("{subject}:1"), "source": "ferrite.storefront", "subject": subject,
            "time": TIME, "type": kind, "data": data,
        },
    })
}
