//! Checks infra/operations.yaml and the API's document against template.yaml, of which each repeats a part.

use std::fs;
use std::path::Path;

use ferrite_local_stack::template::{Route, Template, function_name};
use serde_yaml_ng::Value;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_routes_are_those_of_the_apis_document() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
    let template = Template::parse(&read("template.yaml")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&read("shared/api/openapi.json")).unwrap();
    let mut described = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // A suffix behind a dot distinguishes the operations of a function.
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
    // Browsers ask it by themselves, of every path.
    routes.retain(|(route, ..)| route.method != "OPTIONS");
    assert_eq!(in_order(routes), in_order(described), "template.yaml, shared/api/src/openapi");
}

/// infra/operations.yaml and template.yaml.
fn operations() -> (Template, Template) {
    let read = |name: &str| Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
    (read("infra/operations.yaml"), read("template.yaml"))
}

/// What a loop of infra/operations.yaml goes over, and what it makes of each.
fn each<'a>(operations: &'a Template, collection: &str) -> (Vec<String>, &'a Value) {
    let each = &operations.root()["Resources"][format!("Fn::ForEach::Each{collection}").as_str()];
    (each[1].as_sequence().unwrap().iter().map(text).collect(), &each[2])
}

/// The names, without the stack's, of the queues that have a redrive policy, or of those that have none.
fn queues(template: &Template, consumed: bool) -> Vec<String> {
    let queues = template.resources_of_type("AWS::SQS::Queue");
    let ours = queues.filter(|(_, queue)| queue["RedrivePolicy"].is_mapping() == consumed);
    let mut names: Vec<_> = ours
        .map(|(logical_id, queue)| match &queue["QueueName"] {
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
    // Its rejections are errors to Lambda, so it has an alarm of its own.
    functions.retain(|name| name != "authorize");
    assert_eq!(each(&operations, "FailingFunction").0, functions, "the list of EachFailingFunction");

    let usual = template.root()["Globals"]["Function"]["Timeout"].as_u64();
    let Value::Tagged(threshold) = &alarms["Slow&{Function}"]["Properties"]["Threshold"] else { panic!() };
    for (_, properties) in template.resources_of_type("AWS::Serverless::Function") {
        let name = function_name(properties).unwrap();
        let timeout = properties["Timeout"].as_u64().or(usual).unwrap();
        let slow = &operations.root()["Mappings"]["Slow"][name.as_str()]["Milliseconds"];
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
    let dashboard = format!("{:?}", operations.root()["Resources"]["Dashboard"]);
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
