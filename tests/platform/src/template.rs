//! Adds the platform of the application to the template of the tests.
//!
//! The tests then check the gateway responses, the authorizer and the firewall that the application deploys, without a
//! copy of them and without its functions.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::{Mapping, Value};

/// Sections of the application's template that the composed template has unchanged.
const SHARED_SECTIONS: [&str; 6] = ["AWSTemplateFormatVersion", "Transform", "Parameters", "Rules", "Conditions", "Globals"];

/// The error of a template that cannot be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// One of the templates is not valid YAML.
    #[error("the template of the {0} is not valid YAML")]
    Invalid(&'static str, #[source] serde_yaml_ng::Error),
    /// The template of the tests lists a resource that the application's template does not have.
    #[error("template.yaml has no resource {0}, which Metadata in tests/platform/template.yaml lists")]
    MissingResource(String),
    /// The composed template cannot be written as YAML.
    #[error("the composed template cannot be written")]
    Unwritable(#[source] serde_yaml_ng::Error),
}

/// Returns the template of the tests together with the resources of the application that it refers to, directly or
/// through other resources.
///
/// The API has only the default throttling limit, and the function that answers preflight requests has the routes of the
/// tests.
///
/// # Errors
/// Returns an error if a template is invalid, or if the application lacks a resource that `tests` lists.
pub fn compose(application: &str, tests: &str) -> Result<String, ComposeError> {
    let parse = |name, text: &str| serde_yaml_ng::from_str(text).map_err(|error| ComposeError::Invalid(name, error));
    let application: Value = parse("application", application)?;
    let tests: Value = parse("tests", tests)?;

    let mut resources = tests["Resources"].as_mapping().cloned().unwrap_or_default();
    let mut wanted: Vec<String> = Vec::new();
    for listed in tests["Metadata"]["Resources"].as_sequence().into_iter().flatten().filter_map(Value::as_str) {
        if application["Resources"].get(listed).is_none() {
            return Err(ComposeError::MissingResource(listed.to_owned()));
        }
        wanted.push(listed.to_owned());
    }
    let mut referenced = BTreeSet::new();
    collect_references(&tests["Resources"], &mut referenced);
    collect_references(&tests["Outputs"], &mut referenced);
    wanted.extend(referenced);
    let mut added = Vec::new();
    while let Some(name) = wanted.pop() {
        let Some(resource) = application["Resources"].get(&name) else { continue };
        if !resources.contains_key(&name) {
            let mut referenced = BTreeSet::new();
            collect_references(resource, &mut referenced);
            wanted.extend(referenced);
            resources.insert(name.clone().into(), resource.clone());
            added.push(name);
        }
    }

    let methods = methods(&tests["Resources"]);
    for name in added {
        let properties = &mut resources[name.as_str()]["Properties"];
        if let Some(settings) = properties.get_mut("MethodSettings").and_then(Value::as_sequence_mut) {
            settings.retain(|setting| setting["ResourcePath"] == "/*");
        }
        if properties["Environment"]["Variables"].get("METHODS").is_some() {
            answer_preflights(properties, &methods);
        }
    }

    let mut composed = Mapping::new();
    for section in SHARED_SECTIONS {
        if let Some(value) = application.get(section) {
            composed.insert(section.into(), value.clone());
        }
    }
    composed.insert("Resources".into(), resources.into());
    composed.insert("Outputs".into(), tests["Outputs"].clone());
    serde_yaml_ng::to_string(&composed).map_err(ComposeError::Unwritable)
}

/// Adds the logical ids that a value refers to with `!Ref`, `!GetAtt` and `!Sub`.
fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Tagged(tagged) => {
            if let Some(text) = tagged.value.as_str() {
                if tagged.tag == "Ref" || tagged.tag == "GetAtt" {
                    found.extend(text.split('.').next().map(str::to_owned));
                } else if tagged.tag == "Sub" {
                    let names = text.split("${").skip(1).filter_map(|part| part.split(['.', '}']).next());
                    found.extend(names.map(str::to_owned));
                }
            }
            collect_references(&tagged.value, found);
        }
        Value::Mapping(fields) => fields.values().for_each(|value| collect_references(value, found)),
        Value::Sequence(values) => values.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

/// The methods of each path.
fn methods(resources: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, resource) in resources.as_mapping().into_iter().flatten() {
        for (_, event) in resource["Properties"]["Events"].as_mapping().into_iter().flatten() {
            let route = &event["Properties"];
            if let (Some(path), Some(method)) = (route["Path"].as_str(), route["Method"].as_str()) {
                methods.entry(path.to_owned()).or_default().insert(method.to_owned());
            }
        }
    }
    methods
}

/// Replaces the routes of the function that answers preflight requests. `properties` are those of the function.
fn answer_preflights(properties: &mut Value, methods: &BTreeMap<String, BTreeSet<String>>) {
    let Some((_, pattern)) = properties["Events"].as_mapping().and_then(|events| events.iter().next()) else { return };
    let pattern = pattern.clone();
    let mut events = Mapping::new();
    for (index, path) in methods.keys().enumerate() {
        let mut event = pattern.clone();
        event["Properties"]["Path"] = path.as_str().into();
        events.insert(format!("Preflight{index}").into(), event);
    }
    properties["Events"] = events.into();
    let join = |methods: &BTreeSet<String>| methods.iter().cloned().collect::<Vec<_>>().join(", ");
    let methods: BTreeMap<_, _> = methods.iter().map(|(path, methods)| (path, join(methods))).collect();
    properties["Environment"]["Variables"]["METHODS"] = serde_json::json!(methods).to_string().into();
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLICATION: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters: {Origin: {Type: String}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      MethodSettings: [{ResourcePath: /*, HttpMethod: "*"}, {ResourcePath: /~1items, HttpMethod: POST}]
      Auth: {Authorizers: {Jwt: {FunctionArn: !GetAtt Authorize.Arn}}}
  Authorize: {Type: AWS::Serverless::Function, Properties: {Role: !Sub "${AuthorizeRole.Arn}"}}
  AuthorizeRole: {Type: AWS::IAM::Role}
  Preflight:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {METHODS: "{}", ORIGIN: !Ref Origin}}
      Events: {Items: {Type: Api, Properties: {RestApiId: !Ref Api, Method: OPTIONS, Path: /items}}}
  Items: {Type: AWS::DynamoDB::Table}
Outputs: {TableName: {Value: !Ref Items}}
"#;

    const TESTS: &str = r#"
Metadata: {Resources: [Preflight]}
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Send: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: /echo}}
        Read: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: /echo}}
Outputs: {ApiId: {Value: !Ref Api}}
"#;

    fn composed() -> Value {
        serde_yaml_ng::from_str(&compose(APPLICATION, TESTS).unwrap()).unwrap()
    }

    #[test]
    fn adds_only_the_resources_that_are_referenced() {
        let composed = composed();
        let names = composed["Resources"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap());
        let names: BTreeSet<_> = names.collect();
        assert_eq!(names, BTreeSet::from(["Api", "Authorize", "AuthorizeRole", "Echo", "Preflight"]));
        let outputs: Vec<_> = composed["Outputs"].as_mapping().unwrap().keys().collect();
        assert_eq!(outputs, ["ApiId"]);
        assert!(composed["Parameters"]["Origin"].is_mapping());
    }

    #[test]
    fn replaces_the_routes_of_the_application() {
        let composed = composed();
        let settings = composed["Resources"]["Api"]["Properties"]["MethodSettings"].as_sequence().unwrap();
        assert_eq!(settings.len(), 1);
        let preflight = &composed["Resources"]["Preflight"]["Properties"];
        assert_eq!(preflight["Environment"]["Variables"]["METHODS"], r#"{"/echo":"GET, POST"}"#);
        let events: Vec<_> = preflight["Events"].as_mapping().unwrap().values().collect();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (&events[0]["Properties"]["Method"], &events[0]["Properties"]["Path"]),
            (&"OPTIONS".into(), &"/echo".into())
        );
    }

    #[test]
    fn reports_a_listed_resource_that_does_not_exist() {
        let error = compose(APPLICATION, &TESTS.replace("[Preflight]", "[Firewall]")).unwrap_err();
        assert!(error.to_string().contains("no resource Firewall"), "{error}");
    }
}
