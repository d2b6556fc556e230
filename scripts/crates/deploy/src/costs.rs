//! What a stack costs per month without traffic.

use std::collections::BTreeMap;
use std::path::Path;

use ferrite_local_stack::template::{Template, TemplateError};
use serde_yaml_ng::Value;

/// The date of the prices, which are those of us-east-1 without the free tier ("Amazon CloudWatch Pricing" and "AWS WAF
/// Pricing" on aws.amazon.com). Prices of other regions differ.
const PRICES_OF: &str = "November 2026";

/// CloudWatch: one metric of an alarm with standard resolution.
const ALARM_METRIC_CENTS: u64 = 10;

/// CloudWatch: one dashboard. The first three of an account are free.
const DASHBOARD_CENTS: u64 = 300;

/// AWS WAF: one web ACL.
const WEB_ACL_CENTS: u64 = 500;

/// AWS WAF: one rule or managed rule group in a web ACL.
const WEB_ACL_RULE_CENTS: u64 = 100;

/// The resources of a stack that cost the same every month, with or without traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct IdleCosts {
    alarm_metrics: u64,
    dashboards: u64,
    web_acls: u64,
    web_acl_rules: u64,
}

impl IdleCosts {
    /// Counts the resources of a template with the values of its parameters, and of its nested templates in `folder`.
    ///
    /// # Errors
    /// Returns an error if a nested template cannot be read.
    pub(crate) fn of(
        template: &Template,
        parameters: &BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Self, TemplateError> {
        let origins =
            parameters.get("AllowedOrigins").map_or(0, |list| list.split(',').filter(|one| !one.is_empty()).count());
        let mut costs = Self::default();
        costs.add(&template.root()["Resources"], 1, origins);
        for (_, resource) in template.resources() {
            let kind = resource["Type"].as_str().unwrap_or_default();
            let nested = &resource["Properties"];
            let location = nested["TemplateURL"].as_str().or_else(|| nested["Location"].as_str());
            let Some(location) =
                location.filter(|_| matches!(kind, "AWS::CloudFormation::Stack" | "AWS::Serverless::Application"))
            else {
                continue;
            };
            if is_created(template, resource, parameters) {
                costs.add(&Template::read(&folder.join(location))?.root()["Resources"], 1, origins);
            }
        }
        Ok(costs)
    }

    /// Adds resources that exist `times` times.
    fn add(&mut self, resources: &Value, times: u64, origins: usize) {
        for (name, resource) in resources.as_mapping().into_iter().flatten() {
            if name.as_str().is_some_and(|name| name.starts_with("Fn::ForEach::")) {
                let length = resource[1].as_sequence().map_or(1, Vec::len);
                self.add(&resource[2], times * length as u64, origins);
                continue;
            }
            let properties = &resource["Properties"];
            match resource["Type"].as_str().unwrap_or_default() {
                "AWS::CloudWatch::Alarm" => self.alarm_metrics += times * alarm_metrics(properties),
                "AWS::CloudWatch::Dashboard" => self.dashboards += times,
                "AWS::WAFv2::WebACL" => {
                    self.web_acls += times;
                    self.web_acl_rules += times * rules(properties, origins);
                }
                _ => {}
            }
        }
    }

    fn cents(&self) -> u64 {
        self.alarm_metrics * ALARM_METRIC_CENTS
            + self.dashboards * DASHBOARD_CENTS
            + self.web_acls * WEB_ACL_CENTS
            + self.web_acl_rules * WEB_ACL_RULE_CENTS
    }

    /// One line with the sum and its parts.
    pub(crate) fn summary(&self) -> String {
        let parts = [
            (self.alarm_metrics, ALARM_METRIC_CENTS, "alarm metrics"),
            (self.dashboards, DASHBOARD_CENTS, "dashboards, of which an account has three for free"),
            (self.web_acls, WEB_ACL_CENTS, "web ACLs"),
            (self.web_acl_rules, WEB_ACL_RULE_CENTS, "firewall rules"),
        ];
        let parts = parts.iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<_> = parts.map(|(count, cents, name)| format!("{count} × {} {name}", dollars(*cents))).collect();
        let details = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        format!(
            "estimated cost without traffic: {} per month{details}, at the prices of {PRICES_OF} in us-east-1. Requests, \
             stored data, backups (point-in-time recovery), logs and custom metrics are billed by use",
            dollars(self.cents())
        )
    }
}

/// Whether the condition of a resource holds. Conditions other than `!Equals [!Ref PARAMETER, VALUE]` and its negation are taken
/// as met, so that the estimate is not too low.
fn is_created(template: &Template, resource: &Value, parameters: &BTreeMap<String, String>) -> bool {
    let Some(name) = resource["Condition"].as_str() else { return true };
    let condition = &template.root()["Conditions"][name];
    match condition {
        Value::Tagged(not) if not.tag == "Not" => equals(&not.value[0], parameters).is_none_or(|equal| !equal),
        _ => equals(condition, parameters).unwrap_or(true),
    }
}

/// Evaluates `!Equals [!Ref PARAMETER, VALUE]`. Returns `None` for any other condition.
fn equals(condition: &Value, parameters: &BTreeMap<String, String>) -> Option<bool> {
    let Value::Tagged(equals) = condition else { return None };
    let Value::Tagged(reference) = &equals.value[0] else { return None };
    if equals.tag != "Equals" || reference.tag != "Ref" {
        return None;
    }
    Some(parameters.get(reference.value.as_str()?)? == equals.value[1].as_str()?)
}

fn alarm_metrics(properties: &Value) -> u64 {
    let metrics = properties["Metrics"].as_sequence();
    metrics.map_or(1, |metrics| metrics.iter().filter(|metric| !metric["MetricStat"].is_null()).count() as u64)
}

/// The rules of a web ACL. Those in `!If` are for allowed origins, if there are several.
fn rules(properties: &Value, origins: usize) -> u64 {
    let rules = properties["Rules"].as_sequence().map_or(&[][..], Vec::as_slice);
    let conditional = rules.iter().filter(|rule| matches!(rule, Value::Tagged(_))).count();
    let for_origins = if origins > 1 { origins.min(conditional) } else { 0 };
    (rules.len() - conditional + for_origins) as u64
}

fn dollars(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Conditions:
  IsOperated: !Equals [!Ref Operations, enabled]
  HasFirewall: !Not [!Equals [!Ref Firewall, disabled]]
Resources:
  OperationsStack: {Type: AWS::CloudFormation::Stack, Condition: IsOperated, Properties: {TemplateURL: operations.yaml}}
  FirewallStack: {Type: AWS::CloudFormation::Stack, Condition: HasFirewall, Properties: {TemplateURL: firewall.yaml}}
"#;

    const OPERATIONS: &str = r#"
Resources:
  Fn::ForEach::Each:
    - Function
    - [a, b, c]
    - Errors&{Function}: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: Errors}}
      Slow&{Function}: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: Duration}}
  Combined:
    Type: AWS::CloudWatch::Alarm
    Properties: {Metrics: [{Id: sum, Expression: a + b}, {Id: a, MetricStat: {}}, {Id: b, MetricStat: {}}]}
  Dashboard: {Type: AWS::CloudWatch::Dashboard}
"#;

    const FIREWALL: &str = r#"
Resources:
  WebAcl:
    Type: AWS::WAFv2::WebACL
    Properties: {Rules: [{Name: a}, {Name: b}, !If [One, {Name: c}, none], !If [Two, {Name: d}, none]]}
"#;

    fn costs(parameters: &[(&str, &str)]) -> IdleCosts {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("operations.yaml", OPERATIONS), ("firewall.yaml", FIREWALL)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        IdleCosts::of(&Template::parse(TEMPLATE).unwrap(), &parameters, folder.path()).unwrap()
    }

    #[test]
    fn disabled_stacks_cost_nothing() {
        let summary = costs(&[("Operations", "disabled"), ("Firewall", "disabled")]).summary();
        assert!(summary.starts_with("estimated cost without traffic: $0.00 per month,"), "{summary}");
    }

    #[test]
    fn counts_the_metrics_of_alarms_in_loops_and_expressions() {
        let summary = costs(&[("Operations", "enabled"), ("Firewall", "disabled")]).summary();
        assert!(summary.contains("$3.80 per month (8 × $0.10 alarm metrics, 1 × $3.00 dashboards"), "{summary}");
    }

    #[test]
    fn counts_rules_for_origins_only_if_there_are_several() {
        for (origins, cents) in [("", 700), ("https://a", 700), ("https://a,https://b", 900), ("a,b,c,d", 900)] {
            let costs = costs(&[("Operations", "disabled"), ("Firewall", "enabled"), ("AllowedOrigins", origins)]);
            assert_eq!(costs.cents(), cents, "{origins}");
        }
    }
}
