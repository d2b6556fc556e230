//! Contract of the store of products and their images.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use ferrite_core::{PageRequest, Reason, Timestamp, Version};

use super::{image, now, product};
use crate::ports::{
    AddImage, AddImageError, CreateProduct, DeleteProduct, FinishImage, GetProduct, GetProducts, ListProducts, UpdateError,
    UpdateProduct,
};
use crate::{
    Description, Image, ImageState, MAX_IMAGES, ProductId, ProductName, ProductPatch, Stock, UPLOAD_LIFETIME_SECONDS,
    Variant, Variants,
};

/// All ports of the product store.
pub trait ProductStore:
    CreateProduct + GetProduct + GetProducts + ListProducts + UpdateProduct + DeleteProduct + AddImage + FinishImage
{
}

impl<S> ProductStore for S where
    S: CreateProduct + GetProduct + GetProducts + ListProducts + UpdateProduct + DeleteProduct + AddImage + FinishImage
{
}

/// Generates the contract tests for a [`ProductStore`].
#[macro_export]
macro_rules! product_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::products, $adapter,
            returns_a_created_product
            returns_none_for_an_unknown_product
            looks_up_several_products_at_once
            lists_all_products_newest_first_across_pages
            changes_only_the_fields_in_the_patch
            removes_a_description
            rejects_an_update_of_an_outdated_version
            does_not_create_a_product_by_an_update
            deletes_a_product_once
            adds_an_image_and_finishes_it_once
            stores_the_reason_of_a_failed_image
            limits_the_number_of_images
            replaces_an_abandoned_image_when_full
            splits_a_listing_that_exceeds_the_page_size_limit
            does_not_add_an_image_to_an_unknown_product
        );
    };
}

fn later() -> Timestamp {
    Timestamp::from_unix_millis(now().unix_millis() + 60_000)
}

fn unknown_id() -> ProductId {
    UniqueIds.new_id().into()
}

pub async fn returns_a_created_product(store: &impl ProductStore) {
    let mut product = product(3);
    product.description = Some(Description::try_from("Malty.\nStrong.".to_owned()).unwrap());
    store.create(&product).await.unwrap();
    assert_eq!(store.get(product.id).await.unwrap(), Some(product));
}

pub async fn returns_none_for_an_unknown_product(store: &impl ProductStore) {
    assert_eq!(store.get(unknown_id()).await.unwrap(), None);
}

pub async fn looks_up_several_products_at_once(store: &impl ProductStore) {
    let one = product(1);
    let two = product(2);
    store.create(&one).await.unwrap();
    store.create(&two).await.unwrap();
    let found = store.get_many(&[two.id, unknown_id(), one.id]).await.unwrap();
    assert_eq!(found.values().collect::<Vec<_>>(), [&one, &two]);
    assert!(store.get_many(&[]).await.unwrap().is_empty());
}

pub async fn lists_all_products_newest_first_across_pages(store: &impl ProductStore) {
    let mut created = Vec::new();
    for stock in 1..=5 {
        let product = product(stock);
        store.create(&product).await.unwrap();
        created.push(product.id);
    }
    created.reverse();

    let mut listed = Vec::new();
    let mut page = PageRequest { limit: "2".parse().unwrap(), after: None };
    loop {
        let found = store.list(&page).await.unwrap();
        assert!(found.items.len() <= 2);
        listed.extend(found.items.into_iter().map(|product| product.id));
        match found.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    // Other tests may create products in the same table at any time.
    assert!(listed.is_sorted_by(|a, b| a > b));
    let ours: Vec<_> = listed.into_iter().filter(|id| created.contains(id)).collect();
    assert_eq!(ours, created);
}

pub async fn changes_only_the_fields_in_the_patch(store: &impl ProductStore) {
    let before = product(3);
    store.create(&before).await.unwrap();
    let patch = ProductPatch {
        name: Some(ProductName::try_from("Darjeeling".to_owned()).unwrap()),
        stock: Some(Stock::try_from(9).unwrap()),
        ..ProductPatch::default()
    };
    let after = store.update(before.id, &patch, None, later()).await.unwrap();
    assert_eq!(after, patch.apply(before, later()));
    assert_eq!(store.get(after.id).await.unwrap(), Some(after));
}

pub async fn removes_a_description(store: &impl ProductStore) {
    let mut product = product(3);
    product.description = Some(Description::try_from("Malty.".to_owned()).unwrap());
    store.create(&product).await.unwrap();
    let patch = ProductPatch { description: Some(None), ..ProductPatch::default() };
    assert_eq!(store.update(product.id, &patch, None, later()).await.unwrap().description, None);
    assert_eq!(store.get(product.id).await.unwrap().unwrap().description, None);
}

pub async fn rejects_an_update_of_an_outdated_version(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let patch = ProductPatch { stock: Some(Stock::try_from(9).unwrap()), ..ProductPatch::default() };
    let after = store.update(product.id, &patch, Some(Version::FIRST), later()).await.unwrap();
    assert_eq!(after.version, Version::FIRST.next());
    let other = ProductPatch { stock: Some(Stock::try_from(4).unwrap()), ..ProductPatch::default() };
    let stale = store.update(product.id, &other, Some(Version::FIRST), later()).await;
    assert!(matches!(stale, Err(UpdateError::VersionMismatch)));
}

pub async fn does_not_create_a_product_by_an_update(store: &impl ProductStore) {
    let patch = ProductPatch { stock: Some(Stock::try_from(9).unwrap()), ..ProductPatch::default() };
    let id = unknown_id();
    for expected in [None, Some(Version::FIRST)] {
        assert!(matches!(store.update(id, &patch, expected, later()).await, Err(UpdateError::NotFound)));
    }
    assert_eq!(store.get(id).await.unwrap(), None);
}

pub async fn deletes_a_product_once(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    assert!(store.delete(product.id).await.unwrap());
    assert_eq!(store.get(product.id).await.unwrap(), None);
    assert!(!store.delete(product.id).await.unwrap());
}

pub async fn adds_an_image_and_finishes_it_once(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let image = image();
    store.add_image(product.id, &image).await.unwrap();
    assert_eq!(store.get(product.id).await.unwrap().unwrap().images.first(), Some(&image));

    let size = Variant { width: 320, height: 200 };
    let ready = ImageState::Ready { variants: Variants { thumbnail: size, display: size } };
    assert!(store.finish_image(product.id, image.id, &ready, later()).await.unwrap());
    let failed = ImageState::Failed { reason: Reason::from_lossy("late") };
    assert!(!store.finish_image(product.id, image.id, &failed, later()).await.unwrap());

    let found = store.get(product.id).await.unwrap().unwrap();
    assert_eq!(found.images[0].state, ready);
    assert_eq!((found.version.get(), found.updated_at), (3, later()), "each change must increment the version");
}

pub async fn stores_the_reason_of_a_failed_image(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let image = image();
    store.add_image(product.id, &image).await.unwrap();
    let failed = ImageState::Failed { reason: Reason::from_lossy("the file is not an image") };
    assert!(store.finish_image(product.id, image.id, &failed, later()).await.unwrap());
    assert_eq!(store.get(product.id).await.unwrap().unwrap().images[0].state, failed);
}

pub async fn limits_the_number_of_images(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let mut added = Vec::new();
    for _ in 0..MAX_IMAGES {
        let image = image();
        store.add_image(product.id, &image).await.unwrap();
        added.push(image);
    }
    assert!(matches!(store.add_image(product.id, &image()).await, Err(AddImageError::TooMany)));
    assert_eq!(store.get(product.id).await.unwrap().unwrap().images, added, "images must be listed oldest first");
}

pub async fn does_not_add_an_image_to_an_unknown_product(store: &impl ProductStore) {
    let id = unknown_id();
    let image = image();
    assert!(matches!(store.add_image(id, &image).await, Err(AddImageError::NotFound)));
    let failed = ImageState::Failed { reason: Reason::from_lossy("gone") };
    assert!(!store.finish_image(id, image.id, &failed, later()).await.unwrap());
    assert_eq!(store.get(id).await.unwrap(), None);
}

pub async fn replaces_an_abandoned_image_when_full(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let mut added = Vec::new();
    for _ in 0..MAX_IMAGES {
        let image = image();
        store.add_image(product.id, &image).await.unwrap();
        added.push(image.id);
    }
    let failed = ImageState::Failed { reason: Reason::from_lossy("no image") };
    store.finish_image(product.id, added[3], &failed, now()).await.unwrap();

    let new = image();
    store.add_image(product.id, &new).await.unwrap();
    added.remove(3);
    added.push(new.id);
    let ids = async || store.get(product.id).await.unwrap().unwrap().images.iter().map(|image| image.id).collect::<Vec<_>>();
    assert_eq!(ids().await, added, "the new image must replace the failed one");
    assert!(matches!(store.add_image(product.id, &image()).await, Err(AddImageError::TooMany)));

    let much_later = Timestamp::from_unix_millis(now().unix_millis() + 1000 * (UPLOAD_LIFETIME_SECONDS + 1));
    let late = Image { requested_at: much_later, ..image() };
    store.add_image(product.id, &late).await.unwrap();
    added.remove(0);
    added.push(late.id);
    assert_eq!(ids().await, added, "the new image must replace the oldest one without an upload");
}

pub async fn splits_a_listing_that_exceeds_the_page_size_limit(store: &impl ProductStore) {
    // DynamoDB limits a page of a query to 1 MB. A page of 100 of these products would be larger.
    let mut created = Vec::new();
    for _ in 0..95 {
        let mut product = product(1);
        product.description = Some(Description::try_from("茶".repeat(Description::MAX)).unwrap());
        store.create(&product).await.unwrap();
        created.push(product.id);
    }
    let mut page = PageRequest { limit: "100".parse().unwrap(), after: None };
    let mut listed = Vec::new();
    loop {
        let found = store.list(&page).await.unwrap();
        listed.extend(found.items.into_iter().map(|product| product.id));
        match found.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert!(created.iter().all(|id| listed.contains(id)));
}
