//! Checks whether a consumer written for one schema can read everything that another schema allows.
//!
//! Consumers ignore unknown properties, so a new property is compatible. Incompatible changes are reported with the name of
//! the field: a required property that became optional; a type, constant, list of values or format that allows more; a wider
//! range; a different pattern, because a program cannot tell which of two patterns allows more. Properties and items are
//! compared at any depth. An unknown keyword (`oneOf`, `$ref` …) must not change.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// Keywords that only people read.
const ANNOTATIONS: [&str; 6] = ["$schema", "title", "description", "example", "examples", "default"];

/// Keywords that must not become smaller or disappear.
const LOWER_BOUNDS: [&str; 3] = ["minimum", "minLength", "minItems"];

/// Keywords that must not become greater or disappear.
const UPPER_BOUNDS: [&str; 3] = ["maximum", "maxLength", "maxItems"];

/// An incompatible change: one way in which a schema allows what the released schema did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The field: `event.data.lines[].count`.
    pub field: String,
    /// The JSON Schema keyword: `maximum`, `required` …
    pub keyword: String,
    /// The keyword's value in the released schema.
    pub before: Option<Value>,
    /// The keyword's value in the current schema.
    pub now: Option<Value>,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, keyword, before, now } = self;
        write!(f, "{field}: {keyword} was {} and is {}", shown(before.as_ref()), shown(now.as_ref()))
    }
}

/// The changes in `current` that break consumers written for `released`. `what` is the name of the document in reports.
pub fn breaks(what: &str, released: &Value, current: &Value) -> Vec<Break> {
    let mut found = Vec::new();
    compare(what, released, current, &mut found);
    found
}

fn compare(field: &str, released: &Value, current: &Value, found: &mut Vec<Break>) {
    let empty = serde_json::Map::new();
    let (before, now) = (released.as_object().unwrap_or(&empty), current.as_object().unwrap_or(&empty));
    let keywords: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for keyword in keywords {
        let (before, now) = (before.get(keyword), now.get(keyword));
        match keyword.as_str() {
            annotation if ANNOTATIONS.contains(&annotation) => {}
            "properties" => compare_properties(field, before, now, found),
            "items" if before.is_some() => compare(&format!("{field}[]"), &released["items"], &current["items"], found),
            // A consumer that could read anything can read this.
            _ if before.is_none() && is_constraint(keyword) => {}
            keyword if still_holds(keyword, before, now, current) => {}
            keyword => found.push(Break {
                field: field.to_owned(),
                keyword: keyword.to_owned(),
                before: before.cloned(),
                now: now.cloned(),
            }),
        }
    }
}

fn compare_properties(field: &str, before: Option<&Value>, now: Option<&Value>, found: &mut Vec<Break>) {
    let Some(Value::Object(before)) = before else { return };
    for (name, released) in before {
        // A property that is gone was optional before, or `required` reports it.
        if let Some(current) = now.and_then(|now| now.get(name)) {
            compare(&format!("{field}.{name}"), released, current, found);
        }
    }
}

fn is_constraint(keyword: &str) -> bool {
    let others = ["type", "required", "enum", "const", "format", "pattern", "items"];
    others.contains(&keyword) || LOWER_BOUNDS.contains(&keyword) || UPPER_BOUNDS.contains(&keyword)
}

/// Whether the promise of `keyword` still holds.
fn still_holds(keyword: &str, before: Option<&Value>, now: Option<&Value>, current: &Value) -> bool {
    let (Some(before), now) = (before, now) else { return before == now };
    match keyword {
        "type" => now.is_some_and(|now| list(now).iter().all(|kind| allows(&list(before), kind))),
        "required" => now.is_some_and(|now| list(before).iter().all(|name| list(now).contains(name))),
        // `const` is a list with one value.
        "enum" | "const" => {
            let values = current.get("enum").map(list).or_else(|| current.get("const").map(|value| vec![value]));
            let allowed = if keyword == "enum" { list(before) } else { vec![before] };
            values.is_some_and(|values| values.iter().all(|value| allowed.contains(value)))
        }
        _ if LOWER_BOUNDS.contains(&keyword) => now.and_then(Value::as_f64) >= before.as_f64(),
        _ if UPPER_BOUNDS.contains(&keyword) => now.and_then(Value::as_f64).is_some_and(|now| Some(now) <= before.as_f64()),
        _ => now == Some(before),
    }
}

/// Every integer is a number.
fn allows(kinds: &[&Value], kind: &Value) -> bool {
    kinds.contains(&kind) || (kind == "integer" && kinds.iter().any(|allowed| *allowed == "number"))
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn breaks(released: &Value, current: &Value) -> Vec<String> {
        super::breaks("the event", released, current).iter().map(ToString::to_string).collect()
    }

    fn released() -> Value {
        json!({
            "title": "made up",
            "type": "object",
            "properties": {
                "type": {"type": "string", "const": "made-up.v1"},
                "note": {"type": "string", "maxLength": 5},
                "data": {"type": "object", "required": ["id", "lines"], "properties": {
                    "id": {"type": "string", "pattern": "^a+$", "format": "uri"},
                    "size": {"type": "number", "minimum": 1, "maximum": 10},
                    "state": {"type": "string", "enum": ["on", "off"]},
                    "lines": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["n"], "properties": {
                        "n": {"type": "integer"},
                    }}},
                }},
            },
            "required": ["type", "data"],
        })
    }

    /// What breaks when the value at `pointer` changes.
    fn changed(pointer: &str, value: Value) -> Vec<String> {
        let mut current = released();
        *current.pointer_mut(pointer).unwrap() = value;
        breaks(&released(), &current)
    }

    /// What breaks when `keyword` is removed from the schema at `pointer`.
    fn without(pointer: &str, keyword: &str) -> Vec<String> {
        let mut current = released();
        current.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(keyword).unwrap();
        breaks(&released(), &current)
    }

    #[test]
    fn allows_compatible_changes() {
        assert!(breaks(&released(), &released()).is_empty());
        assert!(changed("/title", json!("another")).is_empty());
        assert!(changed("/required", json!(["type", "data", "note"])).is_empty(), "an optional property became required");
        assert!(changed("/properties/data/properties/size/type", json!("integer")).is_empty());
        assert!(changed("/properties/data/properties/size/minimum", json!(2)).is_empty());
        assert!(changed("/properties/data/properties/size/maximum", json!(9)).is_empty());
        assert!(changed("/properties/data/properties/state/enum", json!(["on"])).is_empty());
        assert!(changed("/properties/data/properties/state", json!({"type": "string", "const": "off"})).is_empty());
        let bounded = json!({"type": "string", "maxLength": 5, "minLength": 1, "pattern": "^b$"});
        assert!(changed("/properties/note", bounded).is_empty());
        assert!(without("/properties", "note").is_empty(), "it was optional");

        let mut current = released();
        current["properties"]["more"] = json!({"type": "object", "oneOf": [{}, {}]});
        assert!(breaks(&released(), &current).is_empty(), "consumers ignore new properties");
    }

    #[test]
    fn reports_incompatible_changes_with_their_field() {
        for (broken, field, keyword) in [
            (changed("/required", json!(["type"])), "the event", "required"),
            (changed("/properties/type/const", json!("made-up.v2")), "the event.type", "const"),
            (without("/properties/type", "const"), "the event.type", "const"),
            (changed("/properties/note/maxLength", json!(6)), "the event.note", "maxLength"),
            (without("/properties/note", "maxLength"), "the event.note", "maxLength"),
            (changed("/properties/note/type", json!(["string", "null"])), "the event.note", "type"),
            (without("/properties/note", "type"), "the event.note", "type"),
            (changed("/properties/data/required", json!(["id"])), "the event.data", "required"),
            (changed("/properties/data/properties/id/pattern", json!("^[ab]+$")), "the event.data.id", "pattern"),
            (without("/properties/data/properties/id", "pattern"), "the event.data.id", "pattern"),
            (changed("/properties/data/properties/id/format", json!("uuid")), "the event.data.id", "format"),
            (changed("/properties/data/properties/size/minimum", json!(0)), "the event.data.size", "minimum"),
            (without("/properties/data/properties/size", "minimum"), "the event.data.size", "minimum"),
            (changed("/properties/data/properties/size/maximum", json!(11)), "the event.data.size", "maximum"),
            (changed("/properties/data/properties/size/type", json!("string")), "the event.data.size", "type"),
            (changed("/properties/data/properties/state/enum", json!(["on", "off", "?"])), "the event.data.state", "enum"),
            (without("/properties/data/properties/state", "enum"), "the event.data.state", "enum"),
            (changed("/properties/data/properties/lines/minItems", json!(0)), "the event.data.lines", "minItems"),
            (
                changed("/properties/data/properties/lines/items/properties/n/type", json!("number")),
                "the event.data.lines[].n",
                "type",
            ),
            (changed("/properties/data/properties/lines/items/required", json!([])), "the event.data.lines[]", "required"),
        ] {
            assert_eq!(broken.len(), 1, "{field} {keyword}: {broken:?}");
            assert!(broken[0].starts_with(&format!("{field}: {keyword} was ")), "{field} {keyword}: {broken:?}");
        }
    }

    #[test]
    fn reports_items_that_are_no_longer_restricted() {
        let broken = without("/properties/data/properties/lines", "items");
        assert!(broken.iter().all(|line| line.starts_with("the event.data.lines[]: ")), "{broken:?}");
        assert_eq!(broken.len(), 2, "their type and what they require: {broken:?}");
    }

    #[test]
    fn reports_changes_of_unknown_keywords() {
        let mut current = released();
        current["properties"]["note"]["anyOf"] = json!([{"maxLength": 2}]);
        assert_eq!(breaks(&released(), &current), ["the event.note: anyOf was absent and is [{\"maxLength\":2}]"]);
        assert!(breaks(&current, &current).is_empty());
    }
}
