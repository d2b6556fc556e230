use ferrite_core::ports::Clock;
use ferrite_core::{Day, PageLimit, PageRequest};
use ferrite_domain::ports::{ListPaidOrders, SaveReport};
use ferrite_domain::{SalesReport, Shard};
use ferrite_runtime::Failure;
use ferrite_runtime::log;
use ferrite_runtime::schedule::ScheduledInvocation;
use serde::Deserialize;
use serde_json::json;

/// The invocation event. It determines which day to report on.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a scheduled event or {\"day\": \"YYYY-MM-DD\"}")]
pub(crate) enum ReportRequest {
    /// Reports on the given day. For manual invocations.
    Day {
        /// The day, in UTC.
        day: Day,
    },
    /// Reports on the day before the scheduled time.
    Scheduled(ScheduledInvocation),
}

/// Adds up the orders that were paid on the requested day, and saves the report as CSV and JSON.
///
/// Memory use is one page of orders plus one row for each product. Paid orders do not change, so a repeated run writes
/// the same files under the same keys.
///
/// # Errors
/// Rejects a day that has not ended. Returns an error if the orders could not be listed or a file could not be saved.
pub(crate) async fn report_sales(
    orders: &impl ListPaidOrders,
    reports: &impl SaveReport,
    clock: &impl Clock,
    request: ReportRequest,
) -> Result<(), Failure> {
    let day = match request {
        ReportRequest::Day { day } => day,
        ReportRequest::Scheduled(invocation) => invocation.time.day().previous(),
    };
    if day >= clock.now().day() {
        return Err(Failure::reject(format!("{day} has not ended")));
    }
    let mut report = SalesReport::new(day);
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
        reports.save(&file).await?;
    }
    log::append_key("report", json!({ "day": day, "products": report.products().len() }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use ferrite_core::TraceContext;
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::memory::{MemoryReports, MemoryStore};
    use ferrite_domain::ports::{CreateProduct, SaveResult, SaveTransition};
    use ferrite_domain::{Product, contract};

    use super::*;

    fn report_request(event: serde_json::Value) -> ReportRequest {
        serde_json::from_value(event).unwrap()
    }

    fn scheduled(time: &str) -> ReportRequest {
        report_request(json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": time}))
    }

    /// A store with `orders` paid orders for two units each and one pending order, all on the day of `contract::now()`.
    async fn store_with_sales(orders: u64) -> (MemoryStore, Product) {
        let store = MemoryStore::default();
        let product = contract::product(1000);
        store.create(&product).await.unwrap();
        for _ in 0..orders {
            let order = contract::orders::place_order(&store, &[(&product, 2)]).await;
            assert_eq!(
                store.save(&order.pay(contract::now()).unwrap(), &TraceContext::default()).await.unwrap(),
                SaveResult::Saved
            );
        }
        contract::orders::place_order(&store, &[(&product, 1)]).await;
        (store, product)
    }

    /// Returns a file of the report for the day of `contract::now()`.
    fn report_file(reports: &MemoryReports, extension: &str) -> Vec<u8> {
        reports.file(&format!("sales/{}.{extension}", contract::now().day())).unwrap().bytes
    }

    /// A clock that shows the next day.
    fn tomorrow() -> FixedClock {
        FixedClock(contract::now().plus(std::time::Duration::from_secs(86_400)))
    }

    #[tokio::test]
    async fn adds_up_the_paid_orders_of_all_shards_and_pages() {
        let (store, product) = store_with_sales(300).await;
        let reports = MemoryReports::default();
        let tomorrow = tomorrow();
        report_sales(&store, &reports, &tomorrow, scheduled(&tomorrow.0.to_string())).await.unwrap();

        let json: serde_json::Value = serde_json::from_slice(&report_file(&reports, "json")).unwrap();
        let amount = 600 * product.price.amount.minor_units();
        assert_eq!(
            json["products"],
            json!([{ "productId": product.id, "currency": product.price.currency, "orders": 300, "quantity": 600, "amount": amount }])
        );
        let csv = String::from_utf8(report_file(&reports, "csv")).unwrap();
        assert!(csv.contains(&format!("{},{},300,600,{amount}", product.id, product.price.currency)), "{csv}");
    }

    #[tokio::test]
    async fn writes_the_same_report_for_repeated_requests() {
        let (store, _) = store_with_sales(3).await;
        let reports = MemoryReports::default();
        let day = contract::now().day();
        let mut files = Vec::new();
        for request in [report_request(json!({ "day": day })), scheduled(&tomorrow().0.to_string())] {
            report_sales(&store, &reports, &tomorrow(), request).await.unwrap();
            files.push((report_file(&reports, "json"), report_file(&reports, "csv")));
        }
        assert_eq!(files[0], files[1]);
    }

    #[tokio::test]
    async fn rejects_a_day_that_has_not_ended() {
        let (store, _) = store_with_sales(1).await;
        let reports = MemoryReports::default();
        let today = contract::now();
        let request = report_request(json!({ "day": today.day() }));
        let result = report_sales(&store, &reports, &FixedClock(today), request).await;
        assert!(matches!(result, Err(Failure::Reject(_))), "{result:?}");
        assert!(reports.file(&format!("sales/{}.json", today.day())).is_none());
    }

    #[test]
    fn rejects_unsupported_events() {
        for event in [json!({}), json!({"day": "yesterday"}), json!({"time": "2026-11-23T00:30:00Z"}), json!(7)] {
            let error = serde_json::from_value::<ReportRequest>(event).unwrap_err();
            assert!(error.to_string().contains("YYYY-MM-DD"), "{error}");
        }
    }
}
