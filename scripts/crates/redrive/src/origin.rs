//! Where the messages of a dead-letter queue come from, as template.yaml says it.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use super::RedriveError;
use crate::template::Template;

/// What a dead letter was meant for. Queues and functions are named as in the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A queue with a redrive policy.
    Queue {
        /// Its name.
        queue: String,
        /// After how many deliveries SQS gives a message up.
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
        /// The patterns of the records that it is given; it is given all where there are none.
        filters: Vec<String>,
    },
}

impl Origin {
    /// The queue or the function.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Queue { queue, .. } => queue,
            Self::Events { function } | Self::Stream { function, .. } => function,
        }
    }
}

/// The template's dead-letter queues, and what each is there for.
///
/// # Errors
/// A queue takes the dead letters of two consumers: nobody could tell what goes back where.
pub fn dead_letter_queues(template: &Template) -> Result<BTreeMap<String, Origin>, RedriveError> {
    let mut queues: BTreeMap<String, Origin> = BTreeMap::new();
    for (name, resource) in template.resources() {
        for (queue, origin) in dead_letters_of(name, resource) {
            if let Some(known) = queues.get(&queue) {
                if known.name() != origin.name() {
                    return Err(RedriveError::Shared { queue, one: known.name().to_owned(), other: name.to_owned() });
                }
                // The rule in front of a queue names the queue too, and knows less of it.
                if !matches!(origin, Origin::Queue { deliveries: Some(_), .. }) {
                    continue;
                }
            }
            queues.insert(queue, origin);
        }
    }
    Ok(queues)
}

/// The dead-letter queues that a resource names, and what it puts there.
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
        // A target of a rule is a queue of this template: what EventBridge could not put there goes there.
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

/// The resource that `!Ref NAME` or `!GetAtt NAME.ATTRIBUTE` is about.
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
    fn the_template_says_what_goes_back_where() {
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
    fn a_queue_for_the_dead_letters_of_two_is_refused() {
        let policy = "{Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dlq.Arn}}}";
        let error = of(&format!("Resources: {{One: {policy}, Two: {policy}}}")).unwrap_err();
        assert!(error.to_string().contains("Dlq") && error.to_string().contains("Two"), "{error}");
    }

    #[test]
    fn every_queue_of_the_template_is_consumed_or_a_dead_letter_queue() {
        let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").as_ref()).unwrap();
        let dead_letters = dead_letter_queues(&template).unwrap();
        for (name, resource) in template.resources().filter(|(_, resource)| resource["Type"] == "AWS::SQS::Queue") {
            let consumed = !resource["Properties"]["RedrivePolicy"].is_null();
            assert!(consumed != dead_letters.contains_key(name), "{name}");
        }
    }
}
