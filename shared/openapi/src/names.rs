//! Names of components, and header objects.

use serde_json::{Value, json};

/// Returns `not-found` or `Not Found` as `NotFound`.
pub(crate) fn pascal_case(text: &str) -> String {
    let mut result = String::new();
    for word in text.split(['-', ' ']) {
        let (first, remainder) = word.split_at(word.len().min(1));
        result.push_str(&first.to_ascii_uppercase());
        result.push_str(remainder);
    }
    result
}

/// Returns a header object.
pub(crate) fn header(description: &str, schema: Value, required: bool) -> Value {
    json!({"description": description, "required": required, "schema": schema})
}
