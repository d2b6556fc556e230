//! The one reader of template.yaml.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml_ng::Value;

use ferrite_aws_client::endpoint::Credentials;

use crate::files::{FileError, at};

/// Why a template could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is not YAML, or has something that the scripts do not understand.
    #[error("template.yaml: {0}")]
    Invalid(String),
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A template.
pub struct Template(Value);

/// A function of the template.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name: that of its crate, which its `CodeUri` ends in.
    pub name: String,
    /// The route that it serves; `None` for a function that is not called over HTTP.
    pub route: Option<Route>,
}

/// A method and a path of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST` …
    pub method: String,
    /// The path, with its parameters in braces.
    pub path: String,
}

impl Template {
    /// Reads the template at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is not YAML.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        Self::parse(&std::fs::read_to_string(path).map_err(at(path))?)
    }

    /// Reads a template from its text.
    ///
    /// # Errors
    /// When it is not YAML.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        serde_yaml_ng::from_str(text).map(Self).map_err(|error| TemplateError::Invalid(error.to_string()))
    }

    /// Every function.
    ///
    /// # Errors
    /// When one has a `CodeUri` that is not where cargo-lambda leaves it.
    pub fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        self.properties()
            .map(|properties| Ok(Function { name: function_name(properties)?, route: route(properties) }))
            .collect()
    }

    /// The environment variables of a function in a stack with `parameters`: those of the template, and those that Lambda
    /// derives from the logging configuration.
    ///
    /// # Errors
    /// When the value of one uses another function than `!Ref`, `!Sub` and `!GetAtt`.
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
                    TemplateError::Invalid(format!("{function}: the value of {variable} is not understood"))
                })?;
                Ok((variable, value))
            })
            .collect()
    }

    /// Every route, with its function, and whether it needs no token.
    ///
    /// # Errors
    /// When a function has a `CodeUri` that is not where cargo-lambda leaves it.
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

    /// Every resource by its logical id.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0["Resources"].as_mapping().into_iter().flatten();
        resources.filter_map(|(name, resource)| Some((name.as_str()?, resource)))
    }

    /// The resources of a type with their properties, by logical id.
    pub fn resources_of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.resources().filter(move |(_, resource)| resource["Type"] == kind);
        resources.map(|(name, resource)| (name, &resource["Properties"]))
    }

    /// The whole template.
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.0
    }

    fn properties(&self) -> impl Iterator<Item = &Value> {
        self.resources_of_type("AWS::Serverless::Function").map(|(_, properties)| properties)
    }

    /// A value as CloudFormation would resolve it for a local stack; `None` for anything else.
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
            scalar => plain(scalar),
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
        let default = || plain(&self.0["Parameters"][name]["Default"]);
        let resource = || {
            let called = format!("{STACK}-{}", name.to_lowercase());
            match self.0["Resources"][name]["Type"].as_str()? {
                "AWS::SQS::Queue" => Some(format!("https://sqs.localhost/{ACCOUNT}/{called}")),
                _ => Some(called),
            }
        };
        pseudo.or_else(default).or_else(resource)
    }

    fn substitute(&self, text: &str, parameters: &BTreeMap<&str, &str>) -> Option<String> {
        let mut pieces = text.split("${");
        let mut whole = pieces.next()?.to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}')?;
            whole.push_str(&self.reference(name, parameters)?);
            whole.push_str(rest);
        }
        Some(whole)
    }
}

/// The name of a function: that of its crate, which its `CodeUri` ends in.
///
/// # Errors
/// When the `CodeUri` is not where cargo-lambda leaves the binary.
pub fn function_name(properties: &Value) -> Result<String, TemplateError> {
    let code = text(&properties["CodeUri"]);
    let name = code.trim_end_matches('/').strip_prefix("target/lambda/").map(str::to_owned);
    name.ok_or_else(|| TemplateError::Invalid(format!("a function's CodeUri is target/lambda/NAME/, and not {code:?}")))
}

fn route(properties: &Value) -> Option<Route> {
    let route = api_events(properties).next()?;
    Some(Route { method: text(&route["Method"]), path: text(&route["Path"]) })
}

fn api_events(properties: &Value) -> impl Iterator<Item = &Value> {
    let events = properties["Events"].as_mapping().into_iter().flatten().map(|(_, event)| event);
    events.filter(|event| event["Type"] == "Api" || event["Type"] == "HttpApi").map(|event| &event["Properties"])
}

/// A scalar as the text of a variable.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
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
  GetProduct:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/get-product/
      Environment:
        Variables:
          TABLE_NAME: !Ref Table
          BUCKET: !Sub "${AWS::StackName}-images-${Table}"
          DLQ: !Ref Dlq
          ISSUER: !Ref Issuer
          LIMIT: 7
      Events: {Route: {Type: Api, Properties: {Method: GET, Path: "/products/{productId}"}}}
  Relay:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/relay-events/
      Events: {Changes: {Type: DynamoDB}}
"#;

    fn variables(template: &str) -> Result<BTreeMap<String, String>, TemplateError> {
        Template::parse(template).unwrap().variables("get-product", &BTreeMap::from([("Issuer", "me")]))
    }

    #[test]
    fn resolves_a_functions_variables() {
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
    fn an_http_function_is_one_with_a_route() {
        let functions = Template::parse(TEMPLATE).unwrap().functions().unwrap();
        let names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["get-product", "relay-events"]);
        let route = Route { method: "GET".to_owned(), path: "/products/{productId}".to_owned() };
        assert_eq!((functions[0].route.as_ref(), functions[1].route.as_ref()), (Some(&route), None));
    }

    #[test]
    fn names_a_variable_that_cannot_be_resolved() {
        let error = variables(&TEMPLATE.replace("LIMIT: 7", "LIMIT: !If [A, 1, 2]")).unwrap_err();
        assert!(error.to_string().contains("get-product: the value of LIMIT"), "{error}");
    }
}
