//! Finds changes between two versions of the document that break clients of the earlier version.
//!
//! The following changes are breaking:
//! - A path, an operation, or a success status is removed, or a success status is added. New error statuses are not breaking.
//! - A parameter or field becomes required in requests, or a value that was accepted is no longer accepted.
//! - A response can contain a value that it could not contain before, or no longer always contains a header or field.
//! - An operation requires another token or scope than before.
//!
//! Descriptions, links, and examples can change freely.

use std::collections::BTreeSet;

use ferrite_core::schema::compatibility::{self, BreakingChange};
use serde_json::{Map, Value};

/// Returns one line for each change in `current` that breaks clients of `released`.
#[must_use]
pub fn breaking_changes(released: &Value, current: &Value) -> Vec<String> {
    let released = resolve(released, released);
    let current = resolve(current, current);
    let mut found = Vec::new();
    for (path, operations) in entries(&released["paths"]) {
        for (method, before) in entries(operations) {
            let name = format!("{} {path}", method.to_uppercase());
            match current["paths"][path].get(method) {
                Some(now) => compare(&name, before, now, &mut found),
                None => found.push(format!("{name}: was removed")),
            }
        }
    }
    found
}

fn compare(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before["operationId"] != now["operationId"] {
        found.push(format!("{name}: operationId changed from {} to {}", before["operationId"], now["operationId"]));
    }
    if before["security"] != now["security"] && !is_public(now) {
        found.push(format!("{name}: security changed from {} to {}", before["security"], now["security"]));
    }
    compare_parameters(name, before, now, found);
    compare_bodies(name, before, now, found);
    for (status, before) in entries(&before["responses"]) {
        match now["responses"].get(status) {
            Some(now) => compare_responses(&format!("{name} {status}"), before, now, found),
            None if is_success(status) => found.push(format!("{name} {status}: was removed")),
            None => {}
        }
    }
    let is_new = |status: &&str| is_success(status) && before["responses"].get(*status).is_none();
    found.extend(
        entries(&now["responses"]).map(|(status, _)| status).filter(is_new).map(|new| format!("{name} {new}: was added")),
    );
}

/// Whether an operation requires no token.
fn is_public(operation: &Value) -> bool {
    operation["security"].as_array().is_some_and(Vec::is_empty)
}

fn is_success(status: &str) -> bool {
    status < "400"
}

fn compare_parameters(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    let find = |operation: &Value, like: &Value| {
        items(&operation["parameters"]).find(|other| other["name"] == like["name"] && other["in"] == like["in"]).cloned()
    };
    for parameter in items(&now["parameters"]) {
        let location = format!("{name} {}", parameter["name"].as_str().unwrap_or_default());
        let earlier = find(before, parameter);
        if parameter["required"] == true && earlier.as_ref().is_none_or(|earlier| earlier["required"] != true) {
            found.push(format!("{location}: is now required"));
        }
        if let Some(earlier) = earlier {
            found.extend(narrowed(&location, &earlier["schema"], &parameter["schema"]));
        }
    }
    for parameter in items(&before["parameters"]).filter(|parameter| find(now, parameter).is_none()) {
        found.push(format!("{name} {}: was removed", parameter["name"].as_str().unwrap_or_default()));
    }
}

fn compare_bodies(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before["requestBody"]["required"] != true && now["requestBody"]["required"] == true {
        found.push(format!("{name}: a body is now required"));
    }
    for (media_type, before) in entries(&before["requestBody"]["content"]) {
        match now["requestBody"]["content"].get(media_type) {
            Some(now) => found.extend(narrowed(&format!("{name} body"), &before["schema"], &now["schema"])),
            None => found.push(format!("{name}: no longer accepts {media_type}")),
        }
    }
}

fn compare_responses(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    for (header, before) in entries(&before["headers"]) {
        let now = &now["headers"][header];
        if before["required"] == true && now["required"] != true {
            found.push(format!("{name} {header}: is no longer required"));
        } else if now.is_object() {
            found.extend(
                compatibility::breaking_changes(&format!("{name} {header}"), &before["schema"], &now["schema"])
                    .iter()
                    .map(ToString::to_string),
            );
        }
    }
    for (media_type, before) in entries(&before["content"]) {
        match now["content"].get(media_type) {
            Some(now) => found.extend(
                compatibility::breaking_changes(name, &before["schema"], &now["schema"]).iter().map(ToString::to_string),
            ),
            None => found.push(format!("{name}: is no longer {media_type}")),
        }
    }
}

/// Returns the changes because of which `now` rejects requests that `before` accepts. For requests, the roles of reader
/// and writer are reversed, so this compares the schemas in the opposite direction.
fn narrowed(location: &str, before: &Value, now: &Value) -> Vec<String> {
    let narrowed = compatibility::breaking_changes(location, now, before).into_iter().map(
        |BreakingChange { field, keyword, before, now }| {
            BreakingChange { field, keyword, before: now, now: before }.to_string()
        },
    );
    narrowed.chain(removed_fields(location, before, now)).collect()
}

/// Returns the request fields that were removed.
fn removed_fields(location: &str, before: &Value, now: &Value) -> Vec<String> {
    let nested = |before: &Value, now: &Value, name: &str| removed_fields(&format!("{location}{name}"), before, now);
    let mut removed = Vec::new();
    for (name, field) in entries(&before["properties"]) {
        match now["properties"].get(name) {
            Some(now) => removed.extend(nested(field, now, &format!(".{name}"))),
            None => removed.push(format!("{location}.{name}: was removed")),
        }
    }
    if before["items"].is_object() {
        removed.extend(nested(&before["items"], &now["items"], "[]"));
    }
    removed
}

/// Returns `value` with all references resolved and the schemas of `allOf` merged. The API has no recursive types.
fn resolve(value: &Value, document: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| resolve(item, document)).collect(),
        Value::Object(fields) => {
            let mut all = Map::new();
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let target = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
                all = resolve(target, document).as_object().cloned().unwrap_or_default();
            }
            for schema in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let schema = resolve(schema, document).as_object().cloned().unwrap_or_default();
                for (name, field) in schema {
                    merge(all.entry(name).or_insert(Value::Null), field);
                }
            }
            for (name, field) in fields.iter().filter(|(name, _)| !["$ref", "allOf"].contains(&name.as_str())) {
                merge(all.entry(name).or_insert(Value::Null), resolve(field, document));
            }
            all.into()
        }
        other => other.clone(),
    }
}

/// Merges the keywords next to a reference into the referenced schema, because both apply.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => {
            let known: BTreeSet<String> = into.iter().map(ToString::to_string).collect();
            into.extend(from.into_iter().filter(|item| !known.contains(&item.to_string())));
        }
        (into, from) => *into = from,
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The document of a small API.
    fn document() -> Value {
        let json_body =
            |schema: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
        let page = json!({"type": "object", "required": ["items"], "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
        }});
        let not_found = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/NotFoundProblem"}}});
        let patch = json!({"application/json": {"schema": {}}, "application/merge-patch+json": {"schema": {}}});
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Items", "version": "1.0.0"},
            "paths": {
                "/items": {
                    "get": {
                        "operationId": "list-items", "summary": "Lists items", "security": [],
                        "parameters": [{"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/Cursor"}],
                        "responses": {
                            "200": {"description": "A page", "content": {"application/json": {"schema": page}}},
                            "503": {"description": "Unavailable", "headers": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}},
                        },
                    },
                    "post": {
                        "operationId": "create-item", "security": [{"token": []}],
                        "requestBody": {"required": true, "content": json_body("NewItem")},
                        "responses": {"201": {
                            "description": "Created", "content": json_body("Item"),
                            "headers": {"Location": {"required": true, "schema": {"type": "string"}}},
                        }},
                    },
                },
                "/items/{itemId}": {
                    "get": {
                        "operationId": "get-item", "security": [],
                        "responses": {
                            "200": {"description": "An item", "content": json_body("Item")},
                            "404": {"description": "Not found", "content": not_found},
                        },
                    },
                    "patch": {
                        "operationId": "update-item", "security": [{"token": []}],
                        "requestBody": {"required": true, "content": patch},
                        "responses": {"200": {"description": "The item", "content": json_body("Item")}},
                    },
                },
                "/me": {"put": {
                    "operationId": "register", "security": [{"token": []}],
                    "requestBody": {"required": true, "content": json_body("Registration")},
                    "responses": {"200": {"description": "Registered"}},
                }},
            },
            "components": {
                "headers": {"RetryAfter": {"required": true, "schema": {"type": "string"}}},
                "parameters": {
                    "Limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                    "Cursor": {"name": "cursor", "in": "query", "schema": {"type": "string"}},
                },
                "schemas": {
                    "NewItem": {"type": "object", "required": ["name", "parts"], "properties": {
                        "name": {"type": "string", "maxLength": 200},
                        "description": {"type": "string"},
                        "parts": {"type": "array", "maxItems": 50, "items": {"$ref": "#/components/schemas/Part"}},
                    }},
                    "Part": {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer"}}},
                    "Item": {"type": "object", "required": ["id", "state"], "properties": {
                        "id": {"type": "string"},
                        "state": {"type": "string", "enum": ["pending", "ready"]},
                    }},
                    "Registration": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}}},
                    "Problem": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
                    "NotFoundProblem": {"allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {"properties": {"type": {"enum": ["urn:items:not-found", "urn:items:no-such-route"]}}},
                    ]},
                },
            },
        })
    }

    #[test]
    fn accepts_compatible_changes() {
        assert_eq!(breaking_changes(&document(), &document()), [""; 0]);
        for (pointer, value) in [
            ("/info/version", json!("2.0.0")),
            ("/paths/~1items/get/summary", json!("A new summary")),
            ("/paths/~1items/post/security", json!([])),
            ("/paths/~1items/get/responses/418", json!({"description": "a new error"})),
            ("/components/schemas/NewItem/properties/name/maxLength", json!(300)),
            ("/components/schemas/NewItem/properties/color", json!({"type": "string"})),
            ("/components/schemas/NewItem/required", json!(["name"])),
            ("/components/schemas/Item/properties/color", json!({"type": "string"})),
            ("/components/schemas/Item/required", json!(["id", "state", "color"])),
        ] {
            assert_eq!(breaking_changes(&document(), &changed(pointer, Some(value))), [""; 0], "{pointer}");
        }
    }

    #[test]
    fn reports_breaking_changes() {
        for (pointer, value, expected) in [
            ("/paths/~1me", None, "PUT /me: was removed"),
            ("/paths/~1items/post", None, "POST /items: was removed"),
            (
                "/paths/~1items/post/operationId",
                Some(json!("add-item")),
                "POST /items: operationId changed from \"create-item\" to \"add-item\"",
            ),
            (
                "/paths/~1items/get/security",
                Some(json!([{"token": []}])),
                "GET /items: security changed from [] to [{\"token\":[]}]",
            ),
            ("/paths/~1items/post/responses/201", None, "POST /items 201: was removed"),
            ("/paths/~1items/post/responses/202", Some(json!({})), "POST /items 202: was added"),
            ("/paths/~1items/post/responses/201/headers/Location", None, "POST /items 201 Location: is no longer required"),
            ("/paths/~1items/get/parameters/1", None, "GET /items cursor: was removed"),
            ("/components/parameters/Cursor/required", Some(json!(true)), "GET /items cursor: is now required"),
            (
                "/components/parameters/Limit/schema/maximum",
                Some(json!(50)),
                "GET /items limit: maximum changed from 100 to 50",
            ),
            (
                "/components/schemas/NewItem/properties/name/maxLength",
                Some(json!(100)),
                "POST /items body.name: maxLength changed from 200 to 100",
            ),
            ("/components/schemas/NewItem/properties/description", None, "POST /items body.description: was removed"),
            (
                "/components/schemas/NewItem/properties/parts/maxItems",
                Some(json!(10)),
                "POST /items body.parts: maxItems changed from 50 to 10",
            ),
            (
                "/components/schemas/Part/properties/count/type",
                Some(json!("string")),
                "POST /items body.parts[].count: type changed from \"integer\" to \"string\"",
            ),
            ("/components/schemas/Item/required", Some(json!(["id"])), "GET /items/{itemId} 200: required changed from"),
            (
                "/components/schemas/NotFoundProblem/allOf/1/properties/type/enum/2",
                Some(json!("urn:items:gone")),
                "GET /items/{itemId} 404.type: enum changed from",
            ),
            (
                "/components/headers/RetryAfter/required",
                Some(json!(false)),
                "GET /items 503 Retry-After: is no longer required",
            ),
            (
                "/components/schemas/Item/properties/state/enum",
                Some(json!(["pending", "ready", "lost"])),
                "GET /items 200.items[].state: enum changed from",
            ),
            (
                "/paths/~1items~1{itemId}/patch/requestBody/content/application~1merge-patch+json",
                None,
                "PATCH /items/{itemId}: no longer accepts application/merge-patch+json",
            ),
            (
                "/paths/~1items/get/responses/200/content/application~1json",
                None,
                "GET /items 200: is no longer application/json",
            ),
            (
                "/components/schemas/Registration/required",
                Some(json!(["email", "age"])),
                "PUT /me body: required changed from",
            ),
        ] {
            let found = breaking_changes(&document(), &changed(pointer, value));
            assert!(found.iter().any(|line| line.starts_with(expected)), "{pointer}: {found:#?}");
        }
    }

    /// Returns the document with `value` at `pointer`, or without the value there if `value` is `None`.
    fn changed(pointer: &str, value: Option<Value>) -> Value {
        let mut document = document();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        match (document.pointer_mut(parent).unwrap(), value) {
            (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
            (Value::Object(fields), None) => assert!(fields.remove(&name).is_some(), "{pointer}"),
            (Value::Array(items), Some(value)) => items.insert(name.parse().unwrap(), value),
            (parent, Some(value)) => parent[name.as_str()] = value,
            (other, None) => panic!("{other}"),
        }
        document
    }
}
