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

/// template.yaml, read.
pub struct Template(Value);

/// A function as the template has it.
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
        self.properties().map(|properties| Ok(Function { name: name(properties)?, route: route(properties) })).collect()
    }

    /// The variables of a function's environment, in a stack with `parameters` in the place of the template's own defaults:
    /// those that the template names, and those that Lambda derives from its logging configuration.
    ///
    /// # Errors
    /// When the value of one takes more than `!Ref`, `!Sub` and `!GetAtt` to tell.
    pub fn variables(&self, function: &str, parameters: &BTreeMap<&str, &str>) -> Result<BTreeMap<String, String>, TemplateError> {
        let own = self.properties().find(|properties| name(properties).is_ok_and(|name| name == function));
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
                let value = value
                    .ok_or_else(|| TemplateError::Invalid(format!("{function}: the value of {variable} is not understood")))?;
                Ok((variable, value))
            })
            .collect()
    }

    /// Every route, with the function that serves it and whether it is for anyone, without a token.
    ///
    /// # Errors
    /// When a function has a `CodeUri` that is not where cargo-lambda leaves it.
    pub fn routes(&self) -> Result<Vec<(Route, String, bool)>, TemplateError> {
        let mut routes = Vec::new();
        for properties in self.properties() {
            let name = name(properties)?;
            routes.extend(api_events(properties).map(|event| {
                let is_for_anyone = event["Auth"]["Authorizer"] == "NONE";
                (Route { method: text(&event["Method"]), path: text(&event["Path"]) }, name.clone(), is_for_anyone)
            }));
        }
        Ok(routes)
    }

    /// Every resource by its logical id.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0["Resources"].as_mapping().into_iter().flatten();
        resources.filter_map(|(name, resource)| Some((name.as_str()?, resource)))
    }

    fn properties(&self) -> impl Iterator<Item = &Value> {
        let functions = self.resources().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
        functions.map(|(_, function)| &function["Properties"])
    }

    /// A value as CloudFormation would give it to a stack of this machine's own; `None` for what is not understood.
    fn resolve(&self, value: &Value, parameters: &BTreeMap<&str, &str>) -> Option<String> {
        match value {
            Value::Tagged(tagged) => {
                let text = tagged.value.as_str()?;
                match tagged.tag.to_string().as_str() {
                    "!Ref" => self.reference(text, parameters),
                    "!Sub" => self.substitute(text, parameters),
                    "!GetAtt" => {
                        Some(format!("arn:aws:local:{}:{ACCOUNT}:{text}", Credentials::emulator().region))
                    }
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

fn name(properties: &Value) -> Result<String, TemplateError> {
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

/// A value that stands for itself, as the text that a variable has.
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
    fn a_functions_variables_are_those_of_a_stack() {
        let variables = variables(TEMPLATE).unwrap();
        assert_eq!((variables["LOG_LEVEL"].as_str(), variables["RATE"].as_str()), ("INFO", "0.5"));
        assert_eq!(variables["TABLE_NAME"], "ferrite-bench-table");
        assert_eq!(variables["BUCKET"], "ferrite-bench-images-ferrite-bench-table");
        assert!(variables["DLQ"].starts_with("https://"), "{}", variables["DLQ"]);
        assert_eq!((variables["ISSUER"].as_str(), variables["LIMIT"].as_str()), ("me", "7"));
    }

    #[test]
    fn lambdas_own_log_settings_are_variables_too() {
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
    fn the_routes_are_those_of_the_apis_document() {
        let read =
            |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
        let template = Template::parse(&read("template.yaml")).unwrap();
        let document: serde_json::Value = serde_json::from_str(&read("shared/api/openapi.json")).unwrap();
        let mut described = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                // What stands behind a point tells a function's operations apart.
                let function = operation["operationId"].as_str().unwrap().split('.').next().unwrap().to_owned();
                let is_for_anyone = operation["security"].as_array().unwrap().is_empty();
                let served = |method: &str| {
                    (Route { method: method.to_owned(), path: path.clone() }, function.clone(), is_for_anyone)
                };
                described.push(served(&method.to_uppercase()));
                if method == "get" {
                    described.push(served("HEAD"));
                }
            }
        }
        let in_order = |mut routes: Vec<(Route, String, bool)>| {
            routes.sort_by_key(|(route, ..)| (route.path.clone(), route.method.clone()));
            routes
        };
        let mut routes = template.routes().unwrap();
        // Browsers ask it by themselves, of every path.
        routes.retain(|(route, ..)| route.method != "OPTIONS");
        assert_eq!(in_order(routes), in_order(described), "template.yaml, shared/api/src/openapi");
    }

    #[test]
    fn a_value_that_is_not_understood_is_named() {
        let error = variables(&TEMPLATE.replace("LIMIT: 7", "LIMIT: !If [A, 1, 2]")).unwrap_err();
        assert!(error.to_string().contains("get-product: the value of LIMIT"), "{error}");
    }

    /// infra/operations.yaml, and template.yaml beside it.
    fn operations() -> (Template, Template) {
        let read = |name: &str| Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
        (read("infra/operations.yaml"), read("template.yaml"))
    }

    /// What a loop of infra/operations.yaml goes over, and what it makes of each.
    fn each<'a>(operations: &'a Template, collection: &str) -> (Vec<String>, &'a Value) {
        let each = &operations.0["Resources"][format!("Fn::ForEach::Each{collection}").as_str()];
        (each[1].as_sequence().unwrap().iter().map(text).collect(), &each[2])
    }

    /// The names, without the stack's, of the queues that have a redrive policy, or of those that have none.
    fn queues(template: &Template, consumed: bool) -> Vec<String> {
        let queues = template.resources().filter(|(_, resource)| resource["Type"] == "AWS::SQS::Queue");
        let ours = queues.filter(|(_, queue)| queue["Properties"]["RedrivePolicy"].is_mapping() == consumed);
        let mut names: Vec<_> = ours
            .map(|(logical_id, queue)| match &queue["Properties"]["QueueName"] {
                Value::Tagged(name) => text(&name.value).replace("${AWS::StackName}-", ""),
                _ => panic!("{logical_id} has no name, and the alarms find a queue by its name"),
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_function_has_its_alarms() {
        let (operations, template) = operations();
        let (names, alarms) = each(&operations, "Function");
        let mut functions: Vec<_> = template.functions().unwrap().into_iter().map(|function| function.name).collect();
        functions.sort();
        assert_eq!(names, functions, "the list of EachFunction");
        // Whose refusals are errors to Lambda, and whose alarm is one of its own.
        functions.retain(|name| name != "authorize");
        assert_eq!(each(&operations, "FailingFunction").0, functions, "the list of EachFailingFunction");

        let usual = template.0["Globals"]["Function"]["Timeout"].as_u64();
        let Value::Tagged(threshold) = &alarms["Slow&{Function}"]["Properties"]["Threshold"] else { panic!() };
        for properties in template.properties() {
            let name = name(properties).unwrap();
            let timeout = properties["Timeout"].as_u64().or(usual).unwrap();
            let slow = &operations.0["Mappings"]["Slow"][name.as_str()]["Milliseconds"];
            let slow = slow.as_u64().or_else(|| threshold.value[3]["DefaultValue"].as_u64());
            assert_eq!(slow, Some(timeout * 800), "{name}: four fifths of its timeout");
            let mut events = properties["Events"].as_mapping().into_iter().flatten();
            if events.any(|(_, event)| event["Type"] == "DynamoDB") {
                assert_eq!(name, "relay-events", "StreamFallsBehind is about relay-events alone");
            }
        }
    }

    #[test]
    fn every_queue_has_its_alarms_and_is_on_the_dashboard() {
        let (operations, template) = operations();
        let dashboard = format!("{:?}", operations.0["Resources"]["Dashboard"]);
        let old = "ApproximateAgeOfOldestMessage";
        for (collection, consumed, metrics) in
            [("Queue", true, vec![old]), ("DeadLetterQueue", false, vec!["ApproximateNumberOfMessagesVisible", old])]
        {
            let (names, alarms) = each(&operations, collection);
            assert_eq!(names, queues(&template, consumed), "the list of Each{collection}");
            let watched = alarms.as_mapping().unwrap().values().map(|alarm| text(&alarm["Properties"]["MetricName"]));
            assert_eq!(watched.collect::<Vec<_>>(), metrics, "{collection}");
            for name in names {
                assert!(dashboard.contains(&format!("${{Service}}-{name}\"")), "{name} is not on the dashboard");
            }
        }
    }
}
