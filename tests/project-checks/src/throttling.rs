//! Throttling limits of the routes.

use std::collections::BTreeSet;

use ferrite_local_stack::template::{Route, Template, TemplateError};

use crate::reference::reference;

/// Methods that change nothing (RFC 9110, "Safe Methods").
const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Reports write routes without a throttling limit of their own, and limits of routes that do not exist. Other routes may
/// have one. A route for any method (`ANY`, `X-AMAZON-APIGATEWAY-ANY-METHOD`) has the default limit.
///
/// # Errors
/// Returns an error if the `CodeUri` of a function is invalid.
pub fn limits(template: &Template) -> Result<Vec<String>, TemplateError> {
    let mut found = Vec::new();
    let routes: Vec<Route> = template.routes()?.into_iter().map(|(route, ..)| route).collect();
    let is_write =
        |route: &&Route| !SAFE_METHODS.contains(&route.method.as_str()) && !route.method.to_uppercase().contains("ANY");
    for (name, api) in template.resources_of_type("AWS::Serverless::Api") {
        let mut limits = BTreeSet::new();
        for setting in api["MethodSettings"].as_sequence().into_iter().flatten() {
            let text = |property: &str| setting[property].as_str().unwrap_or_default();
            let path = text("ResourcePath").replacen("/~1", "/", 1).replace("~1", "/");
            let route = format!("{} {path}", text("HttpMethod"));
            let limit = |property: &str| reference(&setting[property]);
            if limit("ThrottlingRateLimit").is_none() || limit("ThrottlingRateLimit") != limit("ThrottlingBurstLimit") {
                found.push(format!(
                    "{name}: {route}: set ThrottlingRateLimit and ThrottlingBurstLimit to the same parameter of the template"
                ));
            }
            limits.insert(route);
        }
        if !limits.remove("* /*") {
            found.push(format!("{name}: add the default limit to MethodSettings: ResourcePath /*, HttpMethod \"*\""));
        }
        for route in routes.iter().filter(is_write) {
            if !limits.contains(&format!("{} {}", route.method, route.path)) {
                let Route { method, path } = route;
                found.push(format!("{name}: {method} {path} has no throttling limit; run ./scripts/generate"));
            }
        }
        let exists = |limit: &String| routes.iter().any(|route| *limit == format!("{} {}", route.method, route.path));
        found.extend(limits.into_iter().filter(|limit| !exists(limit)).map(|limit| {
            format!("{name}: MethodSettings has a limit for {limit}, but no function has this route; run ./scripts/generate")
        }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{template, template_without};

    const API: &str = r#"
  Api:
    Type: AWS::Serverless::Api
    Properties:
      MethodSettings:
        - {ResourcePath: /*, HttpMethod: "*", ThrottlingRateLimit: !Ref Requests, ThrottlingBurstLimit: !Ref Requests}
        - {ResourcePath: "/~1items~1{itemId}", HttpMethod: PUT, ThrottlingRateLimit: !Ref Writes, ThrottlingBurstLimit: !Ref Writes}
  PutItem:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/put-item/
      Events:
        Read: {Type: Api, Properties: {Method: GET, Path: "/items/{itemId}"}}
        Write: {Type: Api, Properties: {Method: PUT, Path: "/items/{itemId}"}}
        Proxy: {Type: Api, Properties: {Method: ANY, Path: "/{proxy+}"}}
"#;

    #[test]
    fn accepts_write_routes_with_a_limit() {
        assert_eq!(limits(&template(API)).unwrap(), [""; 0]);
    }

    #[test]
    fn reports_missing_and_unknown_limits() {
        let missing = limits(&template_without(API, "!Ref Writes")).unwrap();
        assert_eq!(missing, ["Api: PUT /items/{itemId} has no throttling limit; run ./scripts/generate"]);
        let no_default = limits(&template_without(API, "!Ref Requests")).unwrap();
        assert!(no_default[0].starts_with("Api: add the default limit"), "{no_default:?}");
        let unknown = limits(&template_without(API, "Write: ")).unwrap();
        assert!(unknown[0].contains("a limit for PUT /items/{itemId}, but no function has this route"), "{unknown:?}");
    }

    #[test]
    fn reports_limits_that_are_not_one_parameter() {
        for other in ["ThrottlingBurstLimit: 5", "ThrottlingBurstLimit: !Ref Requests"] {
            let found = limits(&template(&API.replace("ThrottlingBurstLimit: !Ref Writes", other))).unwrap();
            assert!(found.len() == 1 && found[0].contains("same parameter"), "{found:?}");
        }
    }
}
