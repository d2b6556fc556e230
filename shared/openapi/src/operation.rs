//! The operations of an API: access, parameters, request body, and all responses.

use std::borrow::Cow;

use ferrite_core::{IdempotencyKey, PageLimit};
use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::names::{header, pascal_case};

/// The media type of JSON.
pub const JSON: &str = "application/json";
/// The media type of a JSON Merge Patch (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// An operation of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The `operationId`: the name of the function, with a suffix after a dot if the function has several operations.
    pub(crate) id: &'static str,
    /// HTTP method in lower case, as in the path object.
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// One of the tags in [`Info`](crate::Info).
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) access: Access,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) responses: Vec<SuccessResponse>,
    pub(crate) problems: Vec<ProblemResponse>,
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody. The operation needs no token.
    Anyone,
    /// Users with a token.
    User,
    /// Users whose token has this scope.
    Scope(&'static str),
}

/// A parameter in the path, the query, or a header.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name of the component.
    pub(crate) component: String,
    /// The parameter object of the document.
    pub(crate) object: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) media_types: &'static [&'static str],
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// The response to a successful request.
#[derive(Debug, Clone)]
pub struct SuccessResponse {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    pub(crate) body: Option<(&'static str, Value)>,
    pub(crate) headers: Vec<(&'static str, Value)>,
    pub(crate) links: Vec<Link>,
}

/// A link to an operation that can follow.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) name: &'static str,
    pub(crate) link: Value,
}

/// A problem that an operation can return. Its `type` is `urn:ferrite:problem:<name>`.
#[derive(Debug, Clone)]
pub struct ProblemResponse {
    pub(crate) status: u16,
    pub(crate) name: &'static str,
    pub(crate) when: Cow<'static, str>,
}

/// Describes when an operation returns a problem. `name` is the last part of its type.
#[must_use]
pub const fn problem(status: u16, name: &'static str, when: &'static str) -> ProblemResponse {
    ProblemResponse { status, name, when: Cow::Borrowed(when) }
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
/// Problems of operations on a resource that may not exist.
pub const NOT_FOUND_PROBLEMS: [ProblemResponse; 2] = [
    problem(404, "not-found", "The resource does not exist or belongs to another user."),
    problem(404, "no-such-route", "The path does not match any route."),
];
const IDEMPOTENCY_PROBLEMS: [ProblemResponse; 2] = [
    problem(409, "idempotency-key-in-flight", "Another request with this key is in progress."),
    problem(422, "idempotency-key-reused", "The key was already used for a different request."),
];

impl Operation {
    /// Creates an operation with the problems that each operation with this `access` can return.
    ///
    /// `id` is the name of the function, with a suffix after a dot if the function has several operations. `method` is in
    /// lower case.
    #[must_use]
    pub fn new(id: &'static str, method: &'static str, path: &'static str, access: Access) -> Self {
        let mut problems = COMMON_PROBLEMS.to_vec();
        if access != Access::Anyone {
            problems.extend(TOKEN_PROBLEMS);
        }
        if let Access::Scope(scope) = access {
            let when = format!("The token does not have the scope `{scope}`.").into();
            problems.push(ProblemResponse { status: 403, name: "missing-scope", when });
        }
        let parameters = Vec::new();
        let responses = Vec::new();
        let (tag, summary, description) = ("", "", "");
        Self { id, method, path, tag, summary, description, access, parameters, body: None, responses, problems }
    }

    /// Sets the tag, the summary and the description.
    #[must_use]
    pub fn describe(self, tag: &'static str, summary: &'static str, description: &'static str) -> Self {
        Self { tag, summary, description, ..self }
    }

    /// Adds the parameter that identifies a resource, and the problem that it does not exist.
    #[must_use]
    pub fn identified_by(mut self, parameter: Parameter) -> Self {
        self.problems.extend(NOT_FOUND_PROBLEMS);
        self.parameter(parameter)
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds a request body, and the problems that it can cause.
    #[must_use]
    pub fn body(mut self, media_types: &'static [&'static str], schema: Value, example: Value) -> Self {
        self.problems.extend(BODY_PROBLEMS);
        self.body = Some(Body { media_types, schema, example });
        self
    }

    /// Adds the header `Idempotency-Key`, and the problems that it can cause.
    #[must_use]
    pub fn with_idempotency_key(mut self, required: bool) -> Self {
        self.problems.extend(IDEMPOTENCY_PROBLEMS);
        let description =
            "Identifies the request. A retry with the same key within 24 hours returns the response to the first request.";
        let mut key = Parameter::new("Idempotency-Key", "header", required, schema_of::<IdempotencyKey>(), description);
        if !required {
            key.component.insert_str(0, "Optional");
        }
        self.parameter(key)
    }

    /// Adds a response to a successful request.
    #[must_use]
    pub fn response(mut self, response: SuccessResponse) -> Self {
        self.responses.push(response);
        self
    }

    /// Adds problems that only this operation can return.
    #[must_use]
    pub fn problems(mut self, problems: impl IntoIterator<Item = ProblemResponse>) -> Self {
        self.problems.extend(problems);
        self
    }
}

impl Parameter {
    /// Creates a parameter. `place` is `path`, `query` or `header`.
    #[must_use]
    pub fn new(name: &str, place: &str, required: bool, schema: Value, description: &str) -> Self {
        let object = json!({"name": name, "in": place, "required": required, "schema": schema, "description": description});
        Self { component: pascal_case(name), object }
    }

    /// Adds an example.
    #[must_use]
    pub fn example(mut self, example: &str) -> Self {
        self.object["example"] = example.into();
        self
    }
}

impl SuccessResponse {
    /// Creates a response without a body.
    #[must_use]
    pub fn new(status: u16, description: &'static str) -> Self {
        Self { status, description, body: None, headers: Vec::new(), links: Vec::new() }
    }

    /// Adds a JSON body.
    #[must_use]
    pub fn body(mut self, schema: Value) -> Self {
        self.body = Some((JSON, schema));
        self
    }

    /// Adds a body of text.
    #[must_use]
    pub fn text(mut self, media_type: &'static str) -> Self {
        self.body = Some((media_type, json!({"type": "string"})));
        self
    }

    /// Adds the headers `ETag` and `Cache-Control`.
    #[must_use]
    pub fn with_entity_tag(mut self) -> Self {
        let tag = json!({"type": "string", "pattern": "^\"[^\"]+\"$"});
        self.headers.push(("ETag", header("Entity tag of the response, for `If-None-Match` and `If-Match`.", tag, true)));
        self.headers.push(("Cache-Control", header("How the response may be cached.", json!({"type": "string"}), true)));
        self
    }

    /// Adds the header `Location`, whose value matches `pattern`.
    #[must_use]
    pub fn with_location(mut self, pattern: &str) -> Self {
        let schema = json!({"type": "string", "pattern": pattern});
        self.headers.push(("Location", header("URL of the new resource, relative to the request URL.", schema, true)));
        self
    }

    /// Adds a link to the operation `to`. The value of its `parameter` is at `pointer` in the body of this response.
    #[must_use]
    pub fn link(mut self, to: &'static str, parameter: &str, pointer: &str) -> Self {
        let link = json!({"operationId": to, "parameters": {parameter: format!("$response.body#{pointer}")}});
        self.links.push(Link { name: to, link });
        self
    }

    /// Adds a link to the operation `to`, whose request body is `body`. It can refer to values in the body of this
    /// response, such as `$response.body#/id`.
    #[must_use]
    pub fn link_with_body(mut self, to: &'static str, body: Value) -> Self {
        self.links.push(Link { name: to, link: json!({"operationId": to, "requestBody": body}) });
        self
    }
}

/// Returns the schema of a type.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    T::json_schema(&mut schemars::SchemaGenerator::default()).to_value()
}

/// Adds the query parameters of a list with pages.
#[must_use]
pub fn paginated(operation: Operation) -> Operation {
    let limit = Parameter::new("limit", "query", false, schema_of::<PageLimit>(), "Maximum number of items to return.");
    let opaque = json!({"type": "string", "minLength": 1});
    let cursor = Parameter::new("cursor", "query", false, opaque, "The `nextCursor` of the previous page.");
    operation.parameter(limit).parameter(cursor).problems([MALFORMED_REQUEST])
}

/// Adds the header `If-None-Match`, and the response to a client that has the current version.
#[must_use]
pub fn conditional(operation: Operation) -> Operation {
    let description = "Entity tags of the versions that the client has cached (RFC 9110, section 13.1.2).";
    operation
        .parameter(Parameter::new("If-None-Match", "header", false, json!({"type": "string"}), description))
        .response(SuccessResponse::new(304, "The client has the current version.").with_entity_tag())
        .problems([MALFORMED_REQUEST])
}

/// The tag of [`documentation`].
pub const DOCUMENTATION: &str = "Documentation";

/// The operations of the function `describe-api`, which returns the document and the page.
#[must_use]
pub fn documentation() -> Vec<Operation> {
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
