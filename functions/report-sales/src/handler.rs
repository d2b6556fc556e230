use ferrite_core::ports::Clock;
use ferrite_core::{Day, PageLimit, PageRequest};
use ferrite_domain::ports::{KeepReport, ListPaidOrders};
use ferrite_domain::{SalesReport, Shard};
use ferrite_runtime::Failure;
use ferrite_runtime::log;
use ferrite_runtime::schedule::Tick;
use serde::Deserialize;
use serde_json::json;

/// What is to be reported on.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "neither a scheduled event nor {\"day\": \"YYYY-MM-DD\"}")]
pub(crate) enum Asked {
    /// One day, by whoever invokes the function by hand.
    Day {
        /// Which.
        day: Day,
    },
    /// The day before the schedule's own.
    Scheduled(Tick),
}

/// Adds up the orders that were paid on the day, and keeps the report as CSV and as JSON.
///
/// It holds a page of orders at a time and a row for each product. What is paid does not change any more, so it writes the
/// same files under the same keys however often it runs.
///
/// # Errors
/// The day is not over; or orders could not be listed, or the report not be kept.
pub(crate) async fn report_sales(
    orders: &impl ListPaidOrders,
    reports: &impl KeepReport,
    clock: &impl Clock,
    asked: Asked,
) -> Result<(), Failure> {
    let day = match asked {
        Asked::Day { day } => day,
        Asked::Scheduled(tick) => tick.time.day().previous(),
    };
    if day >= clock.now().day() {
        return Err(Failure::reject(format!("{day} is not over")));
    }
    let mut report = SalesReport::of(day);
    for shard in Shard::all() {
        let mut page = PageRequest { limit: PageLimit::LARGEST, after: None };
        loop {
            let listed = orders.list_paid(day, shard, &page).await?;
            listed.items.iter().for_each(|order| report.add(order));
            match listed.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
    }
    for file in report.files()? {
        reports.keep(&file).await?;
    }
    log::append_key("report", json!({ "day": day, "products": report.products().len() }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use ferrite_core::TraceContext;
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::memory::{MemoryReports, MemoryStore};
    use ferrite_domain::ports::{CreateProduct, SaveTransition};
    use ferrite_domain::{Product, contract};

    use super::*;

    fn asked(event: serde_json::Value) -> Asked {
        serde_json::from_value(event).unwrap()
    }

    fn scheduled(time: &str) -> Asked {
        asked(json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": time}))
    }

    /// A store in which pieces of a product were paid for on the day of `contract::now()`.
    async fn sold(orders: u64) -> (MemoryStore, Product) {
        let (store, product) = (MemoryStore::default(), contract::product(1000));
        store.create(&product).await.unwrap();
        for _ in 0..orders {
            let order = contract::orders::placed(&store, &[(&product, 2)]).await;
            assert!(store.save(&order.pay(contract::now()).unwrap(), &TraceContext::default()).await.unwrap());
        }
        contract::orders::placed(&store, &[(&product, 1)]).await;
        (store, product)
    }

    /// A file of that day's report.
    fn kept(reports: &MemoryReports, extension: &str) -> Vec<u8> {
        reports.file(&format!("sales/{}.{extension}", contract::now().day())).unwrap().bytes
    }

    /// The day after.
    fn tomorrow() -> FixedClock {
        FixedClock(contract::now().after(std::time::Duration::from_secs(86_400)))
    }

    #[tokio::test]
    async fn the_days_paid_orders_are_added_up_to_the_minor_unit_over_all_shards_and_pages() {
        let ((store, product), reports) = (sold(300).await, MemoryReports::default());
        let tomorrow = tomorrow();
        report_sales(&store, &reports, &tomorrow, scheduled(&tomorrow.0.to_string())).await.unwrap();

        let json: serde_json::Value = serde_json::from_slice(&kept(&reports, "json")).unwrap();
        let amount = 600 * product.price.amount.minor_units();
        assert_eq!(
            json["products"],
            json!([{ "productId": product.id, "currency": product.price.currency, "orders": 300, "quantity": 600, "amount": amount }])
        );
        let csv = String::from_utf8(kept(&reports, "csv")).unwrap();
        assert!(csv.contains(&format!("{},{},300,600,{amount}", product.id, product.price.currency)), "{csv}");
    }

    #[tokio::test]
    async fn a_day_is_reported_the_same_however_often_it_is_asked_for() {
        let ((store, _), reports, day) = (sold(3).await, MemoryReports::default(), contract::now().day());
        let mut files = Vec::new();
        for asked in [asked(json!({ "day": day })), scheduled(&tomorrow().0.to_string())] {
            report_sales(&store, &reports, &tomorrow(), asked).await.unwrap();
            files.push((kept(&reports, "json"), kept(&reports, "csv")));
        }
        assert_eq!(files[0], files[1]);
    }

    #[tokio::test]
    async fn a_day_that_is_not_over_is_not_reported() {
        let ((store, _), reports, today) = (sold(1).await, MemoryReports::default(), contract::now());
        let refused = report_sales(&store, &reports, &FixedClock(today), asked(json!({ "day": today.day() }))).await;
        assert!(matches!(refused, Err(Failure::Reject(_))));
        assert!(reports.file(&format!("sales/{}.json", today.day())).is_none());
    }

    #[test]
    fn nonsense_is_told_apart() {
        for event in [json!({}), json!({"day": "yesterday"}), json!({"time": "2026-11-23T00:30:00Z"}), json!(7)] {
            let error = serde_json::from_value::<Asked>(event).unwrap_err();
            assert!(error.to_string().contains("YYYY-MM-DD"), "{error}");
        }
    }
}
