//! Checks that infra/operations.yaml and the OpenAPI document agree with template.yaml.

use std::fs;
use std::path::Path;

use ferrite_local_stack::template::{Route, Template, function_name};
use serde_yaml_ng::Value;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_template_and_the_openapi_document_have_the_same_routes() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
    let template = Template::parse(&read("template.yaml")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&read("shared/api/openapi.json")).unwrap();
    let mut described = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // A suffix after a dot distinguishes several operations of the same function.
            let function = operation["operationId"].as_str().unwrap().split('.').next().unwrap().to_owned();
            let is_public = operation["security"].as_array().unwrap().is_empty();
            let served =
                |method: &str| (Route { method: method.to_owned(), path: path.clone() }, function.clone(), is_public);
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
    // Every path has a preflight route, which the document leaves out.
    routes.retain(|(route, ..)| route.method != "OPTIONS");
    assert_eq!(in_order(routes), in_order(described), "template.yaml, shared/api/src/openapi");
}

/// Reads infra/operations.yaml and template.yaml.
fn templates() -> (Template, Template) {
    let read = |name: &str| Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
    (read("infra/operations.yaml"), read("template.yaml"))
}

/// The values of a `Fn::ForEach` loop in infra/operations.yaml, and the resources that it creates for each value.
fn for_each<'a>(operations: &'a Template, collection: &str) -> (Vec<String>, &'a Value) {
    let arguments = &operations.root()["Resources"][format!("Fn::ForEach::Each{collection}").as_str()];
    (arguments[1].as_sequence().unwrap().iter().map(text).collect(), &arguments[2])
}

/// The names, without the stack's prefix, of the queues with a redrive policy (`has_redrive_policy`) or of those
/// without.
fn queues(template: &Template, has_redrive_policy: bool) -> Vec<String> {
    let queues = template.resources_of_type("AWS::SQS::Queue");
    let selected = queues.filter(|(_, queue)| queue["RedrivePolicy"].is_mapping() == has_redrive_policy);
    let mut names: Vec<_> = selected
        .map(|(logical_id, queue)| match &queue["QueueName"] {
            Value::Tagged(name) => text(&name.value).replace("${AWS::StackName}-", ""),
            _ => panic!("{logical_id} has no QueueName, which the alarms need to find it"),
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_function_has_alarms() {
    let (operations, template) = templates();
    let (names, alarms) = for_each(&operations, "Function");
    let mut functions: Vec<_> = template.functions().unwrap().into_iter().map(|function| function.name).collect();
    functions.sort();
    assert_eq!(names, functions, "the list of EachFunction");
    // Lambda counts its rejections as errors, so it has a separate alarm.
    functions.retain(|name| name != "authorize");
    assert_eq!(for_each(&operations, "FailingFunction").0, functions, "the list of EachFailingFunction");
    the_alarm_of_authorize_reads_only_its_own_failures(&operations, &template);

    let default_timeout = template.root()["Globals"]["Function"]["Timeout"].as_u64();
    let Value::Tagged(threshold) = &alarms["Slow&{Function}"]["Properties"]["Threshold"] else { panic!() };
    for (_, properties) in template.resources_of_type("AWS::Serverless::Function") {
        let name = function_name(properties).unwrap();
        let timeout = properties["Timeout"].as_u64().or(default_timeout).unwrap();
        let slow = &operations.root()["Mappings"]["Slow"][name.as_str()]["Milliseconds"];
        let slow = slow.as_u64().or_else(|| threshold.value[3]["DefaultValue"].as_u64());
        assert_eq!(slow, Some(timeout * 800), "{name}: the threshold is 80% of its timeout");
        let mut events = properties["Events"].as_mapping().into_iter().flatten();
        if events.any(|(_, event)| event["Type"] == "DynamoDB") {
            assert_eq!(name, "relay-events", "StreamFallsBehind watches only relay-events");
        }
    }
}

/// Checks that the alarm does not combine Lambda's metrics with those in log lines, which arrive later.
fn the_alarm_of_authorize_reads_only_its_own_failures(operations: &Template, template: &Template) {
    let alarm = &operations.root()["Resources"]["Errorsauthorize"]["Properties"];
    let namespace = &template.root()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"];
    assert_eq!((&alarm["Namespace"], alarm["MetricName"].as_str()), (namespace, Some("Failed")));
    assert_eq!(alarm["Metrics"], Value::Null);
    // The dimensions of the metrics that ferrite_runtime writes for every function.
    let dimensions: Vec<_> = alarm["Dimensions"].as_sequence().unwrap().iter().map(|each| text(&each["Name"])).collect();
    assert_eq!(dimensions, ["function_name", "service"]);
}

#[test]
fn every_queue_has_alarms_and_is_on_the_dashboard() {
    let (operations, template) = templates();
    let dashboard = format!("{:?}", operations.root()["Resources"]["Dashboard"]);
    let age = "ApproximateAgeOfOldestMessage";
    for (collection, has_redrive_policy, metrics) in
        [("Queue", true, vec![age]), ("DeadLetterQueue", false, vec!["ApproximateNumberOfMessagesVisible", age])]
    {
        let (names, alarms) = for_each(&operations, collection);
        assert_eq!(names, queues(&template, has_redrive_policy), "the list of Each{collection}");
        let watched = alarms.as_mapping().unwrap().values().map(|alarm| text(&alarm["Properties"]["MetricName"]));
        assert_eq!(watched.collect::<Vec<_>>(), metrics, "{collection}");
        for name in names {
            assert!(dashboard.contains(&format!("${{Service}}-{name}\"")), "{name} is not on the dashboard");
        }
    }
}
