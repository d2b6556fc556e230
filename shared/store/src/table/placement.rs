//! Placing an order: one transaction.
//!
//! It takes the stock, keeps the order and saves the answer under the idempotency key, all of it or nothing, so a
//! process that dies anywhere leaves either no trace or a whole order whose answer the next try finds. The price is
//! double: a transaction costs two write units for each kilobyte of each item ("Transactional write operations").

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
use super::{Table, cancellation, conflict_retries, failed, is_conflict, keys, order_item};

/// The saved response as an item: an idempotency record like any other, under a key of this table.
fn write_response(placement: &Placement) -> Result<HashMap<String, AttributeValue>, PortError> {
    let mut item = IdempotencyRecord::completed(&placement.saved, placement.key_expires_at).into_item()?;
    item.extend(keys::place_order_response(&placement.order.customer, &placement.key));
    Ok(item)
}

/// The response in an item, unless it has expired: DynamoDB deletes expired items only after some time.
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
            .map_err(failed("GetItem"))?;
        found.item.map_or(Ok(None), |item| read_response(item, now))
    }

    async fn place(&self, placement: &Placement) -> Result<(), PlaceOrderError> {
        let items = self.items(placement)?;
        let attempt = || async { self.client.transact_write_items().set_transact_items(Some(items.clone())).send().await };
        match attempt.retry(conflict_retries()).when(is_conflict).await {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(error, placement)),
        }
    }
}

impl Table {
    /// The answer first, then the order, then one item for each line: [`refusal`] reads the reasons in this order.
    fn items(&self, placement: &Placement) -> Result<Vec<TransactWriteItem>, PortError> {
        let order = &placement.order;
        let unused = Put::builder()
            .table_name(&self.name)
            .set_item(Some(write_response(placement)?))
            .condition_expression("attribute_not_exists(pk) OR expiration < :now")
            .expression_attribute_values(":now", number(order.created_at.unix_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(failed("TransactWriteItems"))?;
        let order_put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(order_item::write(order, &placement.trace_context)?))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(failed("TransactWriteItems"))?;
        let mut items =
            vec![TransactWriteItem::builder().put(unused).build(), TransactWriteItem::builder().put(order_put).build()];
        for line in &order.lines {
            let take = self.take(line, order.created_at)?;
            items.push(TransactWriteItem::builder().update(take).build());
        }
        Ok(items)
    }

    fn take(&self, line: &OrderLine, now: Timestamp) -> Result<Update, PortError> {
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
            .map_err(failed("TransactWriteItems"))
    }
}

fn refusal<R>(error: SdkError<TransactWriteItemsError, R>, placement: &Placement) -> PlaceOrderError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if is_conflict(&error) {
        let key_in_flight = cancellation(&error).and_then(|reasons| reasons.first()?.code()) == Some("TransactionConflict");
        return if key_in_flight { PlaceOrderError::KeyInFlight } else { PlaceOrderError::Contention };
    }
    match cancellation(&error).and_then(|reasons| understood(reasons, placement)) {
        Some(refusal) => refusal,
        None => failed("TransactWriteItems")(error).into(),
    }
}

/// What the reasons of a cancelled transaction come down to. A key that has its answer comes before everything else:
/// the customer's order was placed, and what it left of the stock does not matter to it.
fn understood(reasons: &[CancellationReason], placement: &Placement) -> Option<PlaceOrderError> {
    let refused = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let (answer, rest) = reasons.split_first()?;
    if refused(&answer) {
        let item = answer.item().cloned().unwrap_or_default();
        return match read_response(item, placement.order.created_at) {
            Ok(Some(saved)) => Some(PlaceOrderError::Completed(saved)),
            Ok(None) => Some(PlaceOrderError::Contention),
            Err(error) => Some(error.into()),
        };
    }
    let lines = rest.get(1..)?.iter().zip(&placement.order.lines);
    let refused_lines: Vec<_> = lines.filter(|(reason, _)| refused(reason)).collect();
    if refused_lines.is_empty() {
        return None;
    }
    let mut short = Vec::new();
    for (reason, line) in refused_lines {
        let stock = reason.item().and_then(|item| item.get("stock")?.as_n().ok()?.parse::<u32>().ok());
        match stock {
            Some(stock) if stock < line.quantity.get() => short.push(line.product_id),
            // There are enough, so it was the price; or there is no such product any more.
            Some(_) | None => return Some(PlaceOrderError::ProductsChanged),
        }
    }
    Some(PlaceOrderError::OutOfStock { products: short })
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;
    use ferrite_core::TraceContext;
    use ferrite_core::memory::UniqueIds;
    use ferrite_core::ports::{Fingerprint, NewIds};
    use ferrite_domain::{LineRequest, PaymentToken, PlacementRequest, Product, contract};

    use super::*;

    fn answering(answers: Vec<(u16, String)>) -> (Table, StaticReplayClient) {
        let replay = |(status, body): (u16, String)| {
            let request = http::Request::builder().uri("https://dynamodb.test/").body(SdkBody::empty()).unwrap();
            let answer = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
            ReplayEvent::new(request, answer)
        };
        let http = StaticReplayClient::new(answers.into_iter().map(replay).collect());
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
            saved: SavedResponse { fingerprint: Fingerprint("f".to_owned()), response: "{}".to_owned() },
            key_expires_at: contract::now(),
            trace_context: TraceContext::default(),
        }
    }

    // No emulator raises TransactionConflict, so what AWS documents is played to the client here.

    #[tokio::test(start_paused = true)]
    async fn a_conflict_with_another_order_for_the_same_product_is_tried_again() {
        let conflict = || cancelled(["None", "None", "TransactionConflict"]);
        let (table, http) = answering(vec![conflict(), conflict(), (200, "{}".to_owned())]);
        table.place(&placement()).await.unwrap();
        assert_eq!(http.actual_requests().count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_that_does_not_end_is_given_up_as_one() {
        let (table, _) = answering((0..9).map(|_| cancelled(["None", "None", "TransactionConflict"])).collect());
        assert!(matches!(table.place(&placement()).await, Err(PlaceOrderError::Contention)));
        let (table, _) = answering((0..9).map(|_| cancelled(["TransactionConflict", "None", "None"])).collect());
        assert!(matches!(table.place(&placement()).await, Err(PlaceOrderError::KeyInFlight)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_tried_again() {
        let (table, http) = answering(vec![cancelled(["None", "None", "ConditionalCheckFailed"])]);
        assert!(matches!(table.place(&placement()).await, Err(PlaceOrderError::ProductsChanged)));
        assert_eq!(http.actual_requests().count(), 1);
    }
}
