//! What schedules do, invoked as EventBridge invokes it: with an event, and nobody waiting for more than that it was taken.

use aws_sdk_s3::config::Builder;
use ferrite_aws::sdk_config;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{Fingerprint, NewIds, SavedResponse};
use ferrite_core::{Timestamp, TraceContext};
use ferrite_domain::ports::{GetProduct, PlaceOrder, Placement};
use ferrite_domain::{LineRequest, Order, PlacementRequest};
use ferrite_store::Table;
use ferrite_tests::api::Api;
use ferrite_tests::aws::Aws;
use ferrite_tests::poll::until;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::messages::{Queues, reason};
use crate::unique;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Invokes a function of the stack without waiting for it.
fn invoke(api: &Api, function: &str, event: &Value) {
    Aws::under_test().invoke(&format!("{}-{function}", api.output("BusName")), event);
}

fn table(api: &Api) -> Table {
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    Table::new(&config, api.output("TableName").to_owned())
}

/// An order for some pieces of a product, as it was priced at `time`.
async fn order(table: &Table, customer: &str, product: &str, quantity: u64, token: &str, time: Timestamp) -> Order {
    let product = table.get(product.parse().unwrap()).await.unwrap().unwrap();
    let line = LineRequest { product: product.id, quantity: quantity.try_into().unwrap() };
    PlacementRequest::new(vec![line], token.to_owned().try_into().unwrap())
        .unwrap()
        .price(UniqueIds.new_id().into(), customer.to_owned().try_into().unwrap(), &[(product.id, product)].into(), time)
        .unwrap()
}

/// Writes the order as it stands, and takes its stock.
async fn keep(table: &Table, order: Order) {
    let placement = Placement {
        key: order.id.to_string().try_into().unwrap(),
        saved: SavedResponse { fingerprint: Fingerprint("none".to_owned()), response: "null".to_owned() },
        key_expires_at: order.created_at,
        trace_context: TraceContext::default(),
        order,
    };
    table.place(&placement).await.unwrap();
}

#[test]
fn orders_that_wait_for_too_long_are_cancelled_and_their_stock_returned() {
    let (api, runtime) = (Api::under_test(), runtime());
    let (ada, product, table) = (unique("ada"), api.create_product(500), table(&api));
    let long_ago: Timestamp = "2020-02-02T00:00:00Z".parse().unwrap();
    // Its payment times out once, so that there is a second before it is paid; a machine that is slower tries again.
    let expired = until("an order to expire", || {
        let id = runtime.block_on(async {
            let order = order(&table, &ada, &product, 2, "tok_timeout_once", long_ago).await;
            let id = order.id;
            keep(&table, order).await;
            id
        });
        invoke(&api, "expire-orders", &json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": long_ago}));
        let settled = until("the order to be settled", || {
            let order = api.customer(&ada, "GET", &format!("/orders/{id}")).send().json();
            (order["status"] != "pending").then_some(order)
        });
        (settled["status"] == "cancelled").then_some(settled)
    });
    assert_eq!(expired["reason"], "payment was not received in time");
    let orders = api.customer(&ada, "GET", "/orders?limit=100").send().json();
    let paid = orders["items"].as_array().unwrap().iter().filter(|order| order["status"] == "paid").count();
    assert_eq!(api.product(&product)["stock"], 500 - 2 * paid);
}

/// A day on which nothing else was sold, also where this ran before, and the one after it.
fn day_of_its_own() -> (String, String) {
    let [year, month, day, ..] = *uuid::Uuid::new_v4().as_bytes();
    let date = |day| format!("{}-{:02}-{day:02}", 1970 + u16::from(year % 50), 1 + month % 12);
    (date(1 + day % 27), date(2 + day % 27))
}

#[test]
fn a_days_sales_are_reported_to_the_minor_unit_and_the_same_again() {
    let (api, runtime) = (Api::under_test(), runtime());
    let (ada, product, table) = (unique("ada"), api.create_product(500), table(&api));
    let (day, next_day) = day_of_its_own();
    let paid_at: Timestamp = format!("{day}T23:59:59.999Z").parse().unwrap();
    runtime.block_on(async {
        for quantity in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] {
            let order = order(&table, &ada, &product, quantity, "tok_success", paid_at).await;
            keep(&table, order.pay(paid_at).unwrap().after().clone()).await;
        }
    });

    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let s3 = aws_sdk_s3::Client::from_conf(Builder::from(&config).force_path_style(true).build());
    let file = |extension: &str| {
        let key = format!("sales/{day}.{extension}");
        let object = runtime.block_on(s3.get_object().bucket(api.output("ReportBucketName")).key(key).send()).ok()?;
        let modified = object.last_modified?;
        Some((modified, runtime.block_on(object.body.collect()).unwrap().to_vec()))
    };
    invoke(&api, "report-sales", &json!({ "day": day }));
    // The CSV is written last.
    let csv = until("the report", || file("csv")).1;
    let first = (csv.clone(), file("json").unwrap().1);
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        format!("productId,currency,orders,quantity,amount\r\n{product},EUR,10,55,{}\r\n", 55 * 1250)
    );
    let scheduled =
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": format!("{next_day}T00:30:00Z")});
    let delete = s3.delete_object().bucket(api.output("ReportBucketName")).key(format!("sales/{day}.csv"));
    runtime.block_on(delete.send()).unwrap();
    invoke(&api, "report-sales", &scheduled);
    let again = (until("the report again", || file("csv")).1, file("json").unwrap().1);
    assert_eq!(again, first);
}

#[test]
fn nonsense_is_put_aside_with_the_reason() {
    let (api, queues) = (Api::under_test(), Queues::open());
    let nonsense = unique("nonsense");
    for (function, queue, why) in
        [("expire-orders", "ExpireOrdersDlqUrl", "source"), ("report-sales", "ReportSalesDlqUrl", "YYYY-MM-DD")]
    {
        invoke(&api, function, &json!({ "note": nonsense }));
        let message = queues.find(api.output(queue), &nonsense);
        assert!(reason(&message).contains(why), "{}", reason(&message));
    }
    invoke(&api, "report-sales", &json!({"day": "2999-01-01"}));
    assert!(reason(&queues.find(api.output("ReportSalesDlqUrl"), "2999-01-01")).contains("not over"));
}
