//! Tests that CloudWatch extracts the same metrics from the log lines of both functions ("Embedded metric format
//! specification").

use serde_json::{Value, json};

use crate::function::{Function, Handler, Language, Line, NAME, SERVICE};
use crate::payload::Payload;
use crate::record::table;

/// The metric directives in the lines of two successful invocations. Each comes with the members of its line that it
/// refers to.
async fn metrics_of(language: Language) -> Vec<Value> {
    let function = Function::start(language, Handler::Request, table().await).await;
    for _ in 0..2 {
        assert_eq!(function.invoke(&Payload::new(Handler::Request).event()).await.status, 201);
    }
    let lines = function.lines();
    let mut metrics: Vec<Value> = lines.iter().filter(|line| line.contains_key("_aws")).flat_map(directives).collect();
    // Sort them: Powertools writes the cold start first and in a separate line, the Rust runtime writes one line.
    metrics.sort_by_key(Value::to_string);
    metrics
}

fn directives(line: &Line) -> Vec<Value> {
    let metadata = line["_aws"].as_object().unwrap();
    assert_eq!(metadata.len(), 2, "{metadata:?}");
    assert!(metadata["Timestamp"].is_u64(), "{metadata:?}");
    let directives = metadata["CloudWatchMetrics"].as_array().unwrap().iter();
    directives.map(|directive| json!({ "directive": directive, "refers_to": referenced_members(directive, line) })).collect()
}

fn referenced_members(directive: &Value, line: &Line) -> Value {
    let sets = directive["Dimensions"].as_array().unwrap().iter();
    let dimensions = sets.flat_map(|set| set.as_array().unwrap());
    let metrics = directive["Metrics"].as_array().unwrap().iter().map(|metric| &metric["Name"]);
    let names = dimensions.chain(metrics).map(|name| name.as_str().unwrap());
    names.map(|name| (name.to_owned(), line[name].clone())).collect()
}

/// Removes the metric that Powertools does not have: the outcome of invocations.
fn without_outcomes(mut metrics: Vec<Value>) -> Vec<Value> {
    for metric in &mut metrics {
        metric["directive"]["Metrics"].as_array_mut().unwrap().retain(|metric| metric["Name"] != "Succeeded");
        metric["refers_to"].as_object_mut().unwrap().remove("Succeeded");
    }
    metrics.retain(|metric| metric["directive"]["Metrics"] != json!([]));
    metrics
}

#[tokio::test]
async fn both_write_the_same_metrics() {
    let rust = without_outcomes(metrics_of(Language::Rust).await);
    assert_eq!(rust, metrics_of(Language::Python).await);

    let charges = json!({
        "directive": {
            "Namespace": "Shop",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "Charges", "Unit": "Count"}, {"Name": "ChargeTime", "Unit": "Milliseconds"}],
        },
        "refers_to": {"service": SERVICE, "Charges": [1.0, 1.0], "ChargeTime": [12.5]},
    });
    let cold_start = json!({
        "directive": {
            "Namespace": "Shop",
            "Dimensions": [["function_name", "service"]],
            "Metrics": [{"Name": "ColdStart", "Unit": "Count"}],
        },
        "refers_to": {"function_name": NAME, "service": SERVICE, "ColdStart": [1.0]},
    });
    assert_eq!(rust, [cold_start, charges.clone(), charges]);
}
