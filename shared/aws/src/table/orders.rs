//! Orders in the table, read.

use ferrite_domain::ports::{GetOrder, ListOrders, StoreError};
use ferrite_domain::{CustomerId, Order, OrderId, Page, PageRequest};

use super::keys::string;
use super::{Table, failed, keys, order_item};

impl GetOrder for Table {
    async fn get(&self, customer: &CustomerId, id: OrderId) -> Result<Option<Order>, StoreError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(keys::order(customer, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("GetItem"))?;
        found.item.map(order_item::read).transpose()
    }
}

impl ListOrders for Table {
    async fn list(&self, customer: &CustomerId, page: &PageRequest<OrderId>) -> Result<Page<Order, OrderId>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :customer AND begins_with(sk, :orders)")
            .expression_attribute_values(":customer", string(keys::customer_partition(customer)))
            .expression_attribute_values(":orders", string(keys::ORDER))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(page.limit.get() as i32 + 1)
            .set_exclusive_start_key(page.after.as_ref().map(|cursor| keys::order(customer, *cursor.last())))
            .send()
            .await
            .map_err(failed("Query"))?;
        // A page of DynamoDB ends at 1 MB, however many entries were asked for.
        let cut_short = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let found: Vec<Order> =
            answer.items.unwrap_or_default().into_iter().map(order_item::read).collect::<Result<_, _>>()?;
        Ok(Page::cut(found, page.limit, cut_short, |order| order.id))
    }
}
