//! Tests of the scheduled functions. Like EventBridge, the tests invoke them asynchronously.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{Fingerprint, IdGenerator, SavedResponse};
use ferrite_core::{Timestamp, TraceContext};
use ferrite_domain::ports::{GetProduct, PlaceOrder, Placement};
use ferrite_domain::{LineRequest, Order, PlacementRequest};
use ferrite_store::Table;
use ferrite_test_harness::api::Api;
use ferrite_test_harness::aws::Aws;
use ferrite_test_harness::poll::wait_for;
use ferrite_test_harness::queues::{Queues, reason};
use ferrite_test_harness::sdk::Sdk;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;
use serde_json::{Value, json};

/// Invokes a function of the stack asynchronously.
fn invoke(api: &Api, function: &str, event: &Value) {
    Aws::under_test().invoke(&api.function(function), event);
}

fn table(api: &Api, sdk: &Sdk) -> Table {
    Table::new(sdk.config(), api.output("TableName").to_owned())
}

/// An order for `quantity` units of a product, priced at `time`.
async fn order(table: &Table, customer: &str, product: &str, quantity: u64, token: &str, time: Timestamp) -> Order {
    let product = table.get(product.parse().unwrap()).await.unwrap().unwrap();
    let line = LineRequest { product: product.id, quantity: quantity.try_into().unwrap() };
    PlacementRequest::new(vec![line], token.to_owned().try_into().unwrap())
        .unwrap()
        .price(UniqueIds.new_id().into(), customer.to_owned().try_into().unwrap(), &[(product.id, product)].into(), time)
        .unwrap()
}

/// Writes the order to the table and reserves its stock.
async fn place(table: &Table, order: Order) {
    let placement = Placement {
        key: order.id.to_string().try_into().unwrap(),
        saved_response: SavedResponse { fingerprint: Fingerprint("none".to_owned()), response: "null".to_owned() },
        key_expires_at: order.created_at,
        trace_context: TraceContext::default(),
        order,
    };
    table.place(&placement).await.unwrap();
}

#[test]
fn expire_orders_cancels_old_pending_orders_and_returns_their_stock() {
    let api = Api::storefront();
    let sdk = Sdk::under_test();
    let ada = unique("ada");
    let product = api.create_product(500);
    let table = table(&api, &sdk);
    let long_ago: Timestamp = "2020-02-02T00:00:00Z".parse().unwrap();
    // The payment times out once, which leaves about a second before the order is paid. On a slow machine it may be
    // paid first; another order is placed then.
    let expired = wait_for("an order to expire", || {
        let id = sdk.block_on(async {
            let order = order(&table, &ada, &product, 2, "tok_timeout_once", long_ago).await;
            let id = order.id;
            place(&table, order).await;
            id
        });
        invoke(&api, "expire-orders", &json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": long_ago}));
        let order = wait_for("the order to leave the status pending", || {
            let order = api.as_user(&ada, "GET", &format!("/orders/{id}")).send().json();
            (order["status"] != "pending").then_some(order)
        });
        (order["status"] == "cancelled").then_some(order)
    });
    assert_eq!(expired["reason"], "payment was not received in time");
    let orders = api.as_user(&ada, "GET", "/orders?limit=100").send().json();
    let paid = orders["items"].as_array().unwrap().iter().filter(|order| order["status"] == "paid").count();
    assert_eq!(api.product(&product)["stock"], 500 - 2 * paid);
}

/// A random day in the past, which has no sales of other test runs, and the day after it.
fn unused_day() -> (String, String) {
    let [year, month, day, ..] = *uuid::Uuid::new_v4().as_bytes();
    let date = |day| format!("{}-{:02}-{day:02}", 1970 + u16::from(year % 50), 1 + month % 12);
    (date(1 + day % 27), date(2 + day % 27))
}

#[test]
fn report_sales_is_exact_and_repeatable() {
    let api = Api::storefront();
    let sdk = Sdk::under_test();
    let ada = unique("ada");
    let product = api.create_product(500);
    let table = table(&api, &sdk);
    let (day, next_day) = unused_day();
    let paid_at: Timestamp = format!("{day}T23:59:59.999Z").parse().unwrap();
    sdk.block_on(async {
        for quantity in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] {
            let order = order(&table, &ada, &product, quantity, "tok_success", paid_at).await;
            place(&table, order.pay(paid_at).unwrap().after().clone()).await;
        }
    });

    let s3 = sdk.s3();
    let file = |extension: &str| {
        let key = format!("sales/{day}.{extension}");
        let object = sdk.block_on(s3.get_object().bucket(api.output("ReportBucketName")).key(key).send()).ok()?;
        let modified = object.last_modified?;
        Some((modified, sdk.block_on(object.body.collect()).unwrap().to_vec()))
    };
    invoke(&api, "report-sales", &json!({ "day": day }));
    // The function writes the CSV file last.
    let csv = wait_for("the sales report", || file("csv")).1;
    let first = (csv.clone(), file("json").unwrap().1);
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        format!("productId,currency,orders,quantity,amount\r\n{product},EUR,10,55,{}\r\n", 55 * 1250)
    );
    let scheduled =
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": format!("{next_day}T00:30:00Z")});
    let delete = s3.delete_object().bucket(api.output("ReportBucketName")).key(format!("sales/{day}.csv"));
    sdk.block_on(delete.send()).unwrap();
    invoke(&api, "report-sales", &scheduled);
    let second = (wait_for("the second sales report", || file("csv")).1, file("json").unwrap().1);
    assert_eq!(second, first);
}

#[test]
fn sends_invalid_events_to_the_dead_letter_queue_with_a_reason() {
    let api = Api::storefront();
    let queues = Queues::under_test();
    let nonsense = unique("nonsense");
    for (function, queue, expected) in
        [("expire-orders", "ExpireOrdersDlqUrl", "source"), ("report-sales", "ReportSalesDlqUrl", "YYYY-MM-DD")]
    {
        invoke(&api, function, &json!({ "note": nonsense }));
        let message = queues.find(api.output(queue), &nonsense);
        assert!(reason(&message).contains(expected), "{}", reason(&message));
    }
    invoke(&api, "report-sales", &json!({"day": "2999-01-01"}));
    assert!(reason(&queues.find(api.output("ReportSalesDlqUrl"), "2999-01-01")).contains("has not ended"));
}
