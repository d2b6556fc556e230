//! The API's contract as an OpenAPI 3.1 document, and as a page for people.
//!
//! Bodies are described by the types that read and write them, and operations by the table in `operations`: who may call one, what
//! it takes, and everything that it answers. Nothing here is in a function; `describe-api` hands over the files that the tests of
//! this crate hold to it.

mod operations;
mod page;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use operations::{Access, Answer, Operation, Refusal, operations};
pub use page::{STYLE, page};

const CORRELATION_ID: &str = "X-Correlation-Id";

/// What means the same at every operation that has it, and so is said once.
const THE_SAME_ANYWHERE: [u16; 7] = [401, 413, 415, 429, 500, 502, 503];

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let (mut paths, mut responses) = (Map::new(), Map::new());
    for operation in operations(&mut schemas) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(&operation, &mut responses);
    }
    let mut components = schemas.into_components();
    components.insert("Problem".to_owned(), problem());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ferrite storefront",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Products with images, customers, and orders that are paid for.",
            "description": "Every answer to a request that was not carried out is a problem document (RFC 9457), whose `type` stays the same. Fields that are not known here may be added to any answer. Every `GET` is answered to `HEAD` too.",
            "license": {"name": "MIT No Attribution", "identifier": "MIT-0"},
        },
        // Where the document itself is, whatever the stage and the host.
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "A token of the issuer that the stack trusts. Its `sub` is the customer; the scope `products:write` makes an admin.",
            }},
        },
    });
    // The same text whether or not another crate of the build turns on serde_json's order of insertion.
    document.sort_all_objects();
    document
}

/// The schemas of the types, each under a name of its own, of which some are read and some written.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || {
            let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null_default));
            settings.with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self { read: settings().for_deserialize().into_generator(), written: settings().for_serialize().into_generator() }
    }
}

/// What may be left out has no default: a patch leaves it as it is.
fn without_null_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

impl Schemas {
    /// A reference to what is read as a `T`.
    fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// A reference to what a `T` is written as.
    fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    fn into_components(mut self) -> Map<String, Value> {
        self.read.take_definitions(true).into_iter().chain(self.written.take_definitions(true)).collect()
    }
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was not carried out (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "What kind of problem it is: for programs to compare."},
            "title": {"type": "string", "minLength": 1, "description": "The same for people."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "minLength": 1, "description": "What is special about this request."},
            "instance": {"type": "string", "pattern": "^urn:ferrite:request:", "description": "Names the request to whoever reads the log."},
            "errors": {
                "type": "array",
                "description": "Everything that is wrong, field by field.",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "field": {"type": "string", "description": "Where it stands in the body (`lines[0].quantity`), or the name of the parameter or header."},
                        "message": {"type": "string", "minLength": 1, "description": "What is wrong with it."},
                    },
                    "required": ["field", "message"],
                },
            },
        },
        "required": ["type", "title", "instance"],
    })
}

fn described(operation: &Operation, shared: &mut Map<String, Value>) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "security": match operation.access {
            Access::Anyone => json!([]),
            Access::Customer => json!([{"token": []}]),
            Access::Admin => json!([{"token": [crate::PRODUCTS_WRITE]}]),
        },
        "responses": responses(operation, shared),
    });
    let parameters: Vec<Value> = operation.parameters.iter().map(|parameter| parameter.0.clone()).collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        let content = body.media_types.iter().map(|media_type| {
            ((*media_type).to_owned(), json!({"schema": body.schema, "examples": {"usual": {"value": body.example}}}))
        });
        described["requestBody"] = json!({"required": true, "content": Map::from_iter(content)});
    }
    described
}

fn responses(operation: &Operation, shared: &mut Map<String, Value>) -> Map<String, Value> {
    let mut responses: Map<_, _> =
        operation.answers.iter().map(|answer| (answer.status.to_string(), answered(answer))).collect();
    let mut refusals = operation.refusals.clone();
    refusals.sort_by_key(|refusal| refusal.status);
    for of_one_status in refusals.chunk_by(|one, other| one.status == other.status) {
        let status = of_one_status[0].status;
        let mut response = refused(of_one_status);
        if THE_SAME_ANYWHERE.contains(&status) {
            shared.insert(status.to_string(), response);
            response = json!({"$ref": format!("#/components/responses/{status}")});
        }
        responses.insert(status.to_string(), response);
    }
    responses
}

fn answered(answer: &Answer) -> Value {
    let mut headers = Map::from_iter([(
        CORRELATION_ID.to_owned(),
        header("What the request is called in the log.", json!({"type": "string"}), true),
    )]);
    headers.extend(answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut answered = json!({"description": answer.description, "headers": headers});
    if let Some((media_type, schema)) = &answer.body {
        answered["content"] = json!({*media_type: {"schema": schema}});
    }
    if !answer.links.is_empty() {
        let links = answer.links.iter().map(|link| (link.name.to_owned(), link.link.clone()));
        answered["links"] = Map::from_iter(links).into();
    }
    answered
}

/// One response for all that a status can mean.
fn refused(refusals: &[Refusal]) -> Value {
    let status = refusals[0].status;
    let kinds: Vec<String> = refusals.iter().map(|refusal| format!("urn:ferrite:problem:{}", refusal.name)).collect();
    let told: Vec<String> = refusals.iter().map(|refusal| format!("`{}`: {}", refusal.name, refusal.when)).collect();
    let mut schema = json!({
        "$ref": "#/components/schemas/Problem",
        "properties": {"type": {"enum": kinds}, "status": {"const": status}},
    });
    // One gateway response of template.yaml serves every 5xx, so it cannot say which.
    if status < 500 {
        schema["required"] = json!(["status"]);
    }
    let mut refused = json!({"description": told.join("\n\n"), "content": {"application/problem+json": {"schema": schema}}});
    // As AWS WAF says it (infra/firewall.yaml), which has no other type for JSON and cannot name the request.
    if matches!(status, 413 | 429) {
        refused["content"]["application/json"]["schema"] = json!({
            "type": "object",
            "description": "From a firewall before the API, if it has one.",
            "properties": {"type": {"const": kinds[0]}, "title": {"type": "string", "minLength": 1}, "status": {"const": status}},
            "required": ["type", "title", "status"],
        });
    }
    if status == 401 {
        let scheme = json!({"type": "string", "const": "Bearer"});
        refused["headers"] = json!({"WWW-Authenticate": header("How to authenticate (RFC 6750).", scheme, true)});
    }
    if status == 503 {
        refused["headers"] = json!({"Retry-After": header("In how many seconds to try again.", json!({"type": "integer", "minimum": 1}), true)});
    }
    refused
}

fn header(description: &str, schema: Value, required: bool) -> Value {
    json!({"description": description, "required": required, "schema": schema})
}
