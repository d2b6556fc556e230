//! References between resources of a template.

use serde_yaml_ng::Value;

/// Returns the logical id in a `!Ref` or a `!GetAtt`, or `None` if the value is something else.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    let is_reference = tagged.tag == "Ref" || tagged.tag == "GetAtt";
    tagged.value.as_str().filter(|_| is_reference)?.split('.').next()
}

/// Returns the arguments of an `!If`: the condition and its two values. Returns `None` if the value is something else.
pub(crate) fn if_arguments(value: &Value) -> Option<&Vec<Value>> {
    match value {
        Value::Tagged(tagged) if tagged.tag == "If" => tagged.value.as_sequence(),
        _ => None,
    }
}

/// Returns the text of a `!Sub`.
pub(crate) fn sub_text(value: &Value) -> Option<&str> {
    match value {
        Value::Tagged(tagged) if tagged.tag == "Sub" => tagged.value.as_str(),
        _ => None,
    }
}
