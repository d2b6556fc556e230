//! Checks whether a consumer written for one schema can read everything that another schema allows.
//!
//! Consumers ignore unknown properties, so a new property is compatible. These changes are incompatible and are
//! reported with the name of the field:
//!
//! - a required property became optional;
//! - a type, constant, enumeration or format allows more values;
//! - a range became wider;
//! - a pattern changed, because a program cannot determine which of two patterns allows more;
//! - an unknown keyword (`oneOf`, `$ref` …) changed.
//!
//! Properties and items are compared at any depth.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// Keywords that do not affect validation.
const ANNOTATIONS: [&str; 6] = ["$schema", "title", "description", "example", "examples", "default"];

/// Keywords whose value must not decrease or be removed.
const LOWER_BOUNDS: [&str; 3] = ["minimum", "minLength", "minItems"];

/// Keywords whose value must not increase or be removed.
const UPPER_BOUNDS: [&str; 3] = ["maximum", "maxLength", "maxItems"];

/// An incompatible change: the current schema allows something that the released schema did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakingChange {
    /// Path of the field, such as `event.data.lines[].count`.
    pub field: String,
    /// JSON Schema keyword, such as `maximum` or `required`.
    pub keyword: String,
    /// Value of the keyword in the released schema.
    pub before: Option<Value>,
    /// Value of the keyword in the current schema.
    pub now: Option<Value>,
}

impl fmt::Display for BreakingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, keyword, before, now } = self;
        write!(f, "{field}: {keyword} changed from {} to {}", display(before.as_ref()), display(now.as_ref()))
    }
}

/// Returns the changes in `current` that break consumers written for `released`. `what` names the document in reports.
pub fn breaking_changes(what: &str, released: &Value, current: &Value) -> Vec<BreakingChange> {
    let mut found = Vec::new();
    compare(what, released, current, &mut found);
    found
}

fn compare(field: &str, released: &Value, current: &Value, found: &mut Vec<BreakingChange>) {
    let empty = serde_json::Map::new();
    let before = released.as_object().unwrap_or(&empty);
    let now = current.as_object().unwrap_or(&empty);
    let keywords: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for keyword in keywords {
        let before = before.get(keyword);
        let now = now.get(keyword);
        match keyword.as_str() {
            annotation if ANNOTATIONS.contains(&annotation) => {}
            "properties" => compare_properties(field, before, now, found),
            "items" if before.is_some() => compare(&format!("{field}[]"), &released["items"], &current["items"], found),
            // A new constraint only narrows what consumers receive.
            _ if before.is_none() && is_constraint(keyword) => {}
            keyword if is_compatible(keyword, before, now, current) => {}
            keyword => found.push(BreakingChange {
                field: field.to_owned(),
                keyword: keyword.to_owned(),
                before: before.cloned(),
                now: now.cloned(),
            }),
        }
    }
}

fn compare_properties(field: &str, before: Option<&Value>, now: Option<&Value>, found: &mut Vec<BreakingChange>) {
    let Some(Value::Object(before)) = before else { return };
    for (name, released) in before {
        // A removed property is compatible if it was optional. If it was required, the check of `required` reports it.
        if let Some(current) = now.and_then(|now| now.get(name)) {
            compare(&format!("{field}.{name}"), released, current, found);
        }
    }
}

fn is_constraint(keyword: &str) -> bool {
    let others = ["type", "required", "enum", "const", "format", "pattern", "items"];
    others.contains(&keyword) || LOWER_BOUNDS.contains(&keyword) || UPPER_BOUNDS.contains(&keyword)
}

/// Returns whether every value that `keyword` allows now was also allowed before.
fn is_compatible(keyword: &str, before: Option<&Value>, now: Option<&Value>, current: &Value) -> bool {
    let Some(before) = before else { return now.is_none() };
    match keyword {
        "type" => now.is_some_and(|now| list(now).iter().all(|kind| allows(&list(before), kind))),
        "required" => now.is_some_and(|now| list(before).iter().all(|name| list(now).contains(name))),
        // Treat `const` as an enumeration with one value.
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

/// Returns whether one of `kinds` includes the type `kind`. `number` includes `integer`.
fn allows(kinds: &[&Value], kind: &Value) -> bool {
    kinds.contains(&kind) || (kind == "integer" && kinds.iter().any(|allowed| *allowed == "number"))
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

fn display(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn breaking_changes(released: &Value, current: &Value) -> Vec<String> {
        super::breaking_changes("the event", released, current).iter().map(ToString::to_string).collect()
    }

    fn released() -> Value {
        json!({
            "title": "example",
            "type": "object",
            "properties": {
                "type": {"type": "string", "const": "example.v1"},
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

    /// Returns the incompatible changes after the value at `pointer` is replaced.
    fn replace(pointer: &str, value: Value) -> Vec<String> {
        let mut current = released();
        *current.pointer_mut(pointer).unwrap() = value;
        breaking_changes(&released(), &current)
    }

    /// Returns the incompatible changes after `keyword` is removed from the schema at `pointer`.
    fn remove(pointer: &str, keyword: &str) -> Vec<String> {
        let mut current = released();
        current.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(keyword).unwrap();
        breaking_changes(&released(), &current)
    }

    #[test]
    fn allows_compatible_changes() {
        assert!(breaking_changes(&released(), &released()).is_empty());
        assert!(replace("/title", json!("another")).is_empty());
        assert!(
            replace("/required", json!(["type", "data", "note"])).is_empty(),
            "an optional property may become required"
        );
        assert!(replace("/properties/data/properties/size/type", json!("integer")).is_empty());
        assert!(replace("/properties/data/properties/size/minimum", json!(2)).is_empty());
        assert!(replace("/properties/data/properties/size/maximum", json!(9)).is_empty());
        assert!(replace("/properties/data/properties/state/enum", json!(["on"])).is_empty());
        assert!(replace("/properties/data/properties/state", json!({"type": "string", "const": "off"})).is_empty());
        let bounded = json!({"type": "string", "maxLength": 5, "minLength": 1, "pattern": "^b$"});
        assert!(replace("/properties/note", bounded).is_empty());
        assert!(remove("/properties", "note").is_empty(), "an optional property may be removed");

        let mut current = released();
        current["properties"]["more"] = json!({"type": "object", "oneOf": [{}, {}]});
        assert!(breaking_changes(&released(), &current).is_empty(), "consumers ignore new properties");
    }

    #[test]
    fn reports_incompatible_changes_with_the_field() {
        for (broken, field, keyword) in [
            (replace("/required", json!(["type"])), "the event", "required"),
            (replace("/properties/type/const", json!("example.v2")), "the event.type", "const"),
            (remove("/properties/type", "const"), "the event.type", "const"),
            (replace("/properties/note/maxLength", json!(6)), "the event.note", "maxLength"),
            (remove("/properties/note", "maxLength"), "the event.note", "maxLength"),
            (replace("/properties/note/type", json!(["string", "null"])), "the event.note", "type"),
            (remove("/properties/note", "type"), "the event.note", "type"),
            (replace("/properties/data/required", json!(["id"])), "the event.data", "required"),
            (replace("/properties/data/properties/id/pattern", json!("^[ab]+$")), "the event.data.id", "pattern"),
            (remove("/properties/data/properties/id", "pattern"), "the event.data.id", "pattern"),
            (replace("/properties/data/properties/id/format", json!("uuid")), "the event.data.id", "format"),
            (replace("/properties/data/properties/size/minimum", json!(0)), "the event.data.size", "minimum"),
            (remove("/properties/data/properties/size", "minimum"), "the event.data.size", "minimum"),
            (replace("/properties/data/properties/size/maximum", json!(11)), "the event.data.size", "maximum"),
            (replace("/properties/data/properties/size/type", json!("string")), "the event.data.size", "type"),
            (replace("/properties/data/properties/state/enum", json!(["on", "off", "?"])), "the event.data.state", "enum"),
            (remove("/properties/data/properties/state", "enum"), "the event.data.state", "enum"),
            (replace("/properties/data/properties/lines/minItems", json!(0)), "the event.data.lines", "minItems"),
            (
                replace("/properties/data/properties/lines/items/properties/n/type", json!("number")),
                "the event.data.lines[].n",
                "type",
            ),
            (replace("/properties/data/properties/lines/items/required", json!([])), "the event.data.lines[]", "required"),
        ] {
            assert_eq!(broken.len(), 1, "{field} {keyword}: {broken:?}");
            assert!(broken[0].starts_with(&format!("{field}: {keyword} changed from ")), "{field} {keyword}: {broken:?}");
        }
    }

    #[test]
    fn reports_removed_constraints_on_items() {
        let broken = remove("/properties/data/properties/lines", "items");
        assert!(broken.iter().all(|line| line.starts_with("the event.data.lines[]: ")), "{broken:?}");
        assert_eq!(broken.len(), 2, "expected `type` and `required` of the items: {broken:?}");
    }

    #[test]
    fn reports_changes_to_unknown_keywords() {
        let mut current = released();
        current["properties"]["note"]["anyOf"] = json!([{"maxLength": 2}]);
        assert_eq!(
            breaking_changes(&released(), &current),
            ["the event.note: anyOf changed from absent to [{\"maxLength\":2}]"]
        );
        assert!(breaking_changes(&current, &current).is_empty());
    }
}
