//! Generates the OpenAPI 3.1 document of the API and an HTML page that shows it.
//!
//! The schemas of the bodies are derived from the types that parse and serialize them. The table in `operations` lists
//! the operations with their access, parameters, and responses. No function contains this module: `describe-api` serves
//! the generated files, and the tests of this crate check that the files are up to date.

mod operations;
mod page;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use operations::{Access, Operation, ProblemResponse, SuccessResponse, operations};
pub use page::{STYLE, page};

const CORRELATION_ID: &str = "X-Correlation-Id";

/// Statuses whose response is the same for all operations; the document contains it once.
const SHARED_RESPONSES: [u16; 7] = [401, 413, 415, 429, 500, 502, 503];

/// Returns the OpenAPI document.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    let mut responses = Map::new();
    for operation in operations(&mut schemas) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation_object(&operation, &mut responses);
    }
    let mut components = schemas.into_components();
    components.insert("Problem".to_owned(), problem_schema());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ferrite storefront",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An online store: products with images, customers, orders, and payments.",
            "description": "Every error response is a problem document (RFC 9457) with a stable `type`. New fields may be added to any response without notice. Every `GET` operation also supports `HEAD`.",
            "license": {"name": "MIT No Attribution", "identifier": "MIT-0"},
        },
        // Relative to the URL of the document, so it works for any host and stage.
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "A token from the identity provider of this API. The `sub` claim identifies the customer. The scope `products:write` grants admin access.",
            }},
        },
    });
    // Sorted so that the output is the same even if another crate enables serde_json's `preserve_order` feature.
    document.sort_all_objects();
    document
}

/// Schemas of the request types (`read`) and the response types (`written`), each with a unique name.
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

/// Removes `null` defaults, because an omitted field of a patch is left unchanged.
fn without_null_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

impl Schemas {
    /// Returns a reference to the schema of the request type `T`.
    fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Returns a reference to the schema of the response type `T`.
    fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    fn into_components(mut self) -> Map<String, Value> {
        self.read.take_definitions(true).into_iter().chain(self.written.take_definitions(true)).collect()
    }
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "Describes why a request failed (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "Identifies the problem type. Clients can compare it."},
            "title": {"type": "string", "minLength": 1, "description": "Short summary of the problem type."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "minLength": 1, "description": "Explanation specific to this request."},
            "instance": {"type": "string", "pattern": "^urn:ferrite:request:", "description": "Identifies the request in the logs."},
            "errors": {
                "type": "array",
                "description": "All invalid fields.",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "field": {"type": "string", "description": "Path of the field in the body, such as `lines[0].quantity`, or the name of the parameter or header."},
                        "message": {"type": "string", "minLength": 1, "description": "Explains why the value is invalid."},
                    },
                    "required": ["field", "message"],
                },
            },
        },
        "required": ["type", "title", "instance"],
    })
}

fn operation_object(operation: &Operation, shared: &mut Map<String, Value>) -> Value {
    let mut object = json!({
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
        object["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        let content = body.media_types.iter().map(|media_type| {
            ((*media_type).to_owned(), json!({"schema": body.schema, "examples": {"usual": {"value": body.example}}}))
        });
        object["requestBody"] = json!({"required": true, "content": Map::from_iter(content)});
    }
    object
}

fn responses(operation: &Operation, shared: &mut Map<String, Value>) -> Map<String, Value> {
    let mut responses: Map<_, _> =
        operation.responses.iter().map(|response| (response.status.to_string(), success_response(response))).collect();
    let mut problems = operation.problems.clone();
    problems.sort_by_key(|problem| problem.status);
    for same_status in problems.chunk_by(|one, other| one.status == other.status) {
        let status = same_status[0].status;
        let mut response = problem_response(same_status);
        if SHARED_RESPONSES.contains(&status) {
            shared.insert(status.to_string(), response);
            response = json!({"$ref": format!("#/components/responses/{status}")});
        }
        responses.insert(status.to_string(), response);
    }
    responses
}

fn success_response(response: &SuccessResponse) -> Value {
    let mut headers = Map::from_iter([(
        CORRELATION_ID.to_owned(),
        header("Identifies the request in the logs.", json!({"type": "string"}), true),
    )]);
    headers.extend(response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut object = json!({"description": response.description, "headers": headers});
    if let Some((media_type, schema)) = &response.body {
        object["content"] = json!({*media_type: {"schema": schema}});
    }
    if !response.links.is_empty() {
        let links = response.links.iter().map(|link| (link.name.to_owned(), link.link.clone()));
        object["links"] = Map::from_iter(links).into();
    }
    object
}

/// Returns one response object for all problems with the same status.
fn problem_response(problems: &[ProblemResponse]) -> Value {
    let status = problems[0].status;
    let types: Vec<String> = problems.iter().map(|problem| format!("urn:ferrite:problem:{}", problem.name)).collect();
    let descriptions: Vec<String> = problems.iter().map(|problem| format!("`{}`: {}", problem.name, problem.when)).collect();
    let mut schema = json!({
        "$ref": "#/components/schemas/Problem",
        "properties": {"type": {"enum": types}, "status": {"const": status}},
    });
    // template.yaml has one gateway response for all 5xx errors, which cannot contain the status.
    if status < 500 {
        schema["required"] = json!(["status"]);
    }
    let mut response =
        json!({"description": descriptions.join("\n\n"), "content": {"application/problem+json": {"schema": schema}}});
    // The custom response of AWS WAF (infra/firewall.yaml) can only be `application/json` and cannot contain
    // `instance`.
    if matches!(status, 413 | 429) {
        response["content"]["application/json"]["schema"] = json!({
            "type": "object",
            "description": "Response of the firewall in front of the API, if there is one.",
            "properties": {"type": {"const": types[0]}, "title": {"type": "string", "minLength": 1}, "status": {"const": status}},
            "required": ["type", "title", "status"],
        });
    }
    if matches!(status, 401 | 403) {
        let challenge = json!({"type": "string", "pattern": r#"^Bearer( error="[a-z_]+"(, scope="[^"]+")?)?$"#});
        // Optional for 403, because a REST API on AWS renames this header of a function's response.
        let challenge = header("How to authenticate, and why the token was rejected (RFC 6750).", challenge, status == 401);
        response["headers"] = json!({"WWW-Authenticate": challenge});
    }
    if status == 503 {
        response["headers"] = json!({"Retry-After": header("Number of seconds to wait before a retry.", json!({"type": "integer", "minimum": 1}), true)});
    }
    response
}

fn header(description: &str, schema: Value, required: bool) -> Value {
    json!({"description": description, "required": required, "schema": schema})
}
