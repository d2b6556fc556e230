//! Order ports: orders, stock, and saved responses.

use ferrite_core::ports::{PortError, SavedResponse};
use ferrite_core::{Day, IdempotencyKey, Page, PageLimit, PageRequest, Timestamp, TraceContext};

use super::{MemoryStore, State};
use crate::ports::{
    GetOrder, ListOrders, ListPaidOrders, ListPendingOrders, PlaceOrder, PlaceOrderError, Placement, SaveResult,
    SaveTransition,
};
use crate::{CustomerId, Order, OrderId, OrderPosition, OrderStatus, Product, Shard, Stock, Transition};

fn set_stock(product: &mut Product, stock: Stock, now: Timestamp) {
    product.stock = stock;
    product.version = product.version.next();
    product.updated_at = now;
}

impl PlaceOrder for MemoryStore {
    async fn find_saved_response(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<SavedResponse>, PortError> {
        let state = self.state();
        let found = state.saved_responses.get(&(customer.clone(), key.to_string()));
        Ok(found.filter(|(_, expires)| expires.unix_seconds() >= now.unix_seconds()).map(|(saved, _)| saved.clone()))
    }

    async fn place(&self, placement: &Placement) -> Result<(), PlaceOrderError> {
        let order = &placement.order;
        let mut state = self.state();
        let key = (order.customer.clone(), placement.key.to_string());
        if let Some((saved, expires)) = state.saved_responses.get(&key)
            && expires.unix_seconds() >= order.created_at.unix_seconds()
        {
            return Err(PlaceOrderError::AlreadyPlaced(saved.clone()));
        }
        let mut out_of_stock = Vec::new();
        for line in &order.lines {
            match state.products.get(&line.product_id) {
                Some(product) if product.price != line.unit_price => return Err(PlaceOrderError::ProductsChanged),
                Some(product) if product.stock.get() < line.quantity.get() => out_of_stock.push(line.product_id),
                Some(_) => {}
                None => return Err(PlaceOrderError::ProductsChanged),
            }
        }
        if !out_of_stock.is_empty() {
            return Err(PlaceOrderError::OutOfStock { products: out_of_stock });
        }
        for line in &order.lines {
            if let Some(product) = state.products.get_mut(&line.product_id)
                && let Some(remaining) = product.stock.without(line.quantity)
            {
                set_stock(product, remaining, order.created_at);
            }
        }
        state.saved_responses.insert(key, (placement.saved_response.clone(), placement.key_expires_at));
        state.orders.insert((order.customer.clone(), order.id), order.clone());
        Ok(())
    }
}

impl GetOrder for MemoryStore {
    async fn get(&self, customer: &CustomerId, id: OrderId) -> Result<Option<Order>, PortError> {
        Ok(self.state().orders.get(&(customer.clone(), id)).cloned())
    }
}

impl ListOrders for MemoryStore {
    async fn list(&self, customer: &CustomerId, page: &PageRequest<OrderId>) -> Result<Page<Order, OrderId>, PortError> {
        let state = self.state();
        let found = state
            .orders
            .values()
            .rev()
            .filter(|order| order.customer == *customer)
            .filter(|order| page.after.as_ref().is_none_or(|cursor| order.id < *cursor.last()))
            .take(page.limit.get() + 1)
            .cloned()
            .collect();
        Ok(Page::from_results(found, page.limit, false, |order| order.id))
    }
}

impl SaveTransition for MemoryStore {
    async fn save(&self, transition: &Transition, _: &TraceContext) -> Result<SaveResult, PortError> {
        let before = transition.before();
        let after = transition.after();
        let mut state = self.state();
        match state.orders.get_mut(&(before.customer.clone(), before.id)) {
            Some(order) if order.status == before.status && order.version == before.version => *order = after.clone(),
            _ => return Ok(SaveResult::Conflict),
        }
        for line in transition.returned_lines() {
            if let Some(product) = state.products.get_mut(&line.product_id) {
                set_stock(product, product.stock.with(line.quantity), after.updated_at);
            }
        }
        Ok(SaveResult::Saved)
    }
}

impl ListPendingOrders for MemoryStore {
    async fn list_pending(
        &self,
        shard: Shard,
        before: Timestamp,
        page: &PageRequest<OrderPosition>,
    ) -> Result<Page<Order, OrderPosition>, PortError> {
        let mut found = self.state().orders_of(shard, OrderStatus::Pending);
        found.retain(|order| order.created_at < before);
        found.sort_by_key(Order::position);
        if let Some(cursor) = &page.after {
            found.retain(|order| order.position() > *cursor.last());
        }
        Ok(first_page(found, page.limit))
    }
}

impl ListPaidOrders for MemoryStore {
    async fn list_paid(
        &self,
        day: Day,
        shard: Shard,
        page: &PageRequest<OrderPosition>,
    ) -> Result<Page<Order, OrderPosition>, PortError> {
        let mut found = self.state().orders_of(shard, OrderStatus::Paid);
        found.retain(|order| order.updated_at.day() == day);
        found.sort_by_key(|order| order.id);
        if let Some(cursor) = &page.after {
            found.retain(|order| order.id > cursor.last().id);
        }
        Ok(first_page(found, page.limit))
    }
}

impl State {
    fn orders_of(&self, shard: Shard, status: OrderStatus) -> Vec<Order> {
        let matches = |order: &&Order| Shard::of(order.id) == shard && order.status == status;
        self.orders.values().filter(matches).cloned().collect()
    }
}

fn first_page(found: Vec<Order>, limit: PageLimit) -> Page<Order, OrderPosition> {
    Page::from_results(found, limit, false, Order::position)
}
