//! Order status transitions, which return stock if necessary.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use backon::Retryable;
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext};
use ferrite_domain::ports::{SaveResult, SaveTransition};
use ferrite_domain::{OrderLine, ProductId, Transition};

use super::keys::{number, string};
use super::{Table, cancellation_reasons, conflict_retries, is_conflict, keys, order_item};

impl SaveTransition for Table {
    async fn save(&self, transition: &Transition, trace_context: &TraceContext) -> Result<SaveResult, PortError> {
        let mut deleted_products: BTreeSet<ProductId> = BTreeSet::new();
        // Each iteration excludes at least one product that was deleted in the meantime, so there is at most one more
        // attempt than there are lines.
        loop {
            let lines: Vec<&OrderLine> =
                transition.returned_lines().iter().filter(|line| !deleted_products.contains(&line.product_id)).collect();
            let items = self.transition_items(transition, trace_context, &lines)?;
            let attempt =
                || async { self.client.transact_write_items().set_transact_items(Some(items.clone())).send().await };
            let error = match attempt.retry(conflict_retries()).when(is_conflict).await {
                Ok(_) => return Ok(SaveResult::Saved),
                Err(error) => error,
            };
            let failed_conditions: Vec<bool> = cancellation_reasons(&error)
                .unwrap_or_default()
                .iter()
                .map(|reason| reason.code() == Some("ConditionalCheckFailed"))
                .collect();
            match failed_conditions.split_first() {
                Some((true, _)) => return Ok(SaveResult::Conflict),
                Some((false, products)) if products.contains(&true) => {
                    deleted_products
                        .extend(lines.iter().zip(products).filter(|(_, failed)| **failed).map(|(line, _)| line.product_id));
                }
                _ => return Err(PortError::during("TransactWriteItems")(error)),
            }
        }
    }
}

impl Table {
    /// Builds the transaction items: the order, and one item per returned line. `save` relies on this order.
    fn transition_items(
        &self,
        transition: &Transition,
        trace_context: &TraceContext,
        lines: &[&OrderLine],
    ) -> Result<Vec<TransactWriteItem>, PortError> {
        let order = Put::builder()
            .table_name(&self.name)
            .set_item(Some(order_item::write(transition.after(), trace_context)?))
            .condition_expression("#status = :before AND #version = :version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":before", string(transition.before().status.as_str()))
            .expression_attribute_values(":version", number(transition.before().version.get()))
            .build()
            .map_err(PortError::during("TransactWriteItems"))?;
        let mut items = vec![TransactWriteItem::builder().put(order).build()];
        for line in lines {
            let update = self.restock_update(line, transition.after().updated_at)?;
            items.push(TransactWriteItem::builder().update(update).build());
        }
        Ok(items)
    }

    /// Returns the units of an order line to the stock of its product.
    fn restock_update(&self, line: &OrderLine, now: Timestamp) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::product(line.product_id)))
            .update_expression("SET stock = stock + :quantity, #version = #version + :one, updatedAt = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":quantity", number(line.quantity.get()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", string(now))
            .build()
            .map_err(PortError::during("TransactWriteItems"))
    }
}
