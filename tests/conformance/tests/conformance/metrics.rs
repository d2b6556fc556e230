//! What CloudWatch makes of the lines of both is the same ("Embedded metric format specification").

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::function::{Function, Handler, Language, Line, NAME, SERVICE};
use crate::record::table;

/// What CloudWatch gets from the lines of two invocations that charge: for each directive, itself, and what the members of
/// its line are to which it refers.
async fn measured_by(language: Language) -> Vec<Value> {
    let function = Function::start(language, Handler::Request, table().await).await;
    for _ in 0..2 {
        assert_eq!(function.invoke(&Asked::new(Handler::Request).event()).await.status, 201);
    }
    let lines = function.lines();
    let mut measured: Vec<Value> = lines.iter().filter(|line| line.contains_key("_aws")).flat_map(directives).collect();
    // Ours are in one line, and Powertools writes the cold start before the rest.
    measured.sort_by_key(Value::to_string);
    measured
}

fn directives(line: &Line) -> Vec<Value> {
    let metadata = line["_aws"].as_object().unwrap();
    assert_eq!(metadata.len(), 2, "{metadata:?}");
    assert!(metadata["Timestamp"].is_u64(), "{metadata:?}");
    let directives = metadata["CloudWatchMetrics"].as_array().unwrap().iter();
    directives.map(|directive| json!({ "directive": directive, "refers_to": referred(directive, line) })).collect()
}

fn referred(directive: &Value, line: &Line) -> Value {
    let sets = directive["Dimensions"].as_array().unwrap().iter();
    let dimensions = sets.flat_map(|set| set.as_array().unwrap());
    let metrics = directive["Metrics"].as_array().unwrap().iter().map(|metric| &metric["Name"]);
    let names = dimensions.chain(metrics).map(|name| name.as_str().unwrap());
    names.map(|name| (name.to_owned(), line[name].clone())).collect()
}

/// Without what Powertools does not count: how invocations end.
fn without_outcomes(mut measured: Vec<Value>) -> Vec<Value> {
    for one in &mut measured {
        one["directive"]["Metrics"].as_array_mut().unwrap().retain(|metric| metric["Name"] != "Succeeded");
        one["refers_to"].as_object_mut().unwrap().remove("Succeeded");
    }
    measured.retain(|one| one["directive"]["Metrics"] != json!([]));
    measured
}

#[tokio::test]
async fn the_same_is_measured() {
    let ours = without_outcomes(measured_by(Language::Rust).await);
    assert_eq!(ours, measured_by(Language::Python).await);

    let charged = json!({
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
    assert_eq!(ours, [cold_start, charged.clone(), charged]);
}
