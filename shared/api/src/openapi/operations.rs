//! The table of API operations: access, parameters, request body, and all responses.

use ferrite_core::{IdempotencyKey, PageLimit};
use ferrite_domain::{OrderId, ProductId};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{Schemas, header, pascal_case};
use crate::{
    CustomerBody, EmailConfirmationBody, ImageRequestBody, NewProductBody, OrderBody, PageBody, PlaceOrderBody, ProductBody,
    ProductPatchBody, RegistrationBody, UploadBody,
};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

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
const DOCUMENTATION: &str = "Documentation";

pub(super) struct Operation {
    /// The `operationId`: the name of the function, with a suffix after a dot if the function has several operations.
    pub(super) id: &'static str,
    /// HTTP method in lower case, as in the path object.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// One of [`TAGS`].
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) access: Access,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) responses: Vec<SuccessResponse>,
    pub(super) problems: Vec<ProblemResponse>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Anyone,
    Customer,
    Admin,
}

pub(super) struct Parameter {
    /// The name of the component.
    pub(super) component: String,
    /// The parameter object of the document.
    pub(super) object: Value,
}

pub(super) struct Body {
    pub(super) media_types: &'static [&'static str],
    pub(super) schema: Value,
    pub(super) example: Value,
}

/// The response to a successful request.
pub(super) struct SuccessResponse {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) body: Option<(&'static str, Value)>,
    pub(super) headers: Vec<(&'static str, Value)>,
    pub(super) links: Vec<Link>,
}

/// A link to an operation that can follow.
pub(super) struct Link {
    pub(super) name: &'static str,
    pub(super) link: Value,
}

/// A problem that an operation can return. Its `type` is `urn:ferrite:problem:<name>`.
#[derive(Clone, Copy)]
pub(super) struct ProblemResponse {
    pub(super) status: u16,
    pub(super) name: &'static str,
    pub(super) when: &'static str,
}

const fn problem(status: u16, name: &'static str, when: &'static str) -> ProblemResponse {
    ProblemResponse { status, name, when }
}

/// Problems that every operation can return.
const COMMON_PROBLEMS: [ProblemResponse; 4] = [
    problem(429, "throttled", "Too many requests."),
    problem(500, "internal", "An internal error occurred."),
    problem(502, "internal", "An internal error occurred."),
    problem(503, "unavailable", "The service is temporarily unavailable. Retry the request later."),
];
const TOKEN_PROBLEMS: [ProblemResponse; 2] = [
    problem(401, "unauthorized", "The token is missing or invalid."),
    problem(403, "access-denied", "The token is valid but does not grant access to this API."),
];
const MISSING_SCOPE: ProblemResponse = problem(403, "missing-scope", "The token does not have the scope `products:write`.");
const BODY_PROBLEMS: [ProblemResponse; 4] = [
    MALFORMED_REQUEST,
    problem(413, "body-too-large", "The body is larger than 64 KiB."),
    problem(415, "not-json", "The `Content-Type` is not a JSON media type."),
    problem(422, "validation", "The body is invalid. `errors` lists every invalid field."),
];
const MALFORMED_REQUEST: ProblemResponse = problem(
    400,
    "malformed-request",
    "The body is not valid JSON or has a duplicate key, or a parameter or header is invalid.",
);
const NOT_FOUND_PROBLEMS: [ProblemResponse; 2] = [
    problem(404, "not-found", "The resource does not exist or belongs to another customer."),
    problem(404, "no-such-route", "The path does not match any route."),
];
const IDEMPOTENCY_PROBLEMS: [ProblemResponse; 2] = [
    problem(409, "idempotency-key-in-flight", "Another request with this key is in progress."),
    problem(422, "idempotency-key-reused", "The key was already used for a different request."),
];

impl Operation {
    fn new(id: &'static str, method: &'static str, path: &'static str, access: Access) -> Self {
        let mut problems = COMMON_PROBLEMS.to_vec();
        if access != Access::Anyone {
            problems.extend(TOKEN_PROBLEMS);
        }
        if access == Access::Admin {
            problems.push(MISSING_SCOPE);
        }
        let parameters = Vec::new();
        let responses = Vec::new();
        let (tag, summary, description) = ("", "", "");
        Self { id, method, path, tag, summary, description, access, parameters, body: None, responses, problems }
    }

    fn describe(self, tag: &'static str, summary: &'static str, description: &'static str) -> Self {
        Self { tag, summary, description, ..self }
    }

    fn with_product_id(mut self) -> Self {
        self.problems.extend(NOT_FOUND_PROBLEMS);
        self.parameter(
            Parameter::new("productId", "path", true, schema_of::<ProductId>(), "Identifier of the product.")
                .example(PRODUCT),
        )
    }

    fn with_order_id(mut self) -> Self {
        self.problems.extend(NOT_FOUND_PROBLEMS);
        self.parameter(
            Parameter::new("orderId", "path", true, schema_of::<OrderId>(), "Identifier of the order.").example(ORDER),
        )
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    fn body(mut self, media_types: &'static [&'static str], schema: Value, example: Value) -> Self {
        self.problems.extend(BODY_PROBLEMS);
        self.body = Some(Body { media_types, schema, example });
        self
    }

    fn with_idempotency_key(mut self, required: bool) -> Self {
        self.problems.extend(IDEMPOTENCY_PROBLEMS);
        let description =
            "Identifies the request. A retry with the same key within 24 hours returns the response to the first request.";
        let mut key = Parameter::new("Idempotency-Key", "header", required, schema_of::<IdempotencyKey>(), description);
        if !required {
            key.component.insert_str(0, "Optional");
        }
        self.parameter(key)
    }

    fn response(mut self, response: SuccessResponse) -> Self {
        self.responses.push(response);
        self
    }

    fn problems(mut self, problems: impl IntoIterator<Item = ProblemResponse>) -> Self {
        self.problems.extend(problems);
        self
    }
}

impl Parameter {
    fn new(name: &str, place: &str, required: bool, schema: Value, description: &str) -> Self {
        let object = json!({"name": name, "in": place, "required": required, "schema": schema, "description": description});
        Self { component: pascal_case(name), object }
    }

    fn example(mut self, example: &str) -> Self {
        self.object["example"] = example.into();
        self
    }
}

impl SuccessResponse {
    fn new(status: u16, description: &'static str) -> Self {
        Self { status, description, body: None, headers: Vec::new(), links: Vec::new() }
    }

    fn body(mut self, schema: Value) -> Self {
        self.body = Some((JSON, schema));
        self
    }

    fn text(mut self, media_type: &'static str) -> Self {
        self.body = Some((media_type, json!({"type": "string"})));
        self
    }

    fn with_entity_tag(mut self) -> Self {
        let tag = json!({"type": "string", "pattern": "^\"[^\"]+\"$"});
        self.headers.push(("ETag", header("Entity tag of the response, for `If-None-Match` and `If-Match`.", tag, true)));
        self.headers.push(("Cache-Control", header("How the response may be cached.", json!({"type": "string"}), true)));
        self
    }

    fn with_location(mut self, pattern: &str) -> Self {
        let schema = json!({"type": "string", "pattern": pattern});
        self.headers.push(("Location", header("URL of the new resource, relative to the request URL.", schema, true)));
        self
    }

    /// Adds a link to the operation `to`. The value of its `parameter` is at `pointer` in the body of this response.
    fn link(mut self, to: &'static str, parameter: &str, pointer: &str) -> Self {
        let link = json!({"operationId": to, "parameters": {parameter: format!("$response.body#{pointer}")}});
        self.links.push(Link { name: to, link });
        self
    }
}

fn schema_of<T: JsonSchema>() -> Value {
    T::json_schema(&mut schemars::SchemaGenerator::default()).to_value()
}

fn paginated(operation: Operation) -> Operation {
    let limit = Parameter::new("limit", "query", false, schema_of::<PageLimit>(), "Maximum number of items to return.");
    let opaque = json!({"type": "string", "minLength": 1});
    let cursor = Parameter::new("cursor", "query", false, opaque, "The `nextCursor` of the previous page.");
    operation.parameter(limit).parameter(cursor).problems([MALFORMED_REQUEST])
}

fn conditional(operation: Operation) -> Operation {
    let description = "Entity tags of the versions that the client has cached (RFC 9110, section 13.1.2).";
    operation
        .parameter(Parameter::new("If-None-Match", "header", false, json!({"type": "string"}), description))
        .response(SuccessResponse::new(304, "The client has the current version.").with_entity_tag())
        .problems([MALFORMED_REQUEST])
}

/// Returns all operations.
pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut all = product_operations(schemas);
    all.extend(customer_operations(schemas));
    all.extend(document_operations());
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
    created.links.push(Link { name: "place-order", link: json!({"operationId": "place-order", "requestBody": line}) });
    vec![
        Operation::new("create-product", "post", "/products", Access::Admin)
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
            ).with_product_id(),
        )
        .response(SuccessResponse::new(200, "The product.").body(product.clone()).with_entity_tag()),
        Operation::new(
            "update-product",
            "patch",
            "/products/{productId}",
            Access::Admin,
        )
        .describe(
            PRODUCTS,
            "Update fields of a product",
            "Changes the fields in the body and leaves the others unchanged (RFC 7396). Send the `ETag` of the product in `If-Match` so that you do not overwrite the change of another client.",
        )
        .with_product_id()
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
        Operation::new("delete-product", "delete", "/products/{productId}", Access::Admin)
            .describe(
                PRODUCTS,
                "Delete a product",
                "Removes the product from the catalog. Orders that contain it are not changed.",
            )
            .with_product_id()
            .response(SuccessResponse::new(204, "The product was deleted.")),
        Operation::new(
            "request-image-upload",
            "post",
            "/products/{productId}/images",
            Access::Admin,
        )
        .describe(
            PRODUCTS,
            "Request an image upload",
            "Returns a URL and headers with which to upload a JPEG, PNG, or WebP file. After the upload, the image is processed, and its `state` changes from `pending` to `ready` or `failed`.",
        )
        .with_product_id()
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
        Operation::new("register-customer", "put", "/me", Access::Customer)
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
        Operation::new("get-customer", "get", "/me", Access::Customer)
            .describe(
                PROFILE,
                "Get your profile",
                "Returns your name and e-mail address. `emailStatus` states whether e-mail is sent to the address. Returns 404 if you have not registered.",
            )
            .problems(NOT_FOUND_PROBLEMS)
            .response(SuccessResponse::new(200, "The profile.").body(customer.clone())),
        Operation::new("confirm-address", "post", "/me/email-confirmation", Access::Customer)
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
        Operation::new("place-order", "post", "/orders", Access::Customer)
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
        paginated(Operation::new("list-orders", "get", "/orders", Access::Customer).describe(
                ORDERS,
                "List your orders",
                "Returns your orders, newest first. If there are more, the page has a `nextCursor` for the next request.",
            ))
            .response(SuccessResponse::new(200, "One page of orders.").body(schemas.written::<PageBody<OrderBody>>()).link(
                "get-order",
                "orderId",
                "/items/0/id",
            )),
        Operation::new("get-order", "get", "/orders/{orderId}", Access::Customer)
            .describe(
                ORDERS,
                "Get one of your orders",
                "Returns the order with its current status. An order of another customer is not found.",
            )
            .with_order_id()
            .response(SuccessResponse::new(200, "The order.").body(order.clone())),
        Operation::new("cancel-order", "post", "/orders/{orderId}/cancel", Access::Customer)
            .describe(
                ORDERS,
                "Cancel a pending order",
                "Cancels the order and returns its stock. Only a pending order can be cancelled. Cancelling it again has no effect.",
            )
            .with_order_id()
            .response(SuccessResponse::new(200, "The order is cancelled, by this request or an earlier one.").body(order))
            .problems([problem(409, "wrong-state", "The order is no longer pending.")]),
    ]
}

fn document_operations() -> Vec<Operation> {
    vec![
        conditional(Operation::new("describe-api", "get", "/openapi.json", Access::Anyone).describe(
            DOCUMENTATION,
            "Get this document",
            "Returns this OpenAPI document, from which you can generate a client.",
        ))
        .response(SuccessResponse::new(200, "The OpenAPI document.").body(json!({"type": "object"})).with_entity_tag()),
        conditional(Operation::new("describe-api.page", "get", "/docs", Access::Anyone).describe(
            DOCUMENTATION,
            "Get this document as an HTML page",
            "Returns the documentation of the API as a page without scripts.",
        ))
        .response(SuccessResponse::new(200, "The HTML page.").text("text/html").with_entity_tag()),
    ]
}
