//! API Gateway's own error responses.

use ferrite_local_stack::template::Template;
use serde_yaml_ng::{Mapping, Value};

/// API Gateway's types of 4xx responses, except DEFAULT_4XX ("Gateway response types for API Gateway").
const CLIENT_ERRORS: [&str; 14] = [
    "ACCESS_DENIED",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "EXPIRED_TOKEN",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];

/// Types of responses that can mean an unknown route.
const UNKNOWN_ROUTE: [&str; 4] = ["RESOURCE_NOT_FOUND", "INVALID_SIGNATURE", "EXPIRED_TOKEN", "DEFAULT_4XX"];

/// Headers that depend on the origin of the request.
const CORS: [&str; 3] = ["Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary"];

/// The gateway responses of each API.
fn responses(template: &Template) -> impl Iterator<Item = (&str, &Value)> {
    template.resources_of_type("AWS::Serverless::Api").map(|(name, api)| (name, &api["GatewayResponses"]))
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_mapping().into_iter().flatten().filter_map(|(name, value)| Some((name.as_str()?, value)))
}

/// Reports 4xx responses that are missing or whose body has another status, and responses for an unknown route that are not
/// the same 404.
///
/// AWS does not document the type of the response for an unknown route whose `Authorization` header is not a signature.
/// It may have no type of its own, so DEFAULT_4XX must not be the response of any other type.
#[must_use]
pub fn statuses(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for (api, responses) in responses(template) {
        for name in CLIENT_ERRORS {
            let Some(status) = responses[name]["StatusCode"].as_str() else {
                found.push(format!("{api}: add the gateway response {name} with a StatusCode"));
                continue;
            };
            let body = responses[name]["ResponseTemplates"]["application/json"].as_str().unwrap_or_default();
            if !body.contains(&format!("\"status\":{status},")) {
                found.push(format!("{api}: {name}: set \"status\" in the body to its StatusCode, {status}"));
            }
        }
        let not_found = &responses["MISSING_AUTHENTICATION_TOKEN"];
        if not_found["StatusCode"] != "404" {
            found.push(format!("{api}: set the StatusCode of MISSING_AUTHENTICATION_TOKEN to \"404\""));
        }
        let different = UNKNOWN_ROUTE.into_iter().filter(|name| &responses[*name] != not_found);
        found.extend(different.map(|name| {
            format!("{api}: make {name} the same as MISSING_AUTHENTICATION_TOKEN, because it can mean an unknown route")
        }));
    }
    found
}

/// Reports variables other than the request id in gateway responses. With several allowed origins and no firewall, pages of
/// all origins can read these responses.
#[must_use]
pub fn variables(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for (api, responses) in responses(template) {
        for (name, response) in entries(responses) {
            for body in entries(&response["ResponseTemplates"]).filter_map(|(_, body)| body.as_str()) {
                if body.matches('$').count() != body.matches("$context.requestId").count() {
                    found.push(format!("{api}: {name}: remove the variables other than $context.requestId from {body}"));
                }
            }
            for (header, value) in entries(&response["ResponseParameters"]["Headers"]) {
                let is_constant = value.as_str().is_some_and(|value| value.starts_with('\''));
                if !is_constant && !CORS.contains(&header) {
                    found.push(format!("{api}: {name}: set the header {header} to a constant in single quotes"));
                }
            }
        }
    }
    found
}

/// Reports gateway responses whose headers differ from those of UNAUTHORIZED, apart from `WWW-Authenticate`.
#[must_use]
pub fn headers(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    let without_challenge = |response: &Value| {
        let mut headers = response["ResponseParameters"]["Headers"].as_mapping().cloned().unwrap_or_else(Mapping::new);
        headers.remove("WWW-Authenticate");
        headers
    };
    for (api, responses) in responses(template) {
        let expected = without_challenge(&responses["UNAUTHORIZED"]);
        for (name, response) in entries(responses) {
            let headers = without_challenge(response);
            let names = expected.keys().chain(headers.keys());
            let mut different: Vec<_> =
                names.filter(|name| expected.get(*name) != headers.get(*name)).filter_map(Value::as_str).collect();
            different.dedup();
            if !different.is_empty() {
                found.push(format!("{api}: {name}: set the headers {} as in UNAUTHORIZED", different.join(", ")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::template;

    /// An API with all gateway responses, one a line.
    fn api() -> String {
        let mut text = "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      GatewayResponses:\n".to_owned();
        for name in CLIENT_ERRORS.into_iter().chain(["DEFAULT_4XX"]) {
            let status = match name {
                "UNAUTHORIZED" => 401,
                "MISSING_AUTHENTICATION_TOKEN" => 404,
                name if UNKNOWN_ROUTE.contains(&name) => 404,
                _ => 400,
            };
            let challenge = if name == "UNAUTHORIZED" { ", WWW-Authenticate: \"'Bearer'\"" } else { "" };
            let headers = format!("Cache-Control: \"'no-store'\", Vary: !If [A, \"'Origin'\", !Ref B]{challenge}");
            let body = format!("'{{\"status\":{status},\"instance\":\"$context.requestId\"}}'");
            text.push_str(&format!(
                "        {name}: {{StatusCode: \"{status}\", ResponseParameters: {{Headers: {{{headers}}}}}, \
                 ResponseTemplates: {{application/json: {body}}}}}\n"
            ));
        }
        text
    }

    /// The API with `other` in place of `part` in one gateway response.
    fn api_with(name: &str, part: &str, other: &str) -> String {
        let edited = |line: &str| {
            let is_response = line.trim_start().starts_with(&format!("{name}: "));
            if is_response { line.replace(part, other) } else { line.to_owned() }
        };
        api().lines().map(|line| edited(line) + "\n").collect()
    }

    fn check(resources: &str) -> [Vec<String>; 3] {
        let template = template(resources);
        [statuses(&template), variables(&template), headers(&template)]
    }

    #[test]
    fn accepts_responses_with_the_same_headers() {
        assert_eq!(check(&api()), [(); 3].map(|()| Vec::<String>::new()));
    }

    #[test]
    fn reports_a_missing_response() {
        let [found, ..] = check(&api().replace("QUOTA_EXCEEDED", "OTHER"));
        assert_eq!(found, ["Api: add the gateway response QUOTA_EXCEEDED with a StatusCode"]);
    }

    #[test]
    fn reports_a_body_with_another_status() {
        let [found, ..] = check(&api_with("UNAUTHORIZED", "\"status\":401", "\"status\":403"));
        assert_eq!(found, ["Api: UNAUTHORIZED: set \"status\" in the body to its StatusCode, 401"]);
    }

    #[test]
    fn reports_different_responses_for_an_unknown_route() {
        let [found, ..] = check(&api_with("INVALID_SIGNATURE", "no-store", "no-cache"));
        assert!(found.len() == 1 && found[0].starts_with("Api: make INVALID_SIGNATURE the same"), "{found:?}");
    }

    #[test]
    fn reports_variables_of_the_request() {
        let [_, found, _] = check(&api_with("UNAUTHORIZED", "$context.requestId", "$context.path"));
        assert!(found.len() == 1 && found[0].contains("UNAUTHORIZED: remove the variables"), "{found:?}");
        let [_, found, _] = check(&api_with("THROTTLED", "\"'no-store'\"", "method.request.header.Accept"));
        assert_eq!(found, ["Api: THROTTLED: set the header Cache-Control to a constant in single quotes"]);
    }

    #[test]
    fn reports_responses_with_other_headers() {
        let [.., found] = check(&api_with("THROTTLED", "no-store", "no-cache"));
        assert_eq!(found, ["Api: THROTTLED: set the headers Cache-Control as in UNAUTHORIZED"]);
    }
}
