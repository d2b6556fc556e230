//! Sample values for JSON schemas, which the generated tests use.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value, json};

/// Why there is no sample for a schema.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SampleError {
    /// The schema has no type that samples support.
    #[error("cannot choose a sample value for the schema {0}")]
    Unsupported(Value),
    /// The pattern cannot be parsed, for example because it contains a look-around assertion.
    #[error("cannot choose a sample value for the pattern {pattern:?}")]
    Pattern { pattern: String, source: Box<regex_syntax::Error> },
}

/// Returns a value that is valid for `schema`, with all required properties. References are resolved in `definitions`.
///
/// # Errors
/// Returns an error if the schema uses keywords that samples do not support.
pub(crate) fn sample(schema: &Value, definitions: &Value) -> Result<Value, SampleError> {
    if let Some(value) = ["const", "example", "default"].iter().find_map(|keyword| schema.get(keyword)) {
        return Ok(value.clone());
    }
    if let Some(value) = ["enum", "examples"].iter().find_map(|keyword| schema.get(keyword)?.get(0)) {
        return Ok(value.clone());
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return sample(&definitions[name], definitions);
    }
    if let Some(first) = ["oneOf", "anyOf", "allOf"].iter().find_map(|keyword| schema.get(keyword)?.get(0)) {
        return sample(first, definitions);
    }
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("object") => object(schema, definitions),
        Some("array") => {
            let count = schema["minItems"].as_u64().unwrap_or(1).max(1);
            let items = (0..count).map(|_| sample(&schema["items"], definitions));
            Ok(items.collect::<Result<Vec<_>, _>>()?.into())
        }
        Some("integer" | "number") => Ok(integer(schema)),
        Some("boolean") => Ok(true.into()),
        Some("null") => Ok(Value::Null),
        Some("string") => text(schema),
        _ => Err(SampleError::Unsupported(schema.clone())),
    }
}

fn object(schema: &Value, definitions: &Value) -> Result<Value, SampleError> {
    let mut object = Map::new();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        object.insert(name.to_owned(), sample(&schema["properties"][name], definitions)?);
    }
    Ok(object.into())
}

fn integer(schema: &Value) -> Value {
    let minimum = schema["minimum"].as_i64().unwrap_or(1).max(1);
    schema["maximum"].as_i64().map_or(minimum, |maximum| minimum.min(maximum)).into()
}

fn text(schema: &Value) -> Result<Value, SampleError> {
    if schema["format"] == "date-time" {
        return Ok(json!("2026-11-22T22:00:00.000Z"));
    }
    let minimum = usize::try_from(schema["minLength"].as_u64().unwrap_or(1)).unwrap_or(1);
    let mut text = match schema["pattern"].as_str() {
        Some(pattern) => match regex_syntax::parse(pattern) {
            Ok(parsed) => matching(&parsed),
            Err(source) => return Err(SampleError::Pattern { pattern: pattern.to_owned(), source: Box::new(source) }),
        },
        None => "text".to_owned(),
    };
    if let Some(last) = text.chars().last() {
        text.extend(std::iter::repeat_n(last, minimum.saturating_sub(text.chars().count())));
    }
    Ok(text.into())
}

/// A text that the expression matches. Repetitions occur as rarely as possible.
fn matching(expression: &Hir) -> String {
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(class) => member(class).into(),
        HirKind::Repetition(repetition) => {
            let count = usize::try_from(repetition.min.max(1)).unwrap_or(1);
            matching(&repetition.sub).repeat(count)
        }
        HirKind::Capture(capture) => matching(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(matching).collect(),
        HirKind::Alternation(parts) => parts.first().map(matching).unwrap_or_default(),
    }
}

/// A character of the class: preferably a letter, then a digit.
fn member(class: &Class) -> char {
    let contains = |character: &char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(character)),
        Class::Bytes(class) => u8::try_from(*character)
            .is_ok_and(|byte| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))),
    };
    let mut preferred = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain('!'..='~');
    preferred.find(contains).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample_of(schema: Value) -> Value {
        sample(&schema, &json!({"Money": {"type": "integer", "minimum": 5}})).unwrap()
    }

    #[test]
    fn includes_all_required_properties() {
        let schema = json!({
            "type": "object", "required": ["id", "lines", "total", "paid", "time"],
            "properties": {
                "id": {"type": "string", "pattern": "^note_[0-9a-f]{12}7[0-9a-f]{3}$"},
                "lines": {"type": "array", "minItems": 2, "items": {"enum": ["first", "second"]}},
                "total": {"$ref": "#/$defs/Money"},
                "paid": {"type": "boolean"},
                "time": {"type": "string", "format": "date-time"},
                "optional": {"type": "string"},
            },
        });
        assert_eq!(
            sample_of(schema),
            json!({"id": "note_aaaaaaaaaaaa7aaa", "lines": ["first", "first"], "total": 5, "paid": true,
                   "time": "2026-11-22T22:00:00.000Z"})
        );
    }

    #[test]
    fn matches_patterns_and_limits() {
        for (schema, expected) in [
            (json!({"type": "string", "pattern": "^[A-Z]{3}$"}), json!("AAA")),
            (json!({"type": "string", "pattern": "^[!-~]+$", "minLength": 4}), json!("aaaa")),
            (json!({"type": "string", "pattern": r"^(GET|PUT) /x\.y?$"}), json!("GET /x.y")),
            (json!({"type": "string", "minLength": 1}), json!("text")),
            (json!({"type": "integer", "minimum": 0, "maximum": 0}), json!(0)),
            (json!({"type": ["string", "null"], "example": "x"}), json!("x")),
        ] {
            assert_eq!(sample_of(schema), expected);
        }
    }

    #[test]
    fn rejects_schemas_that_it_does_not_support() {
        assert!(
            sample(&json!({"type": "string", "pattern": "(?=a)"}), &Value::Null).unwrap_err().to_string().contains("(?=a)")
        );
        assert!(sample(&json!(true), &Value::Null).is_err());
    }
}
