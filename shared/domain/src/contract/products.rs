//! The store of products and their images.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
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

/// Everything that the functions do with products.
pub trait ProductStore:
    CreateProduct + GetProduct + GetProducts + ListProducts + UpdateProduct + DeleteProduct + AddImage + FinishImage
{
}

impl<S> ProductStore for S where
    S: CreateProduct + GetProduct + GetProducts + ListProducts + UpdateProduct + DeleteProduct + AddImage + FinishImage
{
}

/// Tests of a [`ProductStore`].
#[macro_export]
macro_rules! product_store_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!(
            $crate::contract::products, $open,
            a_product_reads_back_as_it_was_created
            what_was_never_created_is_not_found
            several_are_looked_up_at_once
            the_list_is_newest_first_and_its_pages_join
            a_patch_changes_what_it_names_and_nothing_else
            a_description_can_be_taken_away
            an_expected_version_guards_against_a_lost_update
            what_does_not_exist_is_not_updated_into_being
            what_was_deleted_is_gone
            an_image_is_added_once_and_finished_once
            an_image_can_fail_with_its_reason
            the_images_of_a_product_are_bounded
            an_abandoned_image_makes_room_for_a_new_one
            a_page_that_would_be_too_large_goes_on_in_the_next
            no_image_without_its_product
        );
    };
}

fn later() -> Timestamp {
    Timestamp::from_unix_millis(now().unix_millis() + 60_000)
}

fn unknown() -> ProductId {
    UniqueIds.new_id().into()
}

pub async fn a_product_reads_back_as_it_was_created(store: &impl ProductStore) {
    let mut product = product(3);
    product.description = Some(Description::try_from("Malty.\nStrong.".to_owned()).unwrap());
    store.create(&product).await.unwrap();
    assert_eq!(store.get(product.id).await.unwrap(), Some(product));
}

pub async fn what_was_never_created_is_not_found(store: &impl ProductStore) {
    assert_eq!(store.get(unknown()).await.unwrap(), None);
}

pub async fn several_are_looked_up_at_once(store: &impl ProductStore) {
    let (one, two) = (product(1), product(2));
    store.create(&one).await.unwrap();
    store.create(&two).await.unwrap();
    let found = store.get_many(&[two.id, unknown(), one.id]).await.unwrap();
    assert_eq!(found.values().collect::<Vec<_>>(), [&one, &two]);
    assert!(store.get_many(&[]).await.unwrap().is_empty());
}

pub async fn the_list_is_newest_first_and_its_pages_join(store: &impl ProductStore) {
    let mut made = Vec::new();
    for stock in 1..=5 {
        let product = product(stock);
        store.create(&product).await.unwrap();
        made.push(product.id);
    }
    made.reverse();

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
    // Other tests may have made products before, after and in between.
    assert!(listed.is_sorted_by(|a, b| a > b));
    let ours: Vec<_> = listed.into_iter().filter(|id| made.contains(id)).collect();
    assert_eq!(ours, made);
}

pub async fn a_patch_changes_what_it_names_and_nothing_else(store: &impl ProductStore) {
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

pub async fn a_description_can_be_taken_away(store: &impl ProductStore) {
    let mut product = product(3);
    product.description = Some(Description::try_from("Malty.".to_owned()).unwrap());
    store.create(&product).await.unwrap();
    let patch = ProductPatch { description: Some(None), ..ProductPatch::default() };
    assert_eq!(store.update(product.id, &patch, None, later()).await.unwrap().description, None);
    assert_eq!(store.get(product.id).await.unwrap().unwrap().description, None);
}

pub async fn an_expected_version_guards_against_a_lost_update(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let patch = ProductPatch { stock: Some(Stock::try_from(9).unwrap()), ..ProductPatch::default() };
    let after = store.update(product.id, &patch, Some(Version::FIRST), later()).await.unwrap();
    assert_eq!(after.version, Version::FIRST.next());
    let other = ProductPatch { stock: Some(Stock::try_from(4).unwrap()), ..ProductPatch::default() };
    let stale = store.update(product.id, &other, Some(Version::FIRST), later()).await;
    assert!(matches!(stale, Err(UpdateError::VersionMismatch)));
}

pub async fn what_does_not_exist_is_not_updated_into_being(store: &impl ProductStore) {
    let patch = ProductPatch { stock: Some(Stock::try_from(9).unwrap()), ..ProductPatch::default() };
    let id = unknown();
    for expected in [None, Some(Version::FIRST)] {
        assert!(matches!(store.update(id, &patch, expected, later()).await, Err(UpdateError::NotFound)));
    }
    assert_eq!(store.get(id).await.unwrap(), None);
}

pub async fn what_was_deleted_is_gone(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    assert!(store.delete(product.id).await.unwrap());
    assert_eq!(store.get(product.id).await.unwrap(), None);
    assert!(!store.delete(product.id).await.unwrap());
}

pub async fn an_image_is_added_once_and_finished_once(store: &impl ProductStore) {
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
    assert_eq!((found.version.get(), found.updated_at), (3, later()), "each change counts as one");
}

pub async fn an_image_can_fail_with_its_reason(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let image = image();
    store.add_image(product.id, &image).await.unwrap();
    let failed = ImageState::Failed { reason: Reason::from_lossy("the file is not an image") };
    assert!(store.finish_image(product.id, image.id, &failed, later()).await.unwrap());
    assert_eq!(store.get(product.id).await.unwrap().unwrap().images[0].state, failed);
}

pub async fn the_images_of_a_product_are_bounded(store: &impl ProductStore) {
    let product = product(3);
    store.create(&product).await.unwrap();
    let mut added = Vec::new();
    for _ in 0..MAX_IMAGES {
        let image = image();
        store.add_image(product.id, &image).await.unwrap();
        added.push(image);
    }
    assert!(matches!(store.add_image(product.id, &image()).await, Err(AddImageError::TooMany)));
    assert_eq!(store.get(product.id).await.unwrap().unwrap().images, added, "oldest first");
}

pub async fn no_image_without_its_product(store: &impl ProductStore) {
    let (id, image) = (unknown(), image());
    assert!(matches!(store.add_image(id, &image).await, Err(AddImageError::NotFound)));
    let failed = ImageState::Failed { reason: Reason::from_lossy("gone") };
    assert!(!store.finish_image(id, image.id, &failed, later()).await.unwrap());
    assert_eq!(store.get(id).await.unwrap(), None);
}

pub async fn an_abandoned_image_makes_room_for_a_new_one(store: &impl ProductStore) {
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
    assert_eq!(ids().await, added, "in place of the failed one");
    assert!(matches!(store.add_image(product.id, &image()).await, Err(AddImageError::TooMany)));

    let much_later = Timestamp::from_unix_millis(now().unix_millis() + 1000 * (UPLOAD_LIFETIME_SECONDS + 1));
    let late = Image { requested_at: much_later, ..image() };
    store.add_image(product.id, &late).await.unwrap();
    added.remove(0);
    added.push(late.id);
    assert_eq!(ids().await, added, "in place of the oldest whose upload never came");
}

pub async fn a_page_that_would_be_too_large_goes_on_in_the_next(store: &impl ProductStore) {
    // DynamoDB ends a page at 1 MB, which 100 of these are past.
    let mut made = Vec::new();
    for _ in 0..95 {
        let mut product = product(1);
        product.description = Some(Description::try_from("茶".repeat(Description::MAX)).unwrap());
        store.create(&product).await.unwrap();
        made.push(product.id);
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
    assert!(made.iter().all(|id| listed.contains(id)));
}
