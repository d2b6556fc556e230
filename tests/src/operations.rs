//! Checks that infra/operations.yaml agrees with template.yaml.

use std::path::Path;

use ferrite_local_stack::template::{Template, function_name};
use serde_yaml_ng::Value;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
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
