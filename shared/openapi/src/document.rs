//! Generates the document from the operations and the schemas.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::names::{header, pascal_case};
use crate::operation::{Access, Operation, ProblemResponse, SuccessResponse};

const CORRELATION_ID: &str = "X-Correlation-Id";

/// Problems that the reason phrase of the status describes. Any other problem is part of the name of its response.
const GENERAL_PROBLEMS: [&str; 12] = [
    "access-denied",
    "body-too-large",
    "internal",
    "malformed-request",
    "no-such-route",
    "not-found",
    "not-json",
    "precondition-failed",
    "throttled",
    "unauthorized",
    "unavailable",
    "validation",
];

/// The description of an API.
#[derive(Debug, Clone, Copy)]
pub struct Info<'a> {
    /// Title of the documentation.
    pub title: &'a str,
    /// Version of the API.
    pub version: &'a str,
    /// One sentence about the API.
    pub summary: &'a str,
    /// Name and e-mail address of the contact.
    pub contact: (&'a str, &'a str),
    /// URL of the identity provider, without a slash at the end.
    pub identity_provider: &'a str,
    /// The scopes, each with a description.
    pub scopes: &'a [(&'a str, &'a str)],
    /// The tags of the operations, each with a description.
    pub tags: &'a [(&'a str, &'a str)],
}

/// Returns the OpenAPI document of an API. `schemas` has the types of the operations.
#[must_use]
pub fn document(info: &Info<'_>, operations: Vec<Operation>, schemas: Schemas) -> Value {
    let mut paths = Map::new();
    let mut components = Components::default();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = components.operation(&operation);
    }
    components.schemas.extend(schemas.into_components());
    components.schemas.insert("Problem".to_owned(), problem_schema());
    let scopes = info.scopes.iter().map(|(scope, description)| ((*scope).to_owned(), json!(description)));
    let tags: Vec<Value> =
        info.tags.iter().map(|(name, description)| json!({"name": name, "description": description})).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title,
            "version": info.version,
            "summary": info.summary,
            "description": "Every error response is a problem document (RFC 9457) with a stable `type`. New fields may be added to any response without notice. Every `GET` operation also supports `HEAD`.",
            "contact": {"name": info.contact.0, "email": info.contact.1},
            "license": {"name": "MIT No Attribution", "identifier": "MIT-0"},
        },
        "tags": tags,
        // Relative to the URL of the document, so it works for any host and stage.
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "headers": components.headers,
            "parameters": components.parameters,
            "responses": components.responses,
            "schemas": components.schemas,
            // A bearer token, described as OAuth 2.0 because only that declares scopes.
            "securitySchemes": {"token": {
                "type": "oauth2",
                "description": "A JSON Web Token from the identity provider of this API, sent as `Authorization: Bearer <token>` (RFC 6750). The `sub` claim identifies the user.",
                "flows": {"authorizationCode": {
                    "authorizationUrl": format!("{}/authorize", info.identity_provider),
                    "tokenUrl": format!("{}/token", info.identity_provider),
                    "scopes": Map::from_iter(scopes),
                }},
            }},
        },
    });
    // Sorted so that the output is the same even if another crate enables serde_json's `preserve_order` feature.
    document.sort_all_objects();
    document
}

/// Schemas of the request types and the response types, each with a unique name.
pub struct Schemas {
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
    pub fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Returns a reference to the schema of the response type `T`.
    pub fn written<T: JsonSchema>(&mut self) -> Value {
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

/// The parts of the document that several operations use. Client generators create one type for each.
#[derive(Default)]
struct Components {
    headers: Map<String, Value>,
    parameters: Map<String, Value>,
    responses: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Components {
    fn operation(&mut self, operation: &Operation) -> Value {
        let mut object = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "description": operation.description,
            "tags": [operation.tag],
            "security": match operation.access {
                Access::Anyone => json!([]),
                Access::User => json!([{"token": []}]),
                Access::Scope(scope) => json!([{"token": [scope]}]),
            },
            "responses": self.responses(operation),
        });
        let parameters: Vec<Value> = operation
            .parameters
            .iter()
            .map(|parameter| shared(&mut self.parameters, "parameters", &parameter.component, parameter.object.clone()))
            .collect();
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

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut responses: Map<_, _> = operation
            .responses
            .iter()
            .map(|response| (response.status.to_string(), self.success_response(response)))
            .collect();
        let mut problems = operation.problems.clone();
        problems.sort_by_key(|problem| problem.status);
        for same_status in problems.chunk_by(|one, other| one.status == other.status) {
            let response = self.problem_response(same_status);
            let name = response_name(same_status);
            let response = shared(&mut self.responses, "responses", &name, response);
            responses.insert(same_status[0].status.to_string(), response);
        }
        responses
    }

    fn success_response(&mut self, response: &SuccessResponse) -> Value {
        let correlation_id = header("Identifies the request in the logs.", json!({"type": "string"}), true);
        let mut headers = Map::from_iter([self.header(CORRELATION_ID, correlation_id)]);
        headers.extend(response.headers.iter().map(|(name, value)| self.header(name, value.clone())));
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

    fn header(&mut self, name: &str, object: Value) -> (String, Value) {
        (name.to_owned(), shared(&mut self.headers, "headers", &name.replace('-', ""), object))
    }

    /// Returns one response object for all problems with the same status.
    fn problem_response(&mut self, problems: &[ProblemResponse]) -> Value {
        let status = problems[0].status;
        let types: Vec<String> = problems.iter().map(|problem| format!("urn:ferrite:problem:{}", problem.name)).collect();
        let descriptions: Vec<String> =
            problems.iter().map(|problem| format!("`{}`: {}", problem.name, problem.when)).collect();
        let description = descriptions.join("\n\n");
        let name = response_name(problems);
        let mut specific = json!({
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": types},
                "status": {"type": "integer", "const": status},
            },
        });
        // template.yaml has one gateway response for all 5xx errors, which cannot contain the status.
        if status < 500 {
            specific["required"] = json!(["status"]);
        }
        let problem = json!({"description": description, "allOf": [{"$ref": "#/components/schemas/Problem"}, specific]});
        let schema = shared(&mut self.schemas, "schemas", &format!("{name}Problem"), problem);
        let mut response = json!({"description": description, "content": {"application/problem+json": {"schema": schema}}});
        // The custom response of AWS WAF (infra/firewall.yaml) can only be `application/json` and cannot contain
        // `instance`.
        if matches!(status, 413 | 429) {
            let problem = json!({
                "type": "object",
                "description": "Response of the firewall in front of the API, if there is one.",
                "properties": {
                    "type": {"type": "string", "const": types[0]},
                    "title": {"type": "string", "minLength": 1},
                    "status": {"type": "integer", "const": status},
                },
                "required": ["type", "title", "status"],
            });
            let schema = shared(&mut self.schemas, "schemas", &format!("{name}FirewallProblem"), problem);
            response["content"]["application/json"] = json!({"schema": schema});
        }
        let mut headers = Map::new();
        if matches!(status, 401 | 403) {
            let challenge = json!({"type": "string", "pattern": r#"^Bearer( error="[a-z_]+"(, scope="[^"]+")?)?$"#});
            // Optional, because a REST API on AWS renames this header of a function's response.
            let description = "How to authenticate, and why the token was rejected (RFC 6750).";
            headers.extend([self.header("WWW-Authenticate", header(description, challenge, false))]);
        }
        if status == 503 {
            let seconds = json!({"type": "integer", "minimum": 1});
            let header = header("Number of seconds to wait before a retry.", seconds, true);
            headers.extend([self.header("Retry-After", header)]);
        }
        if !headers.is_empty() {
            response["headers"] = headers.into();
        }
        response
    }
}

/// Returns a reference to the component `name`, which is added if it is new. If another component has the name, returns
/// the object itself.
fn shared(components: &mut Map<String, Value>, kind: &str, name: &str, object: Value) -> Value {
    if *components.entry(name).or_insert_with(|| object.clone()) == object {
        json!({"$ref": format!("#/components/{kind}/{name}")})
    } else {
        object
    }
}

/// Returns the name of the response for problems with the same status, such as `NotFound` or `WrongState`.
fn response_name(problems: &[ProblemResponse]) -> String {
    let is_general = |problem: &&ProblemResponse| GENERAL_PROBLEMS.contains(&problem.name);
    let status = http::StatusCode::from_u16(problems[0].status).unwrap_or_default();
    let phrase = problems.iter().any(|problem| is_general(&problem)).then(|| status.canonical_reason().unwrap_or_default());
    let others = problems.iter().filter(|problem| !is_general(problem)).map(|problem| problem.name);
    phrase.into_iter().chain(others).map(pascal_case).collect::<Vec<_>>().join("Or")
}
