//! The table in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::ports::{
    AddImage, AddImageError, CreateProduct, DeleteProduct, FinishImage, GetOrder, GetProduct, GetProducts, ListOrders,
    ListProducts, PlaceError, PlaceOrder, Placement, SaveTransition, SavedAnswer, StoreError, UpdateError, UpdateProduct,
};
use crate::{
    Cause, CustomerId, IdempotencyKey, Image, ImageId, ImageState, MAX_IMAGES, Order, OrderId, Page, PageRequest, Product,
    ProductId, ProductPatch, Stock, Timestamp, Transition, Version,
};

/// Products, orders and saved answers behind one lock, which makes every operation a transaction.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    products: BTreeMap<ProductId, Product>,
    orders: BTreeMap<(CustomerId, OrderId), Order>,
    answers: BTreeMap<(CustomerId, String), (SavedAnswer, Timestamp)>,
}

impl MemoryStore {
    #[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl CreateProduct for MemoryStore {
    async fn create(&self, product: &Product) -> Result<(), StoreError> {
        self.state().products.insert(product.id, product.clone());
        Ok(())
    }
}

impl GetProduct for MemoryStore {
    async fn get(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.state().products.get(&id).cloned())
    }
}

impl GetProducts for MemoryStore {
    async fn get_many(&self, ids: &[ProductId]) -> Result<BTreeMap<ProductId, Product>, StoreError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.products.get(id)).map(|product| (product.id, product.clone())).collect())
    }
}

impl ListProducts for MemoryStore {
    async fn list(&self, page: &PageRequest<ProductId>) -> Result<Page<Product, ProductId>, StoreError> {
        let state = self.state();
        let newest_first = state.products.values().rev();
        let found = match &page.after {
            Some(cursor) => newest_first.filter(|p| p.id < *cursor.last()).take(page.limit.get() + 1).cloned().collect(),
            None => newest_first.take(page.limit.get() + 1).cloned().collect(),
        };
        Ok(Page::cut(found, page.limit, false, |product| product.id))
    }
}

impl UpdateProduct for MemoryStore {
    async fn update(
        &self,
        id: ProductId,
        patch: &ProductPatch,
        expected: Option<Version>,
        now: Timestamp,
    ) -> Result<Product, UpdateError> {
        let mut state = self.state();
        let product = state.products.get_mut(&id).ok_or(UpdateError::NotFound)?;
        if expected.is_some_and(|expected| expected != product.version) {
            return Err(UpdateError::VersionMismatch);
        }
        *product = patch.apply(product.clone(), now);
        Ok(product.clone())
    }
}

impl DeleteProduct for MemoryStore {
    async fn delete(&self, id: ProductId) -> Result<bool, StoreError> {
        Ok(self.state().products.remove(&id).is_some())
    }
}

impl AddImage for MemoryStore {
    async fn add_image(&self, product: ProductId, image: &Image) -> Result<(), AddImageError> {
        let mut state = self.state();
        let product = state.products.get_mut(&product).ok_or(AddImageError::NotFound)?;
        if product.images.len() >= MAX_IMAGES {
            let abandoned = product.images.iter().position(|old| old.is_abandoned(image.requested_at));
            product.images.remove(abandoned.ok_or(AddImageError::TooMany)?);
        }
        product.images.push(image.clone());
        product.version = product.version.next();
        product.updated_at = image.requested_at;
        Ok(())
    }
}

impl FinishImage for MemoryStore {
    async fn finish_image(
        &self,
        product: ProductId,
        image: ImageId,
        to: &ImageState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(product) = state.products.get_mut(&product) else { return Ok(false) };
        let pending = |i: &&mut Image| i.id == image && matches!(i.state, ImageState::Pending { .. });
        let Some(found) = product.images.iter_mut().find(pending) else { return Ok(false) };
        found.state = to.clone();
        product.version = product.version.next();
        product.updated_at = now;
        Ok(true)
    }
}

fn set_stock(product: &mut Product, stock: Stock, now: Timestamp) {
    product.stock = stock;
    product.version = product.version.next();
    product.updated_at = now;
}

impl PlaceOrder for MemoryStore {
    async fn find_answer(
        &self,
        customer: &CustomerId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<SavedAnswer>, StoreError> {
        let state = self.state();
        let found = state.answers.get(&(customer.clone(), key.to_string()));
        Ok(found.filter(|(_, expires)| expires.unix_seconds() >= now.unix_seconds()).map(|(saved, _)| saved.clone()))
    }

    async fn place(&self, placement: &Placement) -> Result<(), PlaceError> {
        let order = &placement.order;
        let mut state = self.state();
        let key = (order.customer.clone(), placement.key.to_string());
        if let Some((saved, expires)) = state.answers.get(&key)
            && expires.unix_seconds() >= order.created_at.unix_seconds()
        {
            return Err(PlaceError::Answered(saved.clone()));
        }
        let mut short = Vec::new();
        for line in &order.lines {
            match state.products.get(&line.product_id) {
                Some(product) if product.price != line.unit_price => return Err(PlaceError::ProductsChanged),
                Some(product) if product.stock.get() < line.quantity.get() => short.push(line.product_id),
                Some(_) => {}
                None => return Err(PlaceError::ProductsChanged),
            }
        }
        if !short.is_empty() {
            return Err(PlaceError::OutOfStock { products: short });
        }
        for line in &order.lines {
            if let Some(product) = state.products.get_mut(&line.product_id)
                && let Some(left) = product.stock.without(line.quantity)
            {
                set_stock(product, left, order.created_at);
            }
        }
        state.answers.insert(key, (placement.saved.clone(), placement.key_expires_at));
        state.orders.insert((order.customer.clone(), order.id), order.clone());
        Ok(())
    }
}

impl GetOrder for MemoryStore {
    async fn get(&self, customer: &CustomerId, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.state().orders.get(&(customer.clone(), id)).cloned())
    }
}

impl ListOrders for MemoryStore {
    async fn list(&self, customer: &CustomerId, page: &PageRequest<OrderId>) -> Result<Page<Order, OrderId>, StoreError> {
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
        Ok(Page::cut(found, page.limit, false, |order| order.id))
    }
}

impl SaveTransition for MemoryStore {
    async fn save(&self, transition: &Transition, _: &Cause) -> Result<bool, StoreError> {
        let (before, after) = (transition.before(), transition.after());
        let mut state = self.state();
        match state.orders.get_mut(&(before.customer.clone(), before.id)) {
            Some(order) if order.status == before.status => *order = after.clone(),
            _ => return Ok(false),
        }
        for line in transition.returned_lines() {
            if let Some(product) = state.products.get_mut(&line.product_id) {
                set_stock(product, product.stock.with(line.quantity), after.updated_at);
            }
        }
        Ok(true)
    }
}
