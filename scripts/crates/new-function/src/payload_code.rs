//! The code of an event's payload in generated tests.

use serde_json::{Value, json};

/// The statement that defines a payload in a block of code. `level` is the number of blocks around the statement.
pub(crate) fn data_code(data: &Value, level: usize) -> String {
    let before = "let data = json!(";
    format!("{before}{});", json_code(data, 4 * level, before.len()))
}

/// The value as the argument of the macro `json!`. rustfmt does not format it, so break lines that would be too long.
///
/// The line has `indentation` spaces, and then `before` other characters.
fn json_code(value: &Value, indentation: usize, before: usize) -> String {
    /// The maximum length of a line in rustfmt.toml, minus the characters that may follow a value: `);` or `,`.
    const MAX_WIDTH: usize = 123;
    let line = json_line(value);
    if indentation + before + line.chars().count() <= MAX_WIDTH {
        return line;
    }
    let inner = indentation + 4;
    let item =
        |name: &str, value: &Value| format!("{:inner$}{name}{},\n", "", json_code(value, inner, name.chars().count()));
    match value {
        Value::Array(items) => {
            let items: String = items.iter().map(|value| item("", value)).collect();
            format!("[\n{items}{:indentation$}]", "")
        }
        Value::Object(fields) => {
            let fields: String = fields.iter().map(|(name, value)| item(&format!("{}: ", json!(name)), value)).collect();
            format!("{{\n{fields}{:indentation$}}}", "")
        }
        _ => line,
    }
}

/// The value on one line.
fn json_line(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json_line).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", json!(name), json_line(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_payloads_that_are_too_long_for_a_line() {
        assert_eq!(data_code(&json!({"noteId": "a"}), 1), r#"let data = json!({"noteId": "a"});"#);
        let id = "a".repeat(60);
        let data = json!({"a": {"id": id}, "b": [{"first": id, "second": id}]});
        let expected = format!(
            r#"let data = json!({{
        "a": {{"id": "{id}"}},
        "b": [
            {{
                "first": "{id}",
                "second": "{id}",
            }},
        ],
    }});"#
        );
        assert_eq!(data_code(&data, 1), expected);
    }
}
