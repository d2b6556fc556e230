//! DynamoDB items and domain events for the benchmark: one product, one customer and one order.

use serde_json::{Value, json};

/// ID of the product in all requests.
pub(crate) const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a400";
/// ID of the product's image.
pub(crate) const IMAGE: &str = "img_0192f0c1a2b37c4d8e5f60718293a400";
/// ID of the order in all requests.
pub(crate) const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a400";
/// ID of the customer in all requests.
pub(crate) const CALLER: &str = "bench-caller";
/// Token with which the customer can confirm the address.
pub(crate) const CONFIRMATION_TOKEN: &str = "0f8fad5bd9cb469fa16570867728950e";
/// Key of the empty partition that functions access to prewarm a connection (`NO_PARTITION` of ferrite-aws).
pub(crate) const NO_PARTITION: &str = "NONE";

const TIME: &str = "2026-11-22T22:00:00.000Z";
/// Number of items on a page of a list.
const PAGE_SIZE: usize = 10;

fn price() -> Value {
    json!({"M": {"amount": {"N": "1250"}, "currency": {"S": "EUR"}}})
}

/// Returns the DynamoDB item of a product with one image in the state `ready`.
pub(crate) fn product(id: &str) -> Value {
    let variant = |side: &str| json!({"M": {"width": {"N": side}, "height": {"N": side}}});
    let image = json!({
        "id": {"S": IMAGE}, "state": {"S": "ready"}, "requestedAt": {"S": TIME},
        "variants": {"M": {"thumbnail": variant("200"), "display": variant("1200")}},
    });
    json!({
        "pk": {"S": format!("PRODUCT#{id}")}, "sk": {"S": "PRODUCT"}, "gsi1pk": {"S": "PRODUCTS"}, "gsi1sk": {"S": id},
        "id": {"S": id}, "name": {"S": "Enamel mug"}, "description": {"S": "Holds 350 ml and is dishwasher safe."},
        "price": price(), "stock": {"N": "40"}, "images": {"M": {IMAGE: {"M": image}}},
        "version": {"N": "3"}, "createdAt": {"S": TIME}, "updatedAt": {"S": TIME},
    })
}

/// Returns the DynamoDB item of a pending order with one line.
pub(crate) fn order(id: &str) -> Value {
    let line = json!({"productId": {"S": PRODUCT}, "quantity": {"N": "2"}, "unitPrice": price()});
    json!({
        "pk": {"S": format!("CUSTOMER#{CALLER}")}, "sk": {"S": format!("ORDER#{id}")},
        "id": {"S": id}, "customerId": {"S": CALLER}, "status": {"S": "pending"}, "lines": {"L": [{"M": line}]},
        "total": {"M": {"amount": {"N": "2500"}, "currency": {"S": "EUR"}}}, "paymentToken": {"S": "tok_success"},
        "version": {"N": "1"}, "createdAt": {"S": TIME}, "updatedAt": {"S": TIME},
    })
}

/// Returns the DynamoDB item of the customer.
pub(crate) fn customer() -> Value {
    json!({
        "pk": {"S": format!("CUSTOMER#{CALLER}")}, "sk": {"S": "PROFILE"}, "customerId": {"S": CALLER},
        "email": {"S": "ada@example.com"}, "name": {"S": "Ada"},
        "confirmationToken": {"S": CONFIRMATION_TOKEN}, "confirmationRequestedAt": {"S": "9998-01-01T00:00:00.000Z"},
        "version": {"N": "1"}, "createdAt": {"S": TIME}, "updatedAt": {"S": TIME},
    })
}

/// Returns a page of products or orders, which `item` creates. Their IDs are consecutive and start with `first`.
pub(crate) fn page(item: fn(&str) -> Value, first: &str) -> Vec<Value> {
    let (prefix, _) = first.split_at(first.len() - 2);
    (0..PAGE_SIZE).map(|number| item(&format!("{prefix}{number:02x}"))).collect()
}

/// Returns the domain event for a placed order, in the format in which an EventBridge rule sends it to a queue.
pub(crate) fn order_placed() -> Value {
    let lines = json!([{"productId": PRODUCT, "quantity": 2, "unitPrice": {"amount": 1250, "currency": "EUR"}}]);
    let total = json!({"amount": 2500, "currency": "EUR"});
    let data = json!({"orderId": ORDER, "customerId": CALLER, "total": total, "lines": lines});
    event("ferrite.order.placed.v1", ORDER, &data)
}

/// Returns the domain event for a registered customer, in the format in which an EventBridge rule sends it to a queue.
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
