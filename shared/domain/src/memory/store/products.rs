//! Product and image ports.

use std::collections::BTreeMap;

use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, Version};

use super::MemoryStore;
use crate::ports::{
    AddImage, AddImageError, CreateProduct, DeleteProduct, FinishImage, GetProduct, GetProducts, ListProducts, UpdateError,
    UpdateProduct,
};
use crate::{Image, ImageId, ImageState, MAX_IMAGES, Product, ProductId, ProductPatch};

impl CreateProduct for MemoryStore {
    async fn create(&self, product: &Product) -> Result<(), PortError> {
        self.state().products.insert(product.id, product.clone());
        Ok(())
    }
}

impl GetProduct for MemoryStore {
    async fn get(&self, id: ProductId) -> Result<Option<Product>, PortError> {
        Ok(self.state().products.get(&id).cloned())
    }
}

impl GetProducts for MemoryStore {
    async fn get_many(&self, ids: &[ProductId]) -> Result<BTreeMap<ProductId, Product>, PortError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.products.get(id)).map(|product| (product.id, product.clone())).collect())
    }
}

impl ListProducts for MemoryStore {
    async fn list(&self, page: &PageRequest<ProductId>) -> Result<Page<Product, ProductId>, PortError> {
        let state = self.state();
        let newest_first = state.products.values().rev();
        let found = match &page.after {
            Some(cursor) => newest_first.filter(|p| p.id < *cursor.last()).take(page.limit.get() + 1).cloned().collect(),
            None => newest_first.take(page.limit.get() + 1).cloned().collect(),
        };
        Ok(Page::from_results(found, page.limit, false, |product| product.id))
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
    async fn delete(&self, id: ProductId) -> Result<bool, PortError> {
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
    ) -> Result<bool, PortError> {
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
