//! Queues: encryption, TLS, and dead letters.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

use crate::reference::reference;
use crate::tls::resources_with_tls;

/// Reports queues that are not encrypted or accept requests without TLS.
#[must_use]
pub fn encryption(template: &Template) -> Vec<String> {
    let with_tls = resources_with_tls(template, "AWS::SQS::QueuePolicy", "Queues");
    let mut found = Vec::new();
    for (name, queue) in template.resources_of_type("AWS::SQS::Queue") {
        if queue["SqsManagedSseEnabled"] != true {
            found.push(format!("{name}: set SqsManagedSseEnabled to true"));
        }
        if !with_tls.contains(name) {
            found.push(format!("{name}: add an AWS::SQS::QueuePolicy that denies requests without TLS"));
        }
    }
    found
}

/// Reports queues with a consumer but without a dead-letter queue, and queues that are neither a source of messages nor a
/// destination of dead letters, whose messages nobody would find.
#[must_use]
pub fn dead_letters(template: &Template) -> Vec<String> {
    let queues: BTreeMap<_, _> = template.resources_of_type("AWS::SQS::Queue").collect();
    let mut found = Vec::new();
    let mut destinations = BTreeSet::new();
    for (_, resource) in template.resources() {
        collect_dead_letter_queues(resource, &mut destinations);
    }
    for (name, function) in template.resources_of_type("AWS::Serverless::Function") {
        let events = function["Events"].as_mapping().into_iter().flatten().map(|(_, event)| event);
        for event in events.filter(|event| event["Type"] == "SQS") {
            let Some(queue) = reference(&event["Properties"]["Queue"]) else { continue };
            let target = queues.get(queue).and_then(|queue| reference(&queue["RedrivePolicy"]["deadLetterTargetArn"]));
            if target.is_none_or(|target| !queues.contains_key(target)) {
                found.push(format!("{queue}: add a RedrivePolicy with a dead-letter queue, because {name} consumes it"));
            }
        }
    }
    for (name, queue) in &queues {
        let is_source = queue["RedrivePolicy"].is_mapping();
        if is_source == destinations.contains(name) {
            let role = if is_source { "both" } else { "neither" };
            found.push(format!("{name}: it is {role} a queue with a RedrivePolicy and the destination of dead letters"));
        }
    }
    found
}

/// Adds the queues that a value names as destinations of dead letters: those of queues, rules, functions and streams.
fn collect_dead_letter_queues<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Mapping(fields) => {
            for (name, field) in fields {
                let destination = match name.as_str() {
                    Some("deadLetterTargetArn") => field,
                    Some("DeadLetterConfig") => &field["Arn"],
                    Some("DeadLetterQueue") => &field["TargetArn"],
                    Some("OnFailure") => &field["Destination"],
                    _ => &Value::Null,
                };
                found.extend(reference(destination));
                collect_dead_letter_queues(field, found);
            }
        }
        Value::Sequence(values) => values.iter().for_each(|value| collect_dead_letter_queues(value, found)),
        Value::Tagged(tagged) => collect_dead_letter_queues(&tagged.value, found),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{template, template_without};

    const QUEUES: &str = r#"
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: true # of Jobs
      RedrivePolicy: {deadLetterTargetArn: !GetAtt JobsDlq.Arn, maxReceiveCount: 3}
  JobsDlq: {Type: AWS::SQS::Queue, Properties: {SqsManagedSseEnabled: true}}
  ReportDlq: {Type: AWS::SQS::Queue, Properties: {SqsManagedSseEnabled: true}}
  StreamDlq: {Type: AWS::SQS::Queue, Properties: {SqsManagedSseEnabled: true}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs, !Ref JobsDlq, !Ref ReportDlq, !Ref StreamDlq]
      PolicyDocument:
        Statement: [!If [OverTls, {Effect: Deny, Principal: "*", Action: "sqs:*", Condition: {Bool: {aws:SecureTransport: "false"}}}, !Ref AWS::NoValue]]
  Consume:
    Type: AWS::Serverless::Function
    Properties: {Events: {Jobs: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}}}
  Report:
    Type: AWS::Serverless::Function
    Properties: {EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt ReportDlq.Arn}}}}
  Relay:
    Type: AWS::Serverless::Function
    Properties: {Events: {Changes: {Type: DynamoDB, Properties: {DestinationConfig: {OnFailure: {Destination: !GetAtt StreamDlq.Arn}}}}}}
"#;

    #[test]
    fn accepts_encrypted_queues_with_dead_letter_queues() {
        let template = template(QUEUES);
        assert_eq!(encryption(&template), [""; 0]);
        assert_eq!(dead_letters(&template), [""; 0]);
    }

    #[test]
    fn reports_a_queue_without_encryption() {
        assert_eq!(encryption(&template_without(QUEUES, "of Jobs")), ["Jobs: set SqsManagedSseEnabled to true"]);
    }

    #[test]
    fn reports_a_queue_without_a_policy_that_requires_tls() {
        let found = encryption(&template(&QUEUES.replace("!Ref JobsDlq, ", "")));
        assert_eq!(found, ["JobsDlq: add an AWS::SQS::QueuePolicy that denies requests without TLS"]);
    }

    #[test]
    fn reports_a_consumed_queue_without_a_dead_letter_queue() {
        let found = dead_letters(&template_without(QUEUES, "RedrivePolicy"));
        assert!(found[0].starts_with("Jobs: add a RedrivePolicy") && found[0].contains("Consume"), "{found:?}");
        let unknown = dead_letters(&template(&QUEUES.replace("!GetAtt JobsDlq.Arn", "!GetAtt Other.Arn")));
        assert!(unknown[0].starts_with("Jobs: add a RedrivePolicy"), "{unknown:?}");
    }

    #[test]
    fn reports_queues_that_are_both_or_neither_source_and_destination() {
        let unused = dead_letters(&template(&QUEUES.replace("Destination: !GetAtt StreamDlq.Arn", "Destination: arn")));
        assert!(unused.len() == 1 && unused[0].starts_with("StreamDlq: it is neither"), "{unused:?}");
        let both =
            dead_letters(&template(&QUEUES.replace("Destination: !GetAtt StreamDlq.Arn", "Destination: !GetAtt Jobs.Arn")));
        assert!(both.iter().any(|line| line.starts_with("Jobs: it is both")), "{both:?}");
    }
}
