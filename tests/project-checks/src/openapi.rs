//! The routes of the template and of the OpenAPI document.

use std::collections::BTreeMap;

use ferrite_local_stack::template::{Template, TemplateError};
use serde_json::Value;

/// A function that serves a route, and whether the route is public.
type Served = (String, bool);

/// Reports routes that only the template or only the document has, or that have another function or access. Preflight
/// routes are in no document.
///
/// # Errors
/// Returns an error if the `CodeUri` of a function is invalid.
pub fn routes(template: &Template, document: &Value) -> Result<Vec<String>, TemplateError> {
    let mut deployed: BTreeMap<String, Served> = BTreeMap::new();
    for (route, function, is_public) in template.routes()? {
        let is_any = route.method.to_uppercase().contains("ANY");
        if route.method != "OPTIONS" && !is_any {
            deployed.insert(format!("{} {}", route.method, route.path), (function, is_public));
        }
    }
    let described = described(document);
    let mut found = Vec::new();
    for (route, (function, is_public)) in &deployed {
        match described.get(route) {
            None => found.push(format!(
                "{route} is only in template.yaml: describe the operation {function} in the OpenAPI document, or remove the route"
            )),
            Some((other, _)) if other != function => {
                found.push(format!("{route}: set operationId to {function}, the function in template.yaml, instead of {other}"));
            }
            Some((_, other)) if other != is_public => {
                let (template, document) = if *is_public { ("no", "a") } else { ("a", "no") };
                found.push(format!(
                    "{route} requires {template} token in template.yaml, but {document} token in the OpenAPI document; \
                     change `Auth` or `security`"
                ));
            }
            Some(_) => {}
        }
    }
    for (route, (function, _)) in described.iter().filter(|(route, _)| !deployed.contains_key(*route)) {
        found.push(format!("{route} is only in the OpenAPI document: add the route to {function} in template.yaml"));
    }
    Ok(found)
}

/// The operations of the document. GET routes also have HEAD.
fn described(document: &Value) -> BTreeMap<String, Served> {
    let mut described = BTreeMap::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            // A suffix after a dot distinguishes several operations of the same function.
            let function = operation["operationId"].as_str().unwrap_or_default().split('.').next().unwrap_or_default();
            let is_public = operation["security"].as_array().is_some_and(Vec::is_empty);
            let mut add = |method: &str| described.insert(format!("{method} {path}"), (function.to_owned(), is_public));
            add(&method.to_uppercase());
            if method == "get" {
                add("HEAD");
            }
        }
    }
    described
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{template, template_without};

    const FUNCTION: &str = r#"
  GetItem:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/get-item/
      Events:
        Get: {Type: Api, Properties: {Method: GET, Path: "/items/{itemId}", Auth: {Authorizer: NONE}}}
        Head: {Type: Api, Properties: {Method: HEAD, Path: "/items/{itemId}", Auth: {Authorizer: NONE}}}
        Options: {Type: Api, Properties: {Method: OPTIONS, Path: "/items/{itemId}", Auth: {Authorizer: NONE}}}
"#;

    fn document() -> Value {
        json!({"paths": {"/items/{itemId}": {"get": {"operationId": "get-item.one", "security": []}}}})
    }

    #[test]
    fn accepts_the_same_routes() {
        assert_eq!(routes(&template(FUNCTION), &document()).unwrap(), [""; 0]);
    }

    #[test]
    fn reports_routes_that_only_one_of_them_has() {
        let found = routes(&template_without(FUNCTION, "Method: HEAD"), &document()).unwrap();
        assert_eq!(
            found,
            ["HEAD /items/{itemId} is only in the OpenAPI document: add the route to get-item in template.yaml"]
        );
        let found = routes(&template(FUNCTION), &json!({"paths": {}})).unwrap();
        assert!(found.len() == 2 && found[0].starts_with("GET /items/{itemId} is only in template.yaml"), "{found:?}");
    }

    #[test]
    fn reports_another_function_or_access() {
        let mut other = document();
        other["paths"]["/items/{itemId}"]["get"]["operationId"] = json!("read-item");
        let found = routes(&template(FUNCTION), &other).unwrap();
        assert!(found[0].contains("set operationId to get-item"), "{found:?}");
        let mut protected = document();
        protected["paths"]["/items/{itemId}"]["get"]["security"] = json!([{"token": []}]);
        let found = routes(&template(FUNCTION), &protected).unwrap();
        assert!(found[0].contains("requires no token in template.yaml, but a token"), "{found:?}");
    }
}
