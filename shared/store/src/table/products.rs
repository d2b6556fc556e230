//! Storage of products and their images.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure};
use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, Version};
use ferrite_domain::ports::{
    AddImage, AddImageError, CreateProduct, DeleteProduct, FinishImage, GetProduct, GetProducts, ListProducts, UpdateError,
    UpdateProduct,
};
use ferrite_domain::{Image, ImageId, ImageState, MAX_IMAGES, Product, ProductId, ProductPatch};

use super::keys::{number, string};
use super::{Table, keys, product_item};

impl CreateProduct for Table {
    async fn create(&self, product: &Product) -> Result<(), PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(product_item::write(product)?))
            .condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => Ok(()),
            // The identifier is new, so the existing item was written by an earlier attempt whose response was lost.
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            Err(error) => Err(PortError::during("PutItem")(error)),
        }
    }
}

impl GetProduct for Table {
    async fn get(&self, id: ProductId) -> Result<Option<Product>, PortError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(keys::product(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(PortError::during("GetItem"))?;
        found.item.map(product_item::read).transpose()
    }
}

impl GetProducts for Table {
    async fn get_many(&self, ids: &[ProductId]) -> Result<BTreeMap<ProductId, Product>, PortError> {
        let mut found = BTreeMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(ids.iter().map(|id| keys::product(*id)).collect()))
            .consistent_read(true)
            .build()
            .map_err(PortError::during("BatchGetItem"))?;
        let response = self
            .client
            .batch_get_item()
            .request_items(&self.name, wanted)
            .send()
            .await
            .map_err(PortError::during("BatchGetItem"))?;
        // An order has at most 50 lines, and a product item has a few kilobytes. That is far below the limits of 100
        // items and 16 MB per call, so unprocessed keys mean that DynamoDB is throttling.
        if response.unprocessed_keys().is_some_and(|keys| !keys.is_empty()) {
            return Err(PortError::new("BatchGetItem", "DynamoDB returned unprocessed keys"));
        }
        for item in response.responses.into_iter().flat_map(HashMap::into_values).flatten() {
            let product = product_item::read(item)?;
            found.insert(product.id, product);
        }
        Ok(found)
    }
}

impl ListProducts for Table {
    async fn list(&self, page: &PageRequest<ProductId>) -> Result<Page<Product, ProductId>, PortError> {
        let response = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(keys::LIST_INDEX)
            .key_condition_expression("gsi1pk = :all")
            .expression_attribute_values(":all", string(keys::ALL_PRODUCTS))
            .scan_index_forward(false)
            .limit(page.limit.get() as i32 + 1)
            .set_exclusive_start_key(page.after.as_ref().map(|cursor| keys::product_list_key(*cursor.last())))
            .send()
            .await
            .map_err(PortError::during("Query"))?;
        // A DynamoDB page ends after 1 MB, even if it has fewer entries than requested.
        let cut_short = response.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let found: Vec<Product> =
            response.items.unwrap_or_default().into_iter().map(product_item::read).collect::<Result<_, _>>()?;
        Ok(Page::from_results(found, page.limit, cut_short, |product| product.id))
    }
}

impl UpdateProduct for Table {
    async fn update(
        &self,
        id: ProductId,
        patch: &ProductPatch,
        expected: Option<Version>,
        now: Timestamp,
    ) -> Result<Product, UpdateError> {
        let mut set = vec!["#version = #version + :one", "updatedAt = :now"];
        let mut remove = None;
        let mut values: Vec<(&str, AttributeValue)> = Vec::new();
        let mut names: Vec<(&str, &str)> = Vec::new();
        if let Some(name) = &patch.name {
            set.push("#name = :name");
            names.push(("#name", "name"));
            values.push((":name", string(name)));
        }
        match &patch.description {
            Some(Some(description)) => {
                set.push("description = :description");
                values.push((":description", string(description)));
            }
            Some(None) => remove = Some("description"),
            None => {}
        }
        if let Some(price) = &patch.price {
            set.push("price = :price");
            let price = serde_dynamo::to_attribute_value(price).map_err(PortError::during("UpdateItem"))?;
            values.push((":price", price));
        }
        if let Some(stock) = &patch.stock {
            set.push("stock = :stock");
            values.push((":stock", number(stock.get())));
        }
        let mut condition = "attribute_exists(pk)".to_owned();
        if let Some(expected) = expected {
            condition.push_str(" AND #version = :expected");
            values.push((":expected", number(expected.get())));
        }
        let mut expression = format!("SET {}", set.join(", "));
        if let Some(attribute) = remove {
            expression.push_str(&format!(" REMOVE {attribute}"));
        }

        let mut update = self
            .change_product(id, now)
            .update_expression(expression)
            .condition_expression(condition)
            .return_values(ReturnValue::AllNew);
        for (name, attribute) in names {
            update = update.expression_attribute_names(name, attribute);
        }
        for (name, value) in values {
            update = update.expression_attribute_values(name, value);
        }
        match update.send().await {
            Ok(response) => Ok(product_item::read(response.attributes.unwrap_or_default())?),
            Err(error) => Err(match failed_condition_item(&error) {
                Some(Some(item)) => {
                    let found = product_item::read(item.clone())?;
                    // The SDK retries an update whose response was lost. The retry then finds the result of the first
                    // attempt.
                    let updated = Product { version: found.version, ..patch.apply(found.clone(), now) };
                    if expected.is_some_and(|before| before.next() == found.version) && updated == found {
                        return Ok(found);
                    }
                    UpdateError::VersionMismatch
                }
                Some(None) => UpdateError::NotFound,
                None => PortError::during("UpdateItem")(error).into(),
            }),
        }
    }
}

impl DeleteProduct for Table {
    async fn delete(&self, id: ProductId) -> Result<bool, PortError> {
        let response = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(keys::product(id)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(PortError::during("DeleteItem"))?;
        Ok(response.attributes.is_some_and(|old| !old.is_empty()))
    }
}

impl AddImage for Table {
    async fn add_image(&self, product: ProductId, image: &Image) -> Result<(), AddImageError> {
        let update = self
            .put_image(product, image)?
            .update_expression("SET images.#image = :image, #version = #version + :one, updatedAt = :now")
            .condition_expression("attribute_exists(pk) AND size(images) < :max")
            .expression_attribute_values(":max", number(MAX_IMAGES));
        let Err(error) = update.send().await else { return Ok(()) };
        let found = match failed_condition_item(&error) {
            Some(Some(item)) => product_item::read(item.clone())?,
            Some(None) => return Err(AddImageError::NotFound),
            None => return Err(PortError::during("UpdateItem")(error).into()),
        };
        // The SDK retries an update whose response was lost. The retry then finds the image that the first attempt
        // added.
        if found.images.iter().any(|known| known.id == image.id) {
            return Ok(());
        }
        let abandoned = found.images.iter().find(|old| old.is_abandoned(image.requested_at));
        self.replace_image(product, abandoned.ok_or(AddImageError::TooMany)?, image).await
    }
}

impl FinishImage for Table {
    async fn finish_image(
        &self,
        product: ProductId,
        image: ImageId,
        state: &ImageState,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let fields: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(state).map_err(PortError::during("UpdateItem"))?;
        let mut update = self
            .change_product(product, now)
            .condition_expression("images.#image.#state = :pending")
            .expression_attribute_names("#image", image.to_string())
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", string("pending"));
        let mut expression = "SET #version = #version + :one, updatedAt = :now".to_owned();
        for (field, value) in fields {
            expression.push_str(&format!(", images.#image.#{field} = :{field}"));
            update = update
                .expression_attribute_names(format!("#{field}"), &field)
                .expression_attribute_values(format!(":{field}"), value);
        }
        match update.update_expression(expression).send().await {
            Ok(_) => Ok(true),
            Err(error) if failed_condition_item(&error).is_some() => Ok(false),
            Err(error) => Err(PortError::during("UpdateItem")(error)),
        }
    }
}

impl Table {
    /// Replaces an abandoned image with a new one.
    async fn replace_image(&self, product: ProductId, old: &Image, new: &Image) -> Result<(), AddImageError> {
        let update = self
            .put_image(product, new)?
            .update_expression("SET images.#image = :image, #version = #version + :one, updatedAt = :now REMOVE images.#old")
            // The old image may have become ready or may have been replaced in the meantime.
            .condition_expression("images.#old.#state <> :ready AND attribute_exists(images.#old)")
            .expression_attribute_names("#old", old.id.to_string())
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":ready", string("ready"));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if failed_condition_item(&error).is_some() => Err(AddImageError::TooMany),
            Err(error) => Err(PortError::during("UpdateItem")(error).into()),
        }
    }

    fn put_image(&self, product: ProductId, image: &Image) -> Result<UpdateItemFluentBuilder, PortError> {
        let value = serde_dynamo::to_attribute_value(image).map_err(PortError::during("UpdateItem"))?;
        Ok(self
            .change_product(product, image.requested_at)
            .expression_attribute_names("#image", image.id.to_string())
            .expression_attribute_values(":image", value))
    }

    /// Starts an update of a product. The update expression of the caller must increment `#version` and set
    /// `updatedAt`.
    fn change_product(&self, id: ProductId, now: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::product(id)))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", string(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// Returns the item for which the condition failed: `None` if the error has another cause, `Some(None)` if there is no
/// item.
fn failed_condition_item<R>(error: &SdkError<UpdateItemError, R>) -> Option<Option<&HashMap<String, AttributeValue>>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
            Some(failure.item().filter(|item| !item.is_empty()))
        }
        _ => None,
    }
}
