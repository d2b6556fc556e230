//! Where the messages of a dead-letter queue come from, according to template.yaml.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use ferrite_local_stack::template::Template;

use crate::error::RedriveError;

/// The destination that a dead letter did not reach. Queues and functions have their names in the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A queue with a redrive policy.
    Queue {
        /// Its name.
        queue: String,
        /// The receive count after which SQS moves a message.
        deliveries: Option<u64>,
    },
    /// A function that is invoked with events: by S3, by a schedule.
    Events {
        /// Its name.
        function: String,
    },
    /// A function that reads a stream.
    Stream {
        /// Its name.
        function: String,
        /// The filter patterns of the mapping; empty for all records.
        filters: Vec<String>,
    },
}

impl Origin {
    /// The queue or the function.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Queue { queue, .. } => queue,
            Self::Events { function } | Self::Stream { function, .. } => function,
        }
    }
}

/// The template's dead-letter queues, with the origin of their messages.
///
/// # Errors
/// When a queue takes the dead letters of two consumers, so that the origin of a message is unknown.
pub(crate) fn dead_letter_queues(template: &Template) -> Result<BTreeMap<String, Origin>, RedriveError> {
    let mut queues: BTreeMap<String, Origin> = BTreeMap::new();
    for (name, resource) in template.resources() {
        for (queue, origin) in dead_letters_of(name, resource) {
            if let Some(known) = queues.get(&queue) {
                if known.name() != origin.name() {
                    return Err(RedriveError::Shared { queue, one: known.name().to_owned(), other: name.to_owned() });
                }
                // The rule in front of a queue has the same dead-letter queue, but no receive count.
                if !matches!(origin, Origin::Queue { deliveries: Some(_), .. }) {
                    continue;
                }
            }
            queues.insert(queue, origin);
        }
    }
    Ok(queues)
}

/// The dead-letter queues of a resource, with the origin of their messages.
fn dead_letters_of(name: &str, resource: &Value) -> Vec<(String, Origin)> {
    let properties = &resource["Properties"];
    match resource["Type"].as_str() {
        Some("AWS::SQS::Queue") => {
            let policy = &properties["RedrivePolicy"];
            let origin = Origin::Queue { queue: name.to_owned(), deliveries: policy["maxReceiveCount"].as_u64() };
            named(&policy["deadLetterTargetArn"], origin).into_iter().collect()
        }
        Some("AWS::Serverless::Function") => {
            let events = Origin::Events { function: name.to_owned() };
            let invoked = named(&properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"], events);
            let sources = properties["Events"].as_mapping().into_iter().flatten().map(|(_, source)| &source["Properties"]);
            let read = sources.flat_map(|source| {
                let patterns = source["FilterCriteria"]["Filters"].as_sequence().into_iter().flatten();
                let filters = patterns.filter_map(|filter| filter["Pattern"].as_str().map(str::to_owned)).collect();
                let stream = Origin::Stream { function: name.to_owned(), filters };
                let undelivered = Origin::Events { function: name.to_owned() };
                [
                    named(&source["DestinationConfig"]["OnFailure"]["Destination"], stream),
                    named(&source["DeadLetterConfig"]["Arn"], undelivered),
                ]
            });
            read.flatten().chain(invoked).collect()
        }
        // The target of a rule is a queue of this template. EventBridge moves what it cannot deliver to the dead-letter queue.
        Some("AWS::Events::Rule") => {
            let targets = properties["Targets"].as_sequence().into_iter().flatten();
            let undelivered = targets.filter_map(|target| {
                let queue = referred(&target["Arn"])?.to_owned();
                named(&target["DeadLetterConfig"]["Arn"], Origin::Queue { queue, deliveries: None })
            });
            undelivered.collect()
        }
        _ => Vec::new(),
    }
}

fn named(queue: &Value, origin: Origin) -> Option<(String, Origin)> {
    Some((referred(queue)?.to_owned(), origin))
}

/// The resource in `!Ref NAME` or `!GetAtt NAME.ATTRIBUTE`.
fn referred(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    tagged.value.as_str()?.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(template: &str) -> Result<BTreeMap<String, Origin>, RedriveError> {
        dead_letter_queues(&Template::parse(template).unwrap())
    }

    #[test]
    fn finds_the_origin_of_each_queue() {
        let queues = of(r#"
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Targets: [{Id: queue, Arn: !GetAtt Jobs.Arn, DeadLetterConfig: {Arn: !GetAtt JobsDlq.Arn}}]
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt JobsDlq.Arn, maxReceiveCount: 5}}
  JobsDlq: {Type: AWS::SQS::Queue}
  Report:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt ReportDlq.Arn}}}
      Events: {Daily: {Type: Schedule, Properties: {DeadLetterConfig: {Arn: !GetAtt ReportDlq.Arn}}}}
  Relay:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt RelayDlq.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"a":[1]}'}]}
"#)
        .unwrap();
        let stream = Origin::Stream { function: "Relay".to_owned(), filters: vec![r#"{"a":[1]}"#.to_owned()] };
        assert_eq!(queues["RelayDlq"], stream);
        assert_eq!(queues["ReportDlq"], Origin::Events { function: "Report".to_owned() });
        assert_eq!(queues["JobsDlq"], Origin::Queue { queue: "Jobs".to_owned(), deliveries: Some(5) });
        assert_eq!(queues.len(), 3);
    }

    #[test]
    fn rejects_a_queue_for_two_consumers() {
        let policy = "{Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dlq.Arn}}}";
        let error = of(&format!("Resources: {{One: {policy}, Two: {policy}}}")).unwrap_err();
        assert!(error.to_string().contains("Dlq") && error.to_string().contains("Two"), "{error}");
    }

    #[test]
    fn every_queue_of_the_template_is_consumed_or_a_dead_letter_queue() {
        let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../template.yaml").as_ref()).unwrap();
        let dead_letters = dead_letter_queues(&template).unwrap();
        for (name, resource) in template.resources().filter(|(_, resource)| resource["Type"] == "AWS::SQS::Queue") {
            let consumed = !resource["Properties"]["RedrivePolicy"].is_null();
            assert!(consumed != dead_letters.contains_key(name), "{name}");
        }
    }
}
