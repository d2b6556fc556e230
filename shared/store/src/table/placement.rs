//! Order placement in one transaction.
//!
//! The transaction decreases the stock, stores the order and saves the response under the idempotency key. If the
//! process is terminated at any point, either nothing is stored, or the complete order is, and a retry finds its saved
//! response. A transaction costs twice as much as separate writes: two write units per kilobyte of each item
//! ("Transactional write operations").

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use backon::Retryable;
use ferrite_aws::IdempotencyRecord;
use ferrite_core::ports::{PortError, SavedResponse};
use ferrite_core::{IdempotencyKey, Timestamp};
use ferrite_domain::ports::{PlaceOrder, PlaceOrderError, Placement};
use ferrite_domain::{CustomerId, OrderLine};

use super::keys::{number, string};
use super::{Table, cancellation_reasons, conflict_retries, is_conflict, keys, order_item};

/// Serializes the saved response as an idempotency record with a key of this table.
fn write_response(placement: &Placement) -> Result<HashMap<String, AttributeValue>, PortError> {
    let mut item = IdempotencyRecord::completed(&placement.saved_response, placement.key_expires_at).into_item()?;
    item.extend(keys::place_order_response(&placement.order.customer, &placement.key));
    Ok(item)
}

/// Reads the saved response, unless it has expired. DynamoDB deletes expired items with a delay.
fn read_response(item: HashMap<String, AttributeValue>, now: Timestamp) -> Result<Option<SavedResponse>, PortError> {
    let record = IdempotencyRecord::from_item(item)?;
    Ok(if record.has_expired(now) { None } else { record.into_response() })
}

impl PlaceOrder for Table {
    async fn find_saved_response(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<SavedResponse>, PortError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(keys::place_order_response(customer, key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(PortError::during("GetItem"))?;
        found.item.map_or(Ok(None), |item| read_response(item, now))
    }

    async fn place(&self, placement: &Placement) -> Result<(), PlaceOrderError> {
        let items = self.transaction_items(placement)?;
        let attempt = || async { self.client.transact_write_items().set_transact_items(Some(items.clone())).send().await };
        match attempt.retry(conflict_retries()).when(is_conflict).await {
            Ok(_) => Ok(()),
            Err(error) => Err(place_order_error(error, placement)),
        }
    }
}

impl Table {
    /// Builds the transaction items: the saved response, the order, and one item per order line. [`place_order_error`]
    /// relies on this order.
    fn transaction_items(&self, placement: &Placement) -> Result<Vec<TransactWriteItem>, PortError> {
        let order = &placement.order;
        let response_put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(write_response(placement)?))
            .condition_expression("attribute_not_exists(pk) OR expiration < :now")
            .expression_attribute_values(":now", number(order.created_at.unix_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(PortError::during("TransactWriteItems"))?;
        let order_put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(order_item::write(order, &placement.trace_context)?))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(PortError::during("TransactWriteItems"))?;
        let mut items = vec![
            TransactWriteItem::builder().put(response_put).build(),
            TransactWriteItem::builder().put(order_put).build(),
        ];
        for line in &order.lines {
            let update = self.stock_update(line, order.created_at)?;
            items.push(TransactWriteItem::builder().update(update).build());
        }
        Ok(items)
    }

    /// Decreases the stock if there are enough units and the price is unchanged.
    fn stock_update(&self, line: &OrderLine, now: Timestamp) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::product(line.product_id)))
            .update_expression("SET stock = stock - :quantity, #version = #version + :one, updatedAt = :now")
            .condition_expression(
                "attribute_exists(pk) AND stock >= :quantity AND price.amount = :amount AND price.#currency = :currency",
            )
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#currency", "currency")
            .expression_attribute_values(":quantity", number(line.quantity.get()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", string(now))
            .expression_attribute_values(":amount", number(line.unit_price.amount.minor_units()))
            .expression_attribute_values(":currency", string(line.unit_price.currency))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(PortError::during("TransactWriteItems"))
    }
}

/// Maps the error of a failed transaction to the port's error.
fn place_order_error<R>(error: SdkError<TransactWriteItemsError, R>, placement: &Placement) -> PlaceOrderError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if is_conflict(&error) {
        let key_in_flight =
            cancellation_reasons(&error).and_then(|reasons| reasons.first()?.code()) == Some("TransactionConflict");
        return if key_in_flight { PlaceOrderError::KeyInFlight } else { PlaceOrderError::Contention };
    }
    match cancellation_reasons(&error).and_then(|reasons| classify_cancellation(reasons, placement)) {
        Some(error) => error,
        None => PortError::during("TransactWriteItems")(error).into(),
    }
}

/// Determines the error from the cancellation reasons. A saved response takes precedence: the order was already placed,
/// so its stock and price checks no longer matter.
fn classify_cancellation(reasons: &[CancellationReason], placement: &Placement) -> Option<PlaceOrderError> {
    let condition_failed = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let (response_reason, other_reasons) = reasons.split_first()?;
    if condition_failed(&response_reason) {
        let item = response_reason.item().cloned().unwrap_or_default();
        return match read_response(item, placement.order.created_at) {
            Ok(Some(saved)) => Some(PlaceOrderError::AlreadyPlaced(saved)),
            Ok(None) => Some(PlaceOrderError::Contention),
            Err(error) => Some(error.into()),
        };
    }
    let lines = other_reasons.get(1..)?.iter().zip(&placement.order.lines);
    let failed_lines: Vec<_> = lines.filter(|(reason, _)| condition_failed(reason)).collect();
    if failed_lines.is_empty() {
        return None;
    }
    let mut out_of_stock = Vec::new();
    for (reason, line) in failed_lines {
        let stock = reason.item().and_then(|item| item.get("stock")?.as_n().ok()?.parse::<u32>().ok());
        match stock {
            Some(stock) if stock < line.quantity.get() => out_of_stock.push(line.product_id),
            // Either the stock is sufficient, so the price has changed, or the product was deleted.
            Some(_) | None => return Some(PlaceOrderError::ProductsChanged),
        }
    }
    Some(PlaceOrderError::OutOfStock { products: out_of_stock })
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;
    use ferrite_core::TraceContext;
    use ferrite_core::memory::UniqueIds;
    use ferrite_core::ports::{Fingerprint, IdGenerator};
    use ferrite_domain::{LineRequest, PaymentToken, PlacementRequest, Product, contract};

    use super::*;

    fn table_with_responses(responses: Vec<(u16, String)>) -> (Table, StaticReplayClient) {
        let replay = |(status, body): (u16, String)| {
            let request = http::Request::builder().uri("https://dynamodb.test/").body(SdkBody::empty()).unwrap();
            let response = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
            ReplayEvent::new(request, response)
        };
        let http = StaticReplayClient::new(responses.into_iter().map(replay).collect());
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_dynamodb::config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("a", "b", None, None, "test"))
            .http_client(http.clone())
            .build();
        (Table { client: aws_sdk_dynamodb::Client::from_conf(config), name: "table".to_owned() }, http)
    }

    fn cancelled(codes: [&str; 3]) -> (u16, String) {
        let reasons = codes.map(|code| serde_json::json!({ "Code": code }));
        let body = serde_json::json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "CancellationReasons": reasons,
        });
        (400, body.to_string())
    }

    fn placement() -> Placement {
        let product: Product = contract::product(5);
        let line = LineRequest { product: product.id, quantity: 1.try_into().unwrap() };
        let order = PlacementRequest::new(vec![line], PaymentToken::try_from("tok_success".to_owned()).unwrap())
            .unwrap()
            .price(
                UniqueIds.new_id().into(),
                "ada".to_owned().try_into().unwrap(),
                &[(product.id, product)].into(),
                contract::now(),
            )
            .unwrap();
        Placement {
            order,
            key: IdempotencyKey::try_from("k".to_owned()).unwrap(),
            saved_response: SavedResponse { fingerprint: Fingerprint("f".to_owned()), response: "{}".to_owned() },
            key_expires_at: contract::now(),
            trace_context: TraceContext::default(),
        }
    }

    // Emulators do not return TransactionConflict, so these tests replay the documented AWS responses.

    #[tokio::test(start_paused = true)]
    async fn retries_a_conflict_with_another_order_for_the_same_product() {
        let conflict = || cancelled(["None", "None", "TransactionConflict"]);
        let (table, http) = table_with_responses(vec![conflict(), conflict(), (200, "{}".to_owned())]);
        table.place(&placement()).await.unwrap();
        assert_eq!(http.actual_requests().count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn returns_an_error_for_a_persistent_conflict() {
        let (table, _) = table_with_responses((0..9).map(|_| cancelled(["None", "None", "TransactionConflict"])).collect());
        assert!(matches!(table.place(&placement()).await, Err(PlaceOrderError::Contention)));
        let (table, _) = table_with_responses((0..9).map(|_| cancelled(["TransactionConflict", "None", "None"])).collect());
        assert!(matches!(table.place(&placement()).await, Err(PlaceOrderError::KeyInFlight)));
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_retry_a_failed_condition() {
        let (table, http) = table_with_responses(vec![cancelled(["None", "None", "ConditionalCheckFailed"])]);
        assert!(matches!(table.place(&placement()).await, Err(PlaceOrderError::ProductsChanged)));
        assert_eq!(http.actual_requests().count(), 1);
    }
}
