//! Finds changes between two versions of the document that break clients of the earlier version.
//!
//! The following changes are breaking:
//! - A path, an operation, or a success status is removed, or a success status is added. New error statuses are not breaking.
//! - A parameter or field becomes required in requests, or a value that was accepted is no longer accepted.
//! - A response can contain a value that it could not contain before, or no longer always contains a header or field.
//! - An operation requires a token or scope that it did not require before.
//!
//! Descriptions, links, and examples can change freely.

use std::collections::BTreeSet;

use ferrite_core::schema::compatibility::{self, BreakingChange};
use serde_json::{Map, Value, json};

/// Returns one line for each change in `current` that breaks clients of `released`.
pub(crate) fn breaking_changes(released: &Value, current: &Value) -> Vec<String> {
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
    if before["security"] != now["security"] && now["security"] != json!([]) {
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
    if before.get("requestBody").is_none() && now["requestBody"]["required"] == true {
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

#[test]
fn accepts_compatible_changes() {
    let released = crate::document();
    assert_eq!(breaking_changes(&released, &released), Vec::<String>::new());
    for (pointer, value) in [
        ("/info/version", json!("2.0.0")),
        ("/paths/~1products/get/summary", json!("A new summary")),
        ("/paths/~1orders/get/security", json!([])),
        ("/paths/~1products/get/responses/418", json!({"description": "a new error"})),
        ("/components/schemas/NewProduct/properties/stock/maximum", json!(2_000_000)),
        ("/components/schemas/NewProduct/properties/color", json!({"type": "string"})),
        ("/components/schemas/NewProduct/required", json!(["name", "price"])),
        ("/components/schemas/Product/properties/color", json!({"type": "string"})),
        ("/components/schemas/Image/required", json!(["id", "state", "reason"])),
    ] {
        assert_eq!(breaking_changes(&released, &changed(pointer, Some(value))), Vec::<String>::new(), "{pointer}");
    }
}

#[test]
fn reports_breaking_changes() {
    let released = crate::document();
    for (pointer, value, expected) in [
        ("/paths/~1me", None, "PUT /me: was removed"),
        ("/paths/~1orders/post", None, "POST /orders: was removed"),
        (
            "/paths/~1orders/post/operationId",
            Some(json!("order")),
            "POST /orders: operationId changed from \"place-order\" to \"order\"",
        ),
        (
            "/paths/~1products/get/security",
            Some(json!([{"token": []}])),
            "GET /products: security changed from [] to [{\"token\":[]}]",
        ),
        ("/paths/~1products/post/responses/201", None, "POST /products 201: was removed"),
        ("/paths/~1products/post/responses/202", Some(json!({})), "POST /products 202: was added"),
        (
            "/paths/~1products/post/responses/201/headers/Location",
            None,
            "POST /products 201 Location: is no longer required",
        ),
        ("/paths/~1products/get/parameters/1", None, "GET /products cursor: was removed"),
        ("/components/parameters/Cursor/required", Some(json!(true)), "GET /products cursor: is now required"),
        (
            "/components/parameters/Limit/schema/maximum",
            Some(json!(50)),
            "GET /products limit: maximum changed from 100 to 50",
        ),
        (
            "/components/schemas/NewProduct/properties/name/maxLength",
            Some(json!(100)),
            "POST /products body.name: maxLength changed from 200 to 100",
        ),
        ("/components/schemas/NewProduct/properties/description", None, "POST /products body.description: was removed"),
        (
            "/components/schemas/NewOrder/properties/lines/maxItems",
            Some(json!(10)),
            "POST /orders body.lines: maxItems changed from 50 to 10",
        ),
        (
            "/components/schemas/NewOrderLine/properties/quantity/type",
            Some(json!("string")),
            "POST /orders body.lines[].quantity: type changed from \"integer\" to \"string\"",
        ),
        ("/components/schemas/Customer/required", Some(json!(["id"])), "PUT /me 200: required changed from"),
        (
            "/components/schemas/NotFoundProblem/allOf/1/properties/type/enum/2",
            Some(json!("urn:ferrite:problem:gone")),
            "GET /products/{productId} 404.type: enum changed from",
        ),
        (
            "/components/headers/RetryAfter/required",
            Some(json!(false)),
            "GET /products 503 Retry-After: is no longer required",
        ),
        (
            "/components/schemas/Image/properties/state/enum",
            Some(json!(["pending", "ready", "failed", "lost"])),
            "GET /products 200.items[].images[].state: enum changed from",
        ),
        (
            "/paths/~1products~1{productId}/patch/requestBody/content/application~1merge-patch+json",
            None,
            "PATCH /products/{productId}: no longer accepts application/merge-patch+json",
        ),
        (
            "/paths/~1products/get/responses/200/content/application~1json",
            None,
            "GET /products 200: is no longer application/json",
        ),
    ] {
        let found = breaking_changes(&released, &changed(pointer, value));
        assert!(found.iter().any(|line| line.starts_with(expected)), "{pointer}: {found:#?}");
    }
    let mut changed_document = released.clone();
    let registration = &mut changed_document["components"]["schemas"]["Registration"];
    registration["properties"]["age"] = json!({"type": "integer"});
    registration["required"] = json!(["email", "name", "age"]);
    assert!(breaking_changes(&released, &changed_document)[0].starts_with("PUT /me body: required changed from"));
}

/// Returns the document with `value` at `pointer`, or without the value there if `value` is `None`.
fn changed(pointer: &str, value: Option<Value>) -> Value {
    let mut document = crate::document();
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
