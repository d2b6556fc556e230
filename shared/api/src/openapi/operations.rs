//! Every operation: who may call it, what it takes, and everything that it answers.

use ferrite_core::{IdempotencyKey, PageLimit};
use ferrite_domain::{OrderId, ProductId};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{Schemas, header};
use crate::{
    CustomerBody, ImageRequestBody, NewProductBody, OrderBody, PageBody, PlaceOrderBody, ProductBody, ProductPatchBody,
    RegistrationBody, UploadBody,
};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";
const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";

pub(super) struct Operation {
    /// The function that carries it out; behind a point, what it answers with, where a function has several operations.
    pub(super) id: &'static str,
    /// As a key of a path: in lower case.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<Refusal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Anyone,
    Customer,
    Admin,
}

/// A parameter as the document has it.
pub(super) struct Parameter(pub(super) Value);

pub(super) struct Body {
    pub(super) media_types: &'static [&'static str],
    pub(super) schema: Value,
    pub(super) example: Value,
}

/// An answer to a request that was carried out.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) body: Option<(&'static str, Value)>,
    pub(super) headers: Vec<(&'static str, Value)>,
    pub(super) links: Vec<Link>,
}

/// What can be done next.
pub(super) struct Link {
    pub(super) name: &'static str,
    pub(super) link: Value,
}

/// A problem that an operation is refused with: `urn:ferrite:problem:<name>`.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) name: &'static str,
    pub(super) when: &'static str,
}

const fn refusal(status: u16, name: &'static str, when: &'static str) -> Refusal {
    Refusal { status, name, when }
}

/// What anybody can meet at any operation.
const ANYWHERE: [Refusal; 4] = [
    refusal(429, "throttled", "There are too many requests."),
    refusal(500, "internal", "Something went wrong on our side."),
    refusal(502, "internal", "Something went wrong on our side."),
    refusal(503, "unavailable", "What the operation depends on does not answer; the same request may succeed in a moment."),
];
const WITH_TOKEN: [Refusal; 2] = [
    refusal(401, "unauthorized", "There is no token, or none that is good."),
    refusal(403, "access-denied", "The token is good and does not open this API."),
];
const AS_ADMIN: Refusal = refusal(403, "missing-scope", "The token does not have the scope `products:write`.");
const WITH_BODY: [Refusal; 4] = [
    refusal(400, "malformed-request", "The body is not JSON, or a parameter or header cannot be used."),
    refusal(413, "body-too-large", "The body has more than 64 KiB."),
    refusal(415, "not-json", "The body is not JSON by its `Content-Type`."),
    refusal(422, "validation", "The body is not valid; `errors` names every field at fault."),
];
const MALFORMED: Refusal = refusal(400, "malformed-request", "A parameter or header cannot be used.");
const BY_ID: [Refusal; 2] = [
    refusal(404, "not-found", "It is not there, or it is another customer's."),
    refusal(404, "no-such-route", "There is nothing at this path."),
];
const KEYED: [Refusal; 2] = [
    refusal(409, "idempotency-key-in-flight", "A request with this key is being carried out."),
    refusal(422, "idempotency-key-reused", "The key was used for another request."),
];

impl Operation {
    fn new(id: &'static str, method: &'static str, path: &'static str, summary: &'static str, access: Access) -> Self {
        let mut refusals = ANYWHERE.to_vec();
        if access != Access::Anyone {
            refusals.extend(WITH_TOKEN);
        }
        if access == Access::Admin {
            refusals.push(AS_ADMIN);
        }
        let (parameters, answers) = (Vec::new(), Vec::new());
        Self { id, method, path, summary, access, parameters, body: None, answers, refusals }
    }

    fn of_product(mut self) -> Self {
        self.refusals.extend(BY_ID);
        self.takes(Parameter::new("productId", "path", true, schema_of::<ProductId>(), "The product.").example(PRODUCT))
    }

    fn of_order(mut self) -> Self {
        self.refusals.extend(BY_ID);
        self.takes(Parameter::new("orderId", "path", true, schema_of::<OrderId>(), "The order.").example(ORDER))
    }

    fn takes(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    fn reads(mut self, media_types: &'static [&'static str], schema: Value, example: Value) -> Self {
        self.refusals.extend(WITH_BODY);
        self.body = Some(Body { media_types, schema, example });
        self
    }

    fn once(mut self, required: bool) -> Self {
        self.refusals.extend(KEYED);
        let what = "Names the request: sent again within 24 hours, it is answered with what the first one was answered.";
        self.takes(Parameter::new("Idempotency-Key", "header", required, schema_of::<IdempotencyKey>(), what))
    }

    fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    fn refuses(mut self, refusals: impl IntoIterator<Item = Refusal>) -> Self {
        self.refusals.extend(refusals);
        self
    }
}

impl Parameter {
    fn new(name: &str, place: &str, required: bool, schema: Value, description: &str) -> Self {
        Self(json!({"name": name, "in": place, "required": required, "schema": schema, "description": description}))
    }

    fn example(mut self, example: &str) -> Self {
        self.0["example"] = example.into();
        self
    }
}

impl Answer {
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

    fn tagged(mut self) -> Self {
        let tag = json!({"type": "string", "pattern": "^\"[^\"]+\"$"});
        self.headers.push(("ETag", header("Its entity tag, for `If-None-Match` and `If-Match`.", tag, true)));
        self.headers.push((
            "Cache-Control",
            header("For how long it may be shown without asking.", json!({"type": "string"}), true),
        ));
        self
    }

    fn located(mut self, pattern: &str) -> Self {
        let schema = json!({"type": "string", "pattern": pattern});
        self.headers.push(("Location", header("Where it is, relative to the request's URL.", schema, true)));
        self
    }

    /// `parameter` of the operation `to` is what stands at `pointer` in this answer.
    fn leads_to(mut self, to: &'static str, parameter: &str, pointer: &str) -> Self {
        let link = json!({"operationId": to, "parameters": {parameter: format!("$response.body#{pointer}")}});
        self.links.push(Link { name: to, link });
        self
    }
}

fn schema_of<T: JsonSchema>() -> Value {
    T::json_schema(&mut schemars::SchemaGenerator::default()).to_value()
}

fn a_page(operation: Operation) -> Operation {
    let limit = Parameter::new("limit", "query", false, schema_of::<PageLimit>(), "How many entries at most.");
    let opaque = json!({"type": "string", "minLength": 1});
    let cursor = Parameter::new("cursor", "query", false, opaque, "The `nextCursor` of the page before.");
    operation.takes(limit).takes(cursor).refuses([MALFORMED])
}

fn unless_held(operation: Operation) -> Operation {
    let what = "The entity tags that the client holds (RFC 9110, section 13.1.2).";
    operation
        .takes(Parameter::new("If-None-Match", "header", false, json!({"type": "string"}), what))
        .answers(Answer::new(304, "The client holds it already.").tagged())
        .refuses([MALFORMED])
}

/// Every operation.
pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let mut all = of_products(schemas);
    all.extend(of_customers(schemas));
    all.extend(of_the_document());
    all
}

fn of_products(schemas: &mut Schemas) -> Vec<Operation> {
    let price = json!({"amount": 1250, "currency": "EUR"});
    let product = schemas.written::<ProductBody>();
    let location = "^products/prd_[0-9a-f]{32}$";
    let line = json!({"lines": [{"productId": "$response.body#/id", "quantity": 1}], "paymentToken": "tok_success"});
    let mut created = Answer::new(201, "It was made.").body(product.clone()).tagged().located(location);
    for operation in ["get-product", "update-product", "delete-product", "request-image-upload"] {
        created = created.leads_to(operation, "productId", "/id");
    }
    created.links.push(Link { name: "place-order", link: json!({"operationId": "place-order", "requestBody": line}) });
    vec![
        Operation::new("create-product", "post", "/products", "Make a product", Access::Admin)
            .reads(
                &[JSON],
                schemas.read::<NewProductBody>(),
                json!({"name": "Assam", "description": "Second flush.\nMalty.", "price": price, "stock": 40}),
            )
            .once(false)
            .answers(created),
        a_page(Operation::new("list-products", "get", "/products", "List products, newest first", Access::Anyone)).answers(
            Answer::new(200, "One page.").body(schemas.written::<PageBody<ProductBody>>()).leads_to(
                "get-product",
                "productId",
                "/items/0/id",
            ),
        ),
        unless_held(
            Operation::new("get-product", "get", "/products/{productId}", "Show a product", Access::Anyone).of_product(),
        )
        .answers(Answer::new(200, "The product.").body(product.clone()).tagged()),
        Operation::new(
            "update-product",
            "patch",
            "/products/{productId}",
            "Change some of a product's fields",
            Access::Admin,
        )
        .of_product()
        .takes(Parameter::new(
            "If-Match",
            "header",
            false,
            json!({"type": "string", "pattern": r#"^(\*|"(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})")$"#}),
            "The entity tag of what was read: nothing is changed when it is another by now (RFC 9110, section 13.1.1).",
        ))
        .reads(&[JSON, MERGE_PATCH], schemas.read::<ProductPatchBody>(), json!({"description": null, "stock": 39}))
        .answers(Answer::new(200, "The product as it is now.").body(product).tagged())
        .refuses([refusal(412, "precondition-failed", "It has changed since it was read.")]),
        Operation::new("delete-product", "delete", "/products/{productId}", "Delete a product", Access::Admin)
            .of_product()
            .answers(Answer::new(204, "It is gone.")),
        Operation::new(
            "request-image-upload",
            "post",
            "/products/{productId}/images",
            "Ask where to upload an image",
            Access::Admin,
        )
        .of_product()
        .reads(&[JSON], schemas.read::<ImageRequestBody>(), json!({"contentType": "image/jpeg", "sizeBytes": 123_456}))
        .answers(
            Answer::new(201, "How to upload the file: for 15 minutes, of just this type and size.")
                .body(schemas.written::<UploadBody>()),
        )
        .refuses([refusal(409, "too-many-images", "The product has as many images as it may.")]),
    ]
}

fn of_customers(schemas: &mut Schemas) -> Vec<Operation> {
    let order = schemas.written::<OrderBody>();
    let customer = schemas.written::<CustomerBody>();
    let placed = json!({"lines": [{"productId": PRODUCT, "quantity": 2}], "paymentToken": "tok_success"});
    vec![
        Operation::new("register-customer", "put", "/me", "Say who you are, or change it", Access::Customer)
            .reads(&[JSON], schemas.read::<RegistrationBody>(), json!({"email": "ada@example.com", "name": "Ada"}))
            .answers(Answer::new(201, "Registered for the first time.").body(customer.clone()))
            .answers(Answer::new(200, "Registered before; this is how it is now.").body(customer)),
        Operation::new("place-order", "post", "/orders", "Place an order", Access::Customer)
            .reads(&[JSON], schemas.read::<PlaceOrderBody>(), placed)
            .once(true)
            .answers(
                Answer::new(202, "The stock is taken; the payment is still to be.")
                    .body(order.clone())
                    .located("^orders/ord_[0-9a-f]{32}$")
                    .leads_to("get-order", "orderId", "/id")
                    .leads_to("cancel-order", "orderId", "/id"),
            )
            .refuses([refusal(409, "out-of-stock", "Not enough pieces are left.")]),
        a_page(Operation::new("list-orders", "get", "/orders", "List your orders, newest first", Access::Customer)).answers(
            Answer::new(200, "One page.").body(schemas.written::<PageBody<OrderBody>>()).leads_to(
                "get-order",
                "orderId",
                "/items/0/id",
            ),
        ),
        Operation::new("get-order", "get", "/orders/{orderId}", "Show an order of yours", Access::Customer)
            .of_order()
            .answers(Answer::new(200, "The order.").body(order.clone())),
        Operation::new(
            "cancel-order",
            "post",
            "/orders/{orderId}/cancel",
            "Cancel an order that is not paid for",
            Access::Customer,
        )
        .of_order()
        .answers(Answer::new(200, "It is cancelled, by this request or before.").body(order))
        .refuses([refusal(409, "wrong-state", "Its payment is decided.")]),
    ]
}

fn of_the_document() -> Vec<Operation> {
    vec![
        unless_held(Operation::new("describe-api", "get", "/openapi.json", "This document", Access::Anyone))
            .answers(Answer::new(200, "The document.").body(json!({"type": "object"})).tagged()),
        unless_held(Operation::new("describe-api.page", "get", "/docs", "This document as a page", Access::Anyone))
            .answers(Answer::new(200, "The page.").text("text/html").tagged()),
    ]
}
