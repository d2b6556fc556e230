//! Moving an order on, and its stock back.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use backon::Retryable;
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext};
use ferrite_domain::ports::SaveTransition;
use ferrite_domain::{OrderLine, ProductId, Transition};

use super::keys::{number, string};
use super::{Table, cancellation, conflict_retries, failed, is_conflict, keys, order_item};

impl SaveTransition for Table {
    async fn save(&self, transition: &Transition, trace_context: &TraceContext) -> Result<bool, PortError> {
        let mut gone: BTreeSet<ProductId> = BTreeSet::new();
        // At most one more try than there are lines: each adds a product that was deleted in the meantime.
        loop {
            let lines: Vec<&OrderLine> =
                transition.returned_lines().iter().filter(|line| !gone.contains(&line.product_id)).collect();
            let items = self.transition_items(transition, trace_context, &lines)?;
            let attempt =
                || async { self.client.transact_write_items().set_transact_items(Some(items.clone())).send().await };
            let error = match attempt.retry(conflict_retries()).when(is_conflict).await {
                Ok(_) => return Ok(true),
                Err(error) => error,
            };
            let refused: Vec<bool> = cancellation(&error)
                .unwrap_or_default()
                .iter()
                .map(|reason| reason.code() == Some("ConditionalCheckFailed"))
                .collect();
            match refused.split_first() {
                Some((true, _)) => return Ok(false),
                Some((false, products)) if products.contains(&true) => {
                    gone.extend(lines.iter().zip(products).filter(|(_, gone)| **gone).map(|(line, _)| line.product_id));
                }
                _ => return Err(failed("TransactWriteItems")(error)),
            }
        }
    }
}

impl Table {
    /// The order first, then one item for each returned line: `save` reads the reasons in this order.
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
            .map_err(failed("TransactWriteItems"))?;
        let mut items = vec![TransactWriteItem::builder().put(order).build()];
        for line in lines {
            let put_back = self.put_back(line, transition.after().updated_at)?;
            items.push(TransactWriteItem::builder().update(put_back).build());
        }
        Ok(items)
    }

    fn put_back(&self, line: &OrderLine, now: Timestamp) -> Result<Update, PortError> {
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
            .map_err(failed("TransactWriteItems"))
    }
}
