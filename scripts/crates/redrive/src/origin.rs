//! Finds the origin of the messages in each dead-letter queue from template.yaml.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use ferrite_local_stack::template::Template;

use crate::error::RedriveError;

/// The queue or function that a dead letter was intended for, and to which it is sent back. Names are logical IDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A source queue with a redrive policy.
    Queue {
        /// Name of the queue.
        queue: String,
        /// The `maxReceiveCount` of the redrive policy; `None` if EventBridge could not deliver the event to the queue.
        max_receive_count: Option<u64>,
    },
    /// A function that is invoked asynchronously, for example by S3 or by a schedule.
    AsyncInvocation {
        /// Name of the function.
        function: String,
    },
    /// A function with an event source mapping for a stream.
    Stream {
        /// Name of the function.
        function: String,
        /// Filter patterns of the event source mapping; empty if it has no filters.
        filters: Vec<String>,
    },
}

impl Origin {
    /// Name of the queue or the function.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Queue { queue, .. } => queue,
            Self::AsyncInvocation { function } | Self::Stream { function, .. } => function,
        }
    }
}

/// Returns the dead-letter queues in the template, each with the origin of its messages.
///
/// # Errors
/// Returns an error if two consumers share a dead-letter queue, because the origin of its messages is then ambiguous.
pub(crate) fn dead_letter_queues(template: &Template) -> Result<BTreeMap<String, Origin>, RedriveError> {
    let mut queues: BTreeMap<String, Origin> = BTreeMap::new();
    for (name, resource) in template.resources() {
        for (queue, origin) in dead_letters_of(name, resource) {
            if let Some(known) = queues.get(&queue) {
                if known.name() != origin.name() {
                    return Err(RedriveError::Shared { queue, one: known.name().to_owned(), other: name.to_owned() });
                }
                // An EventBridge rule may have the same dead-letter queue as the queue that it sends events to. Keep
                // the origin with the receive count.
                if !matches!(origin, Origin::Queue { max_receive_count: Some(_), .. }) {
                    continue;
                }
            }
            queues.insert(queue, origin);
        }
    }
    Ok(queues)
}

/// Returns the dead-letter queues that a resource uses, each with the origin of its messages.
fn dead_letters_of(name: &str, resource: &Value) -> Vec<(String, Origin)> {
    let properties = &resource["Properties"];
    match resource["Type"].as_str() {
        Some("AWS::SQS::Queue") => {
            let policy = &properties["RedrivePolicy"];
            let origin = Origin::Queue { queue: name.to_owned(), max_receive_count: policy["maxReceiveCount"].as_u64() };
            with_queue(&policy["deadLetterTargetArn"], origin).into_iter().collect()
        }
        Some("AWS::Serverless::Function") => {
            let invocation = Origin::AsyncInvocation { function: name.to_owned() };
            let on_failure = &properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
            let failed_invocations = with_queue(on_failure, invocation);
            let sources = properties["Events"].as_mapping().into_iter().flatten().map(|(_, source)| &source["Properties"]);
            let failed_events = sources.flat_map(|source| {
                let patterns = source["FilterCriteria"]["Filters"].as_sequence().into_iter().flatten();
                let filters = patterns.filter_map(|filter| filter["Pattern"].as_str().map(str::to_owned)).collect();
                let stream = Origin::Stream { function: name.to_owned(), filters };
                let undelivered = Origin::AsyncInvocation { function: name.to_owned() };
                [
                    with_queue(&source["DestinationConfig"]["OnFailure"]["Destination"], stream),
                    with_queue(&source["DeadLetterConfig"]["Arn"], undelivered),
                ]
            });
            failed_events.flatten().chain(failed_invocations).collect()
        }
        // The target of a rule is a queue in this template. EventBridge sends events that it cannot deliver to the
        // dead-letter queue of the target.
        Some("AWS::Events::Rule") => {
            let targets = properties["Targets"].as_sequence().into_iter().flatten();
            let undelivered = targets.filter_map(|target| {
                let queue = referenced_resource(&target["Arn"])?.to_owned();
                with_queue(&target["DeadLetterConfig"]["Arn"], Origin::Queue { queue, max_receive_count: None })
            });
            undelivered.collect()
        }
        _ => Vec::new(),
    }
}

/// Pairs an origin with the dead-letter queue that `queue` refers to. Returns `None` if there is no such reference.
fn with_queue(queue: &Value, origin: Origin) -> Option<(String, Origin)> {
    Some((referenced_resource(queue)?.to_owned(), origin))
}

/// Returns the logical ID in `!Ref NAME` or `!GetAtt NAME.ATTRIBUTE`.
fn referenced_resource(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    tagged.value.as_str()?.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues_of(template: &str) -> Result<BTreeMap<String, Origin>, RedriveError> {
        dead_letter_queues(&Template::parse(template).unwrap())
    }

    #[test]
    fn finds_the_origin_of_each_queue() {
        let queues = queues_of(
            r#"
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
"#,
        )
        .unwrap();
        let stream = Origin::Stream { function: "Relay".to_owned(), filters: vec![r#"{"a":[1]}"#.to_owned()] };
        assert_eq!(queues["RelayDlq"], stream);
        assert_eq!(queues["ReportDlq"], Origin::AsyncInvocation { function: "Report".to_owned() });
        assert_eq!(queues["JobsDlq"], Origin::Queue { queue: "Jobs".to_owned(), max_receive_count: Some(5) });
        assert_eq!(queues.len(), 3);
    }

    #[test]
    fn rejects_a_dead_letter_queue_that_two_consumers_share() {
        let policy = "{Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dlq.Arn}}}";
        let error = queues_of(&format!("Resources: {{One: {policy}, Two: {policy}}}")).unwrap_err();
        assert!(error.to_string().contains("Dlq") && error.to_string().contains("Two"), "{error}");
    }
}
