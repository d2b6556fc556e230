//! Reads template.yaml. All commands and tests use this module.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml_ng::Value;

use ferrite_aws_client::endpoint::Credentials;

use crate::files::{FileError, at};

/// Error returned when a template cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file is not valid YAML, or contains something that the commands do not support.
    #[error("template.yaml: {0}")]
    Invalid(String),
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A parsed SAM template.
pub struct Template(Value);

/// A Lambda function in the template.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name of the function's crate, which is the last part of its `CodeUri`.
    pub name: String,
    /// The route that the function serves; `None` if API Gateway does not invoke it.
    pub route: Option<Route>,
}

/// A route of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// HTTP method in upper case: `GET`, `POST` …
    pub method: String,
    /// Resource path, with path parameters in braces.
    pub path: String,
}

impl Template {
    /// Reads the template at `path`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not valid YAML.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        Self::parse(&std::fs::read_to_string(path).map_err(at(path))?)
    }

    /// Parses a template.
    ///
    /// # Errors
    /// Returns an error if `text` is not valid YAML.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        serde_yaml_ng::from_str(text).map(Self).map_err(|error| TemplateError::Invalid(error.to_string()))
    }

    /// Returns all functions of the template.
    ///
    /// # Errors
    /// Returns an error if the `CodeUri` of a function is not `target/lambda/NAME/`, where cargo-lambda writes the
    /// binary.
    pub fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        self.properties()
            .map(|properties| Ok(Function { name: function_name(properties)?, route: route(properties) }))
            .collect()
    }

    /// Returns the environment variables of a function in a stack with `parameters`: those that the template sets, and
    /// those that Lambda derives from the logging configuration.
    ///
    /// # Errors
    /// Returns an error if a value uses an intrinsic function other than `!Ref`, `!Sub` and `!GetAtt`.
    pub fn variables(
        &self,
        function: &str,
        parameters: &BTreeMap<&str, &str>,
    ) -> Result<BTreeMap<String, String>, TemplateError> {
        let own = self.properties().find(|properties| function_name(properties).is_ok_and(|name| name == function));
        let levels: Vec<_> = [Some(&self.0["Globals"]["Function"]), own].into_iter().flatten().collect();
        let named = levels.iter().filter_map(|level| level["Environment"]["Variables"].as_mapping()).flatten();
        let logging = levels.iter().filter_map(|level| level["LoggingConfig"].as_mapping()).flatten();
        let derived = logging.filter_map(|(setting, value)| {
            let variable = match setting.as_str()? {
                "LogFormat" => "AWS_LAMBDA_LOG_FORMAT",
                "ApplicationLogLevel" => "AWS_LAMBDA_LOG_LEVEL",
                _ => return None,
            };
            Some((variable.to_owned(), value))
        });
        named
            .map(|(variable, value)| (text(variable), value))
            .chain(derived)
            .map(|(variable, value)| {
                let value = self.resolve(value, parameters);
                let value = value.ok_or_else(|| {
                    TemplateError::Invalid(format!("{function}: the value of {variable} is not supported"))
                })?;
                Ok((variable, value))
            })
            .collect()
    }

    /// Returns all routes, each with the name of its function and whether it is public (needs no token).
    ///
    /// # Errors
    /// Returns an error if the `CodeUri` of a function is not `target/lambda/NAME/`, where cargo-lambda writes the
    /// binary.
    pub fn routes(&self) -> Result<Vec<(Route, String, bool)>, TemplateError> {
        let mut routes = Vec::new();
        for properties in self.properties() {
            let name = function_name(properties)?;
            routes.extend(api_events(properties).map(|event| {
                let is_public = event["Auth"]["Authorizer"] == "NONE";
                (Route { method: text(&event["Method"]), path: text(&event["Path"]) }, name.clone(), is_public)
            }));
        }
        Ok(routes)
    }

    /// Returns all resources with their logical IDs.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0["Resources"].as_mapping().into_iter().flatten();
        resources.filter_map(|(name, resource)| Some((name.as_str()?, resource)))
    }

    /// Returns the logical IDs and the properties of all resources of a type.
    pub fn resources_of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.resources().filter(move |(_, resource)| resource["Type"] == kind);
        resources.map(|(name, resource)| (name, &resource["Properties"]))
    }

    /// The root of the YAML document.
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.0
    }

    fn properties(&self) -> impl Iterator<Item = &Value> {
        self.resources_of_type("AWS::Serverless::Function").map(|(_, properties)| properties)
    }

    /// Resolves a value as CloudFormation does. Returns `None` if the value is not supported.
    fn resolve(&self, value: &Value, parameters: &BTreeMap<&str, &str>) -> Option<String> {
        match value {
            Value::Tagged(tagged) => {
                let text = tagged.value.as_str()?;
                match tagged.tag.to_string().as_str() {
                    "!Ref" => self.reference(text, parameters),
                    "!Sub" => self.substitute(text, parameters),
                    "!GetAtt" => Some(format!("arn:aws:local:{}:{ACCOUNT}:{text}", Credentials::emulator().region)),
                    _ => None,
                }
            }
            scalar => scalar_text(scalar),
        }
    }

    fn reference(&self, name: &str, parameters: &BTreeMap<&str, &str>) -> Option<String> {
        let pseudo = match name {
            "AWS::StackName" => Some(STACK.to_owned()),
            "AWS::AccountId" => Some(ACCOUNT.to_owned()),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::Region" => Some(Credentials::emulator().region),
            _ => parameters.get(name).map(|value| (*value).to_owned()),
        };
        let default = || scalar_text(&self.0["Parameters"][name]["Default"]);
        let resource = || {
            let physical_name = format!("{STACK}-{}", name.to_lowercase());
            match self.0["Resources"][name]["Type"].as_str()? {
                "AWS::SQS::Queue" => Some(format!("https://sqs.localhost/{ACCOUNT}/{physical_name}")),
                _ => Some(physical_name),
            }
        };
        pseudo.or_else(default).or_else(resource)
    }

    fn substitute(&self, text: &str, parameters: &BTreeMap<&str, &str>) -> Option<String> {
        let mut parts = text.split("${");
        let mut substituted = parts.next()?.to_owned();
        for part in parts {
            let (name, literal) = part.split_once('}')?;
            substituted.push_str(&self.reference(name, parameters)?);
            substituted.push_str(literal);
        }
        Some(substituted)
    }
}

/// Returns the name of a function's crate, which is the last part of its `CodeUri`.
///
/// # Errors
/// Returns an error if the `CodeUri` is not `target/lambda/NAME/`, where cargo-lambda writes the binary.
pub fn function_name(properties: &Value) -> Result<String, TemplateError> {
    let code = text(&properties["CodeUri"]);
    let name = code.trim_end_matches('/').strip_prefix("target/lambda/").map(str::to_owned);
    name.ok_or_else(|| TemplateError::Invalid(format!("CodeUri must be target/lambda/NAME/, not {code:?}")))
}

fn route(properties: &Value) -> Option<Route> {
    let route = api_events(properties).next()?;
    Some(Route { method: text(&route["Method"]), path: text(&route["Path"]) })
}

fn api_events(properties: &Value) -> impl Iterator<Item = &Value> {
    let events = properties["Events"].as_mapping().into_iter().flatten().map(|(_, event)| event);
    events.filter(|event| event["Type"] == "Api" || event["Type"] == "HttpApi").map(|event| &event["Properties"])
}

/// Returns a scalar as the text of an environment variable.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

const STACK: &str = "ferrite-bench";
const ACCOUNT: &str = "000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters: {LogLevel: {Type: String, Default: INFO}, Rate: {Type: Number, Default: 0.5}, Issuer: {Type: String}}
Globals:
  Function:
    LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG, SystemLogLevel: WARN}
    Environment: {Variables: {LOG_LEVEL: !Ref LogLevel, RATE: !Ref Rate}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Dlq: {Type: AWS::SQS::Queue}
  GetItem:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/get-item/
      Environment:
        Variables:
          TABLE_NAME: !Ref Table
          BUCKET: !Sub "${AWS::StackName}-images-${Table}"
          DLQ: !Ref Dlq
          ISSUER: !Ref Issuer
          LIMIT: 7
      Events: {Route: {Type: Api, Properties: {Method: GET, Path: "/items/{itemId}"}}}
  Relay:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/relay-events/
      Events: {Changes: {Type: DynamoDB}}
"#;

    fn variables(template: &str) -> Result<BTreeMap<String, String>, TemplateError> {
        Template::parse(template).unwrap().variables("get-item", &BTreeMap::from([("Issuer", "me")]))
    }

    #[test]
    fn resolves_the_environment_variables_of_a_function() {
        let variables = variables(TEMPLATE).unwrap();
        assert_eq!((variables["LOG_LEVEL"].as_str(), variables["RATE"].as_str()), ("INFO", "0.5"));
        assert_eq!(variables["TABLE_NAME"], "ferrite-bench-table");
        assert_eq!(variables["BUCKET"], "ferrite-bench-images-ferrite-bench-table");
        assert!(variables["DLQ"].starts_with("https://"), "{}", variables["DLQ"]);
        assert_eq!((variables["ISSUER"].as_str(), variables["LIMIT"].as_str()), ("me", "7"));
    }

    #[test]
    fn derives_variables_from_the_logging_configuration() {
        let variables = variables(TEMPLATE).unwrap();
        let settings = (variables["AWS_LAMBDA_LOG_FORMAT"].as_str(), variables["AWS_LAMBDA_LOG_LEVEL"].as_str());
        assert_eq!(settings, ("JSON", "DEBUG"));
    }

    #[test]
    fn returns_the_route_of_a_function_with_an_api_event() {
        let functions = Template::parse(TEMPLATE).unwrap().functions().unwrap();
        let names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["get-item", "relay-events"]);
        let route = Route { method: "GET".to_owned(), path: "/items/{itemId}".to_owned() };
        assert_eq!((functions[0].route.as_ref(), functions[1].route.as_ref()), (Some(&route), None));
    }

    #[test]
    fn error_names_a_variable_that_cannot_be_resolved() {
        let error = variables(&TEMPLATE.replace("LIMIT: 7", "LIMIT: !If [A, 1, 2]")).unwrap_err();
        assert!(error.to_string().contains("get-item: the value of LIMIT"), "{error}");
    }
}
