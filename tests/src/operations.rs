//! Checks the alarm of the authorizer, which is not in the loops that ./scripts/generate fills.

use std::path::Path;

use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

#[test]
fn the_alarm_of_the_authorizer_reads_only_its_own_failures() {
    let read = |name: &str| Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
    let (operations, template) = (read("infra/operations.yaml"), read("template.yaml"));
    let alarm = &operations.root()["Resources"]["Errorsauthorize"]["Properties"];
    let namespace = &template.root()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"];
    assert_eq!((&alarm["Namespace"], alarm["MetricName"].as_str()), (namespace, Some("Failed")));
    // Metrics in log lines arrive later than those of Lambda, so the alarm must not combine the two.
    assert_eq!(alarm["Metrics"], Value::Null);
    // The dimensions of the metrics that ferrite_runtime writes for every function.
    let names = alarm["Dimensions"].as_sequence().unwrap().iter().map(|dimension| dimension["Name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["function_name", "service"]);
}
