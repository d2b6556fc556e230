//! Alarms that ./scripts/generate does not derive.

use ferrite_local_stack::template::{Template, function_name};
use serde_yaml_ng::Value;

use crate::reference::{reference, sub_text};

/// The dimensions of the metrics that ferrite-runtime writes for every function.
const DIMENSIONS: [&str; 2] = ["function_name", "service"];

/// Reports authorizers without an alarm on the failures that they count themselves.
///
/// An authorizer returns 401 by failing its invocation, so Lambda counts every invalid token as an error. The alarm must not
/// combine metrics in log lines with those of Lambda, because they arrive later.
#[must_use]
pub fn authorizers(template: &Template, operations: &Template) -> Vec<String> {
    let namespace = &template.root()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"];
    let mut found = Vec::new();
    for (_, api) in template.resources_of_type("AWS::Serverless::Api") {
        let authorizers = api["Auth"]["Authorizers"].as_mapping().into_iter().flatten();
        for function in authorizers.filter_map(|(_, authorizer)| reference(&authorizer["FunctionArn"])) {
            let Ok(name) = function_name(&template.root()["Resources"][function]["Properties"]) else { continue };
            let mut alarms = operations.resources_of_type("AWS::CloudWatch::Alarm");
            if !alarms.any(|(_, alarm)| reads_own_failures(alarm, namespace, &name)) {
                found.push(format!(
                    "infra/operations.yaml: add an alarm on the metric Failed of {name}: the namespace of \
                     POWERTOOLS_METRICS_NAMESPACE, and the dimensions {} and {}",
                    DIMENSIONS[0], DIMENSIONS[1]
                ));
            }
        }
    }
    found
}

fn reads_own_failures(alarm: &Value, namespace: &Value, function: &str) -> bool {
    let dimensions = || alarm["Dimensions"].as_sequence().into_iter().flatten();
    let names = dimensions().filter_map(|dimension| dimension["Name"].as_str());
    let is_function = |dimension: &Value| {
        dimension["Name"] == DIMENSIONS[0] && sub_text(&dimension["Value"]) == Some(&format!("${{Service}}-{function}"))
    };
    alarm["Namespace"] == *namespace
        && alarm["MetricName"] == "Failed"
        && alarm["Metrics"].is_null()
        && names.eq(DIMENSIONS)
        && dimensions().any(is_function)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Globals: {Function: {Environment: {Variables: {POWERTOOLS_METRICS_NAMESPACE: App}}}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {Auth: {Authorizers: {Jwt: {FunctionArn: !GetAtt Check.Arn}}}}
  Check: {Type: AWS::Serverless::Function, Properties: {CodeUri: target/lambda/check-token/}}
"#;

    const OPERATIONS: &str = r#"
Resources:
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: App
      MetricName: Failed
      Dimensions: [{Name: function_name, Value: !Sub "${Service}-check-token"}, {Name: service, Value: !Ref Service}]
"#;

    fn check(operations: &str) -> Vec<String> {
        authorizers(&Template::parse(TEMPLATE).unwrap(), &Template::parse(operations).unwrap())
    }

    #[test]
    fn accepts_an_alarm_on_the_failures_of_the_authorizer() {
        assert_eq!(check(OPERATIONS), [""; 0]);
    }

    #[test]
    fn reports_an_alarm_on_other_metrics() {
        for (part, other) in [
            ("Namespace: App", "Namespace: AWS/Lambda"),
            ("MetricName: Failed", "MetricName: Errors"),
            ("check-token", "get-item"),
            (", {Name: service, Value: !Ref Service}", ""),
            ("MetricName: Failed", "MetricName: Failed\n      Metrics: []"),
        ] {
            let found = check(&OPERATIONS.replace(part, other));
            assert!(found.len() == 1 && found[0].contains("the metric Failed of check-token"), "{other}: {found:?}");
        }
    }
}
