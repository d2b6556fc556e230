//! Path parameters of a route, and how the new function parses them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::name::{pascal_case, snake_case};
use crate::operations::Operations;
use crate::sample::sample;

/// A path parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Parameter {
    /// The name in the path, such as `noteId`.
    pub(crate) name: String,
    /// The name of the variable, such as `note_id`.
    pub(crate) variable: String,
    /// The Rust type, such as `NoteId` of the domain crate, or `String`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// A valid value.
    pub(crate) sample: String,
    /// The code of the parameter in the table of operations.
    pub(crate) expression: String,
}

impl Parameter {
    /// The type in the domain crate; `None` if the parameter can be any text.
    pub(crate) fn domain_type(&self) -> Option<&str> {
        Some(self.kind.as_str()).filter(|kind| *kind != "String")
    }

    /// Chooses the type of the parameter `name`.
    ///
    /// If the table of `operations` has a function for the parameter, it has the same type as in existing routes.
    /// `document` is the API document, `domain` the root module of the domain crate, which exports the types of identifiers,
    /// and `openapi` the crate with the types of the table.
    ///
    /// # Errors
    /// Returns an error if the table cannot be parsed, or if there is no sample for the existing parameter.
    pub(crate) fn new(
        name: &str,
        operations: &Operations,
        document: &Value,
        domain: &str,
        openapi: &str,
    ) -> anyhow::Result<Self> {
        let component = pascal_case(name);
        let variable = snake_case(name);
        let existing = &document["components"]["parameters"][component.as_str()];
        if existing["in"] != "path" || !operations.has_function(&variable)? {
            let (parameter, json) = (operations.item(openapi, "Parameter")?, operations.item("serde_json", "json")?);
            let description = format!("Identifier of the {}.", variable.trim_end_matches("_id").replace('_', " "));
            let expression = format!(
                "{parameter}::new({name:?}, \"path\", true, {json}!({{\"type\": \"string\", \"minLength\": 1}}), {description:?})"
            );
            return Ok(Self {
                name: name.to_owned(),
                variable,
                kind: "String".to_owned(),
                sample: "text".to_owned(),
                expression,
            });
        }
        let example = existing.get("example").or_else(|| existing["schema"].get("example"));
        let sample = match example.and_then(Value::as_str) {
            Some(example) => example.to_owned(),
            None => sample(&existing["schema"], &json!({}))?.as_str().unwrap_or_default().to_owned(),
        };
        let is_exported = domain.split(|character: char| !character.is_alphanumeric()).any(|word| word == component);
        let kind = if is_exported { component } else { "String".to_owned() };
        let expression = format!("{variable}()");
        Ok(Self { name: name.to_owned(), variable, kind, sample, expression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: &str = r#"
        use kit::{Access, Operation, Parameter};
        fn note_id() -> Parameter { Parameter::new("noteId") }
        fn operations() -> Vec<Operation> { vec![Operation::new("get-note", "get", "/notes/{noteId}", Access::User)] }
    "#;
    const DOMAIN: &str = "pub use id::{NoteId, TeamId};";

    fn parameter(name: &str) -> Parameter {
        let note = json!({"in": "path", "name": "noteId", "schema": {"type": "string", "pattern": "^note_[0-9]{2}$"}});
        let document = json!({"components": {"parameters": {"NoteId": note}}});
        Parameter::new(name, &Operations::parse("operations.rs", OPERATIONS).unwrap(), &document, DOMAIN, "kit").unwrap()
    }

    #[test]
    fn reuses_the_type_of_an_existing_parameter() {
        let note = parameter("noteId");
        assert_eq!((note.kind.as_str(), note.sample.as_str(), note.expression.as_str()), ("NoteId", "note_00", "note_id()"));
        assert_eq!((note.variable.as_str(), note.domain_type()), ("note_id", Some("NoteId")));
    }

    #[test]
    fn accepts_any_text_for_a_new_parameter() {
        let team = parameter("teamId");
        assert_eq!((team.kind.as_str(), team.domain_type()), ("String", None));
        let schema = r#"serde_json::json!({"type": "string", "minLength": 1})"#;
        let expected = format!("Parameter::new(\"teamId\", \"path\", true, {schema}, \"Identifier of the team.\")");
        assert_eq!(team.expression, expected);
    }
}
