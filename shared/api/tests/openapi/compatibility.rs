//! Whether a client that was written for one document gets on with another.
//!
//! What breaks one, by name: a path, an operation or a status that is gone; a new refusal where there was none of that status is no
//! break, a new success is. A parameter or a field that has to be sent now; anything that could be sent and no longer can be; anything
//! that can be answered and could not be; a header or a field that was always answered and is not; a token or a scope that is needed
//! now. What is only for people, links and examples may change as they like.

use std::collections::BTreeSet;

use ferrite_core::schema::compatibility::{Break, breaks};
use serde_json::{Map, Value, json};

/// How `current` breaks clients of `released`, one line each; nothing if it does not.
pub(crate) fn broken_clients(released: &Value, current: &Value) -> Vec<String> {
    let (released, current) = (whole(released, released), whole(current, current));
    let mut found = Vec::new();
    for (path, operations) in entries(&released["paths"]) {
        for (method, before) in entries(operations) {
            let name = format!("{} {path}", method.to_uppercase());
            match current["paths"][path].get(method) {
                Some(now) => compare(&name, before, now, &mut found),
                None => found.push(format!("{name}: is gone")),
            }
        }
    }
    found
}

fn compare(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before["operationId"] != now["operationId"] {
        found.push(format!("{name}: is called {} and was {}", now["operationId"], before["operationId"]));
    }
    if before["security"] != now["security"] && now["security"] != json!([]) {
        found.push(format!("{name}: needs {} and needed {}", now["security"], before["security"]));
    }
    compare_parameters(name, before, now, found);
    compare_bodies(name, before, now, found);
    for (status, before) in entries(&before["responses"]) {
        match now["responses"].get(status) {
            Some(now) => compare_answers(&format!("{name} {status}"), before, now, found),
            None if is_success(status) => found.push(format!("{name} {status}: is gone")),
            None => {}
        }
    }
    let is_new = |status: &&str| is_success(status) && before["responses"].get(*status).is_none();
    found.extend(
        entries(&now["responses"]).map(|(status, _)| status).filter(is_new).map(|new| format!("{name} {new}: is new")),
    );
}

fn is_success(status: &str) -> bool {
    status < "400"
}

fn compare_parameters(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    let of = |operation: &Value, like: &Value| {
        items(&operation["parameters"]).find(|other| other["name"] == like["name"] && other["in"] == like["in"]).cloned()
    };
    for parameter in items(&now["parameters"]) {
        let what = format!("{name} {}", parameter["name"].as_str().unwrap_or_default());
        let earlier = of(before, parameter);
        if parameter["required"] == true && earlier.as_ref().is_none_or(|earlier| earlier["required"] != true) {
            found.push(format!("{what}: has to be sent"));
        }
        if let Some(earlier) = earlier {
            found.extend(refused_now(&what, &earlier["schema"], &parameter["schema"]));
        }
    }
    for parameter in items(&before["parameters"]).filter(|parameter| of(now, parameter).is_none()) {
        found.push(format!("{name} {}: is gone", parameter["name"].as_str().unwrap_or_default()));
    }
}

fn compare_bodies(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before.get("requestBody").is_none() && now["requestBody"]["required"] == true {
        found.push(format!("{name}: a body has to be sent"));
    }
    for (media_type, before) in entries(&before["requestBody"]["content"]) {
        match now["requestBody"]["content"].get(media_type) {
            Some(now) => found.extend(refused_now(&format!("{name} body"), &before["schema"], &now["schema"])),
            None => found.push(format!("{name}: {media_type} is not read")),
        }
    }
}

fn compare_answers(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    for (header, before) in entries(&before["headers"]) {
        let now = &now["headers"][header];
        if before["required"] == true && now["required"] != true {
            found.push(format!("{name} {header}: may be missing"));
        } else if now.is_object() {
            found.extend(
                breaks(&format!("{name} {header}"), &before["schema"], &now["schema"]).iter().map(ToString::to_string),
            );
        }
    }
    for (media_type, before) in entries(&before["content"]) {
        match now["content"].get(media_type) {
            Some(now) => found.extend(breaks(name, &before["schema"], &now["schema"]).iter().map(ToString::to_string)),
            None => found.push(format!("{name}: is not {media_type}")),
        }
    }
}

/// What could be sent by `before` and is refused by `now`: the other way round, who wrote for the one is read by the other.
fn refused_now(what: &str, before: &Value, now: &Value) -> Vec<String> {
    let narrowed = breaks(what, now, before)
        .into_iter()
        .map(|Break { field, keyword, before, now }| Break { field, keyword, before: now, now: before }.to_string());
    narrowed.chain(fields_gone(what, before, now)).collect()
}

/// The fields that could be sent and are not known any more.
fn fields_gone(what: &str, before: &Value, now: &Value) -> Vec<String> {
    let below = |before: &Value, now: &Value, name: &str| fields_gone(&format!("{what}{name}"), before, now);
    let mut gone = Vec::new();
    for (name, field) in entries(&before["properties"]) {
        match now["properties"].get(name) {
            Some(now) => gone.extend(below(field, now, &format!(".{name}"))),
            None => gone.push(format!("{what}.{name}: is gone")),
        }
    }
    if before["items"].is_object() {
        gone.extend(below(&before["items"], &now["items"], "[]"));
    }
    gone
}

/// `value` with everything in the place of its reference. None of the API's types holds itself.
fn whole(value: &Value, document: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| whole(item, document)).collect(),
        Value::Object(fields) => {
            let mut all = Map::new();
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let target = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
                all = whole(target, document).as_object().cloned().unwrap_or_default();
            }
            for (name, field) in fields.iter().filter(|(name, _)| *name != "$ref") {
                merge(all.entry(name).or_insert(Value::Null), whole(field, document));
            }
            all.into()
        }
        other => other.clone(),
    }
}

/// What stands beside a reference holds as well as what it refers to.
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
fn what_a_client_can_bear_is_no_break() {
    let released = crate::document();
    assert_eq!(broken_clients(&released, &released), Vec::<String>::new());
    for (pointer, value) in [
        ("/info/version", json!("2.0.0")),
        ("/paths/~1products/get/summary", json!("another")),
        ("/paths/~1orders/get/security", json!([])),
        ("/paths/~1products/get/responses/418", json!({"description": "a new refusal"})),
        ("/components/schemas/NewProduct/properties/stock/maximum", json!(2_000_000)),
        ("/components/schemas/NewProduct/properties/colour", json!({"type": "string"})),
        ("/components/schemas/NewProduct/required", json!(["name", "price"])),
        ("/components/schemas/Product/properties/colour", json!({"type": "string"})),
        ("/components/schemas/Image/required", json!(["id", "state", "reason"])),
    ] {
        assert_eq!(broken_clients(&released, &changed(pointer, Some(value))), Vec::<String>::new(), "{pointer}");
    }
}

#[test]
fn what_a_client_cannot_bear_is_named() {
    let released = crate::document();
    for (pointer, value, named) in [
        ("/paths/~1me", None, "PUT /me: is gone"),
        ("/paths/~1orders/post", None, "POST /orders: is gone"),
        (
            "/paths/~1orders/post/operationId",
            Some(json!("order")),
            "POST /orders: is called \"order\" and was \"place-order\"",
        ),
        (
            "/paths/~1products/get/security",
            Some(json!([{"token": []}])),
            "GET /products: needs [{\"token\":[]}] and needed []",
        ),
        ("/paths/~1products/post/responses/201", None, "POST /products 201: is gone"),
        ("/paths/~1products/post/responses/202", Some(json!({})), "POST /products 202: is new"),
        ("/paths/~1products/post/responses/201/headers/Location", None, "POST /products 201 Location: may be missing"),
        ("/paths/~1products/get/parameters/1", None, "GET /products cursor: is gone"),
        ("/paths/~1products/get/parameters/1/required", Some(json!(true)), "GET /products cursor: has to be sent"),
        (
            "/paths/~1products/get/parameters/0/schema/maximum",
            Some(json!(50)),
            "GET /products limit: maximum was 100 and is 50",
        ),
        (
            "/components/schemas/NewProduct/properties/name/maxLength",
            Some(json!(100)),
            "POST /products body.name: maxLength was 200 and is 100",
        ),
        ("/components/schemas/NewProduct/properties/description", None, "POST /products body.description: is gone"),
        (
            "/components/schemas/NewOrder/properties/lines/maxItems",
            Some(json!(10)),
            "POST /orders body.lines: maxItems was 50 and is 10",
        ),
        (
            "/components/schemas/NewOrderLine/properties/quantity/type",
            Some(json!("string")),
            "POST /orders body.lines[].quantity: type was \"integer\" and is \"string\"",
        ),
        ("/components/schemas/Customer/required", Some(json!(["id"])), "PUT /me 200: required was"),
        (
            "/components/schemas/Image/properties/state/enum",
            Some(json!(["pending", "ready", "failed", "lost"])),
            "GET /products 200.items[].images[].state: enum was",
        ),
        (
            "/paths/~1products~1{productId}/patch/requestBody/content/application~1merge-patch+json",
            None,
            "PATCH /products/{productId}: application/merge-patch+json is not read",
        ),
        (
            "/paths/~1products/get/responses/200/content/application~1json",
            None,
            "GET /products 200: is not application/json",
        ),
    ] {
        let broken = broken_clients(&released, &changed(pointer, value));
        assert!(broken.iter().any(|line| line.starts_with(named)), "{pointer}: {broken:#?}");
    }
    let mut required = released.clone();
    let new = &mut required["components"]["schemas"]["Registration"];
    new["properties"]["age"] = json!({"type": "integer"});
    new["required"] = json!(["email", "name", "age"]);
    assert!(broken_clients(&released, &required)[0].starts_with("PUT /me body: required was"));
}

/// The document with another value at `pointer`, or without what is there.
fn changed(pointer: &str, value: Option<Value>) -> Value {
    let mut document = crate::document();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        (Value::Object(fields), None) => assert!(fields.remove(&name).is_some(), "{pointer}"),
        (parent, Some(value)) => parent[name.as_str()] = value,
        (other, None) => panic!("{other}"),
    }
    document
}
