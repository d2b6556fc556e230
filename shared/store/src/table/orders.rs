//! Queries of orders.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use ferrite_core::ports::PortError;
use ferrite_core::{Day, Page, PageRequest, Timestamp};
use ferrite_domain::ports::{GetOrder, ListOrders, ListPaidOrders, ListPendingOrders};
use ferrite_domain::{CustomerId, Order, OrderId, OrderPosition, Shard};

use super::keys::string;
use super::{Table, keys, order_item};

impl GetOrder for Table {
    async fn get(&self, customer: &CustomerId, id: OrderId) -> Result<Option<Order>, PortError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(keys::order(customer, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(PortError::during("GetItem"))?;
        found.item.map(order_item::read).transpose()
    }
}

impl ListOrders for Table {
    async fn list(&self, customer: &CustomerId, page: &PageRequest<OrderId>) -> Result<Page<Order, OrderId>, PortError> {
        let response = self
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
            .map_err(PortError::during("Query"))?;
        to_page(response, page, |order| order.id)
    }
}

impl ListPendingOrders for Table {
    async fn list_pending(
        &self,
        shard: Shard,
        before: Timestamp,
        page: &PageRequest<OrderPosition>,
    ) -> Result<Page<Order, OrderPosition>, PortError> {
        let response = self
            .index_page(page)
            .key_condition_expression("gsi1pk = :pending AND gsi1sk < :before")
            .expression_attribute_values(":pending", string(keys::pending_orders_partition(shard)))
            .expression_attribute_values(":before", string(before))
            .set_exclusive_start_key(page.after.as_ref().map(|cursor| keys::pending_order_key(shard, cursor.last())))
            .send()
            .await
            .map_err(PortError::during("Query"))?;
        to_page(response, page, Order::position)
    }
}

impl ListPaidOrders for Table {
    async fn list_paid(
        &self,
        day: Day,
        shard: Shard,
        page: &PageRequest<OrderPosition>,
    ) -> Result<Page<Order, OrderPosition>, PortError> {
        let response = self
            .index_page(page)
            .key_condition_expression("gsi1pk = :paid")
            .expression_attribute_values(":paid", string(keys::paid_orders_partition(day, shard)))
            .set_exclusive_start_key(page.after.as_ref().map(|cursor| keys::paid_order_key(day, shard, cursor.last())))
            .send()
            .await
            .map_err(PortError::during("Query"))?;
        to_page(response, page, Order::position)
    }
}

impl Table {
    fn index_page<Id>(&self, page: &PageRequest<Id>) -> QueryFluentBuilder {
        self.client.query().table_name(&self.name).index_name(keys::LIST_INDEX).limit(page.limit.get() as i32 + 1)
    }
}

fn to_page<Id>(
    response: QueryOutput,
    page: &PageRequest<Id>,
    position: impl Fn(&Order) -> Id,
) -> Result<Page<Order, Id>, PortError> {
    // A DynamoDB page ends after 1 MB, even if it has fewer entries than requested.
    let cut_short = response.last_evaluated_key.is_some_and(|key| !key.is_empty());
    let found: Vec<Order> =
        response.items.unwrap_or_default().into_iter().map(order_item::read).collect::<Result<_, _>>()?;
    Ok(Page::from_results(found, page.limit, cut_short, position))
}
