//! The table of API operations: access, parameters, request body, and all responses.

use ferrite_domain::{OrderId, ProductId};
use ferrite_openapi::{
    Access, DOCUMENTATION, JSON, MERGE_PATCH, NOT_FOUND_PROBLEMS, Operation, Parameter, Schemas, SuccessResponse,
    conditional, documentation, paginated, problem, schema_of,
};
use serde_json::json;

use crate::{
    CustomerBody, EmailConfirmationBody, ImageRequestBody, NewProductBody, OrderBody, PRODUCTS_WRITE, PageBody,
    PlaceOrderBody, ProductBody, ProductPatchBody, RegistrationBody, UploadBody,
};

const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";
const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

/// The tags, each with its description. An operation has one of them.
pub(super) const TAGS: [(&str, &str); 4] = [
    (PRODUCTS, "The catalog: products with prices, stock, and images. Everybody can read it, and admins maintain it."),
    (PROFILE, "The profile of the customer that the token identifies."),
    (ORDERS, "The orders of the customer that the token identifies."),
    (DOCUMENTATION, "This document."),
];

const PRODUCTS: &str = "Products";
const PROFILE: &str = "Profile";
const ORDERS: &str = "Orders";

fn product_id() -> Parameter {
    Parameter::new("productId", "path", true, schema_of::<ProductId>(), "Identifier of the product.").example(PRODUCT)
}

fn order_id() -> Parameter {
    Parameter::new("orderId", "path", true, schema_of::<OrderId>(), "Identifier of the order.").example(ORDER)
}

/// Returns all operations.
pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut all = product_operations(schemas);
    all.extend(customer_operations(schemas));
    all.extend(documentation());
    all
}

fn product_operations(schemas: &mut Schemas) -> Vec<Operation> {
    let price = json!({"amount": 1250, "currency": "EUR"});
    let product = schemas.written::<ProductBody>();
    let location = "^products/prd_[0-9a-f]{32}$";
    let line = json!({"lines": [{"productId": "$response.body#/id", "quantity": 1}], "paymentToken": "tok_success"});
    let mut created = SuccessResponse::new(201, "The product was created.")
        .body(product.clone())
        .with_entity_tag()
        .with_location(location);
    for operation in ["get-product", "update-product", "delete-product", "request-image-upload"] {
        created = created.link(operation, "productId", "/id");
    }
    created = created.link_with_body("place-order", line);
    vec![
        Operation::new("create-product", "post", "/products", Access::Scope(PRODUCTS_WRITE))
            .describe(
                PRODUCTS,
                "Create a product",
                "Adds a product to the catalog. Upload its images afterwards. With an `Idempotency-Key`, a repeated request does not create a second product.",
            )
            .body(
                &[JSON],
                schemas.read::<NewProductBody>(),
                json!({"name": "Assam", "description": "Second flush.\nMalty.", "price": price, "stock": 40}),
            )
            .with_idempotency_key(false)
            .response(created),
        paginated(Operation::new("list-products", "get", "/products", Access::Anyone).describe(
            PRODUCTS,
            "List products",
            "Returns the products of the catalog, newest first. If there are more, the page has a `nextCursor` for the next request.",
        )).response(
            SuccessResponse::new(200, "One page of products.").body(schemas.written::<PageBody<ProductBody>>()).link(
                "get-product",
                "productId",
                "/items/0/id",
            ),
        ),
        conditional(
            Operation::new("get-product", "get", "/products/{productId}", Access::Anyone).describe(
                PRODUCTS,
                "Get a product",
                "Returns the product with links to its images. The links expire, so request the product again instead of storing them.",
            ).identified_by(product_id()),
        )
        .response(SuccessResponse::new(200, "The product.").body(product.clone()).with_entity_tag()),
        Operation::new(
            "update-product",
            "patch",
            "/products/{productId}",
            Access::Scope(PRODUCTS_WRITE),
        )
        .describe(
            PRODUCTS,
            "Update fields of a product",
            "Changes the fields in the body and leaves the others unchanged (RFC 7396). Send the `ETag` of the product in `If-Match` so that you do not overwrite the change of another client.",
        )
        .identified_by(product_id())
        .parameter(Parameter::new(
            "If-Match",
            "header",
            false,
            json!({"type": "string", "pattern": r#"^(\*|"(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})")$"#}),
            "Entity tag of the product that the client read. The update fails if it has changed (RFC 9110, section 13.1.1).",
        ))
        .body(&[JSON, MERGE_PATCH], schemas.read::<ProductPatchBody>(), json!({"description": null, "stock": 39}))
        .response(SuccessResponse::new(200, "The updated product.").body(product).with_entity_tag())
        .problems([problem(412, "precondition-failed", "The product has changed since the client read it.")]),
        Operation::new("delete-product", "delete", "/products/{productId}", Access::Scope(PRODUCTS_WRITE))
            .describe(
                PRODUCTS,
                "Delete a product",
                "Removes the product from the catalog. Orders that contain it are not changed.",
            )
            .identified_by(product_id())
            .response(SuccessResponse::new(204, "The product was deleted.")),
        Operation::new(
            "request-image-upload",
            "post",
            "/products/{productId}/images",
            Access::Scope(PRODUCTS_WRITE),
        )
        .describe(
            PRODUCTS,
            "Request an image upload",
            "Returns a URL and headers with which to upload a JPEG, PNG, or WebP file. After the upload, the image is processed, and its `state` changes from `pending` to `ready` or `failed`.",
        )
        .identified_by(product_id())
        .body(&[JSON], schemas.read::<ImageRequestBody>(), json!({"contentType": "image/jpeg", "sizeBytes": 123_456}))
        .response(
            SuccessResponse::new(201, "How to upload the file. Valid for 15 minutes and only for this media type and size.")
                .body(schemas.written::<UploadBody>()),
        )
        .problems([problem(409, "too-many-images", "The product already has the maximum number of images.")]),
    ]
}

fn customer_operations(schemas: &mut Schemas) -> Vec<Operation> {
    let order = schemas.written::<OrderBody>();
    let customer = schemas.written::<CustomerBody>();
    let example = json!({"lines": [{"productId": PRODUCT, "quantity": 2}], "paymentToken": "tok_success"});
    vec![
        Operation::new("register-customer", "put", "/me", Access::User)
            .describe(
                PROFILE,
                "Register or update your profile",
                "Saves your name and e-mail address. A new address receives an e-mail with a token to confirm it, and messages about your orders only after that. Repeating the request changes nothing, but sends the token again if the address is still unconfirmed after five minutes.",
            )
            .body(&[JSON], schemas.read::<RegistrationBody>(), json!({"email": "ada@example.com", "name": "Ada"}))
            .response(SuccessResponse::new(201, "The customer was registered.").body(customer.clone()))
            .response(
                SuccessResponse::new(200, "The customer was already registered; this is the current profile.")
                    .body(customer.clone()),
            ),
        Operation::new("get-customer", "get", "/me", Access::User)
            .describe(
                PROFILE,
                "Get your profile",
                "Returns your name and e-mail address. `emailStatus` states whether e-mail is sent to the address. Returns 404 if you have not registered.",
            )
            .problems(NOT_FOUND_PROBLEMS)
            .response(SuccessResponse::new(200, "The profile.").body(customer.clone())),
        Operation::new("confirm-address", "post", "/me/email-confirmation", Access::User)
            .describe(
                PROFILE,
                "Confirm your e-mail address",
                "Takes the token from the latest e-mail that asked you to confirm the address. The token is valid for 24 hours. To receive it again, register with the same address again.",
            )
            .body(&[JSON], schemas.read::<EmailConfirmationBody>(), json!({"token": "0f8fad5bd9cb469fa16570867728950e"}))
            .problems(NOT_FOUND_PROBLEMS)
            .response(
                SuccessResponse::new(200, "The address is confirmed, by this request or an earlier one.").body(customer),
            ),
        Operation::new("place-order", "post", "/orders", Access::User)
            .describe(
                ORDERS,
                "Place an order",
                "Reserves the stock and creates the order with the status `pending`. The payment is taken afterwards: read the order until its status is `paid` or `payment_failed`.",
            )
            .body(&[JSON], schemas.read::<PlaceOrderBody>(), example)
            .with_idempotency_key(true)
            .response(
                SuccessResponse::new(202, "The order was placed and its stock is reserved. The payment is pending.")
                    .body(order.clone())
                    .with_location("^orders/ord_[0-9a-f]{32}$")
                    .link("get-order", "orderId", "/id")
                    .link("cancel-order", "orderId", "/id"),
            )
            .problems([problem(409, "out-of-stock", "There is not enough stock.")]),
        paginated(Operation::new("list-orders", "get", "/orders", Access::User).describe(
                ORDERS,
                "List your orders",
                "Returns your orders, newest first. If there are more, the page has a `nextCursor` for the next request.",
            ))
            .response(SuccessResponse::new(200, "One page of orders.").body(schemas.written::<PageBody<OrderBody>>()).link(
                "get-order",
                "orderId",
                "/items/0/id",
            )),
        Operation::new("get-order", "get", "/orders/{orderId}", Access::User)
            .describe(
                ORDERS,
                "Get one of your orders",
                "Returns the order with its current status. An order of another customer is not found.",
            )
            .identified_by(order_id())
            .response(SuccessResponse::new(200, "The order.").body(order.clone())),
        Operation::new("cancel-order", "post", "/orders/{orderId}/cancel", Access::User)
            .describe(
                ORDERS,
                "Cancel a pending order",
                "Cancels the order and returns its stock. Only a pending order can be cancelled. Cancelling it again has no effect.",
            )
            .identified_by(order_id())
            .response(SuccessResponse::new(200, "The order is cancelled, by this request or an earlier one.").body(order))
            .problems([problem(409, "wrong-state", "The order is no longer pending.")]),
    ]
}
