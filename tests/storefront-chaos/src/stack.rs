//! The deployed stack, as described by its outputs and EventBridge rules.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use ferrite_aws_client::client::{DYNAMODB, EVENTBRIDGE, SQS};

use crate::emulator::Emulator;
use crate::error::ChaosError;

/// The queue of a consumer, with its dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Prefix of its outputs, such as `Orders` or `Notifications`.
    pub(crate) name: String,
    pub(crate) url: String,
    /// URL of the dead-letter queue.
    pub(crate) dead_letters: String,
}

/// The resources of the stack that a chaos run uses.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) table: String,
    pub(crate) ledger: String,
    pub(crate) idempotency_table: Option<String>,
    /// Queues of consumers.
    pub(crate) queues: Vec<Queue>,
    /// URLs of all dead-letter queues, including those of other functions, by name.
    pub(crate) dead_letters: BTreeMap<String, String>,
    /// URLs of the queues that events are routed to, by detail type.
    routes: BTreeMap<String, Vec<String>>,
}

impl Stack {
    /// Reads the outputs of the stack, and the rules of its event bus.
    pub(crate) fn read(outputs: &Map<String, Value>, emulator: &Emulator) -> Result<Self, ChaosError> {
        let output = |name: &str| outputs.get(name).and_then(Value::as_str).map(str::to_owned);
        let required_output = |name: &str| output(name).ok_or_else(|| ChaosError::NotInStack(format!("output {name}")));
        let with_suffix = |suffix: &str| {
            let matching = outputs.iter().filter_map(|(name, url)| Some((name.strip_suffix(suffix)?, url.as_str()?)));
            matching.map(|(name, url)| (name.to_owned(), url.to_owned())).collect::<BTreeMap<_, _>>()
        };
        let dead_letters = with_suffix("DlqUrl");
        let queues = with_suffix("QueueUrl").into_iter().map(|(name, url)| {
            let dead_letter_queue = dead_letters.get(&name).cloned();
            let dead_letters = dead_letter_queue.ok_or_else(|| ChaosError::NotInStack(format!("output {name}DlqUrl")))?;
            Ok(Queue { name, url, dead_letters })
        });
        let queues = queues.collect::<Result<Vec<_>, ChaosError>>()?;
        let routes = routes(emulator, &required_output("BusName")?, &queues)?;
        Ok(Self {
            table: required_output("TableName")?,
            ledger: required_output("SandboxLedgerName")?,
            idempotency_table: output("IdempotencyTableName"),
            queues,
            dead_letters,
            routes,
        })
    }

    /// Deletes all items and messages from the tables and queues.
    pub(crate) fn clear(&self, emulator: &Emulator) -> Result<(), ChaosError> {
        let tables = [(Some(&self.table), &["pk", "sk"][..]), (Some(&self.ledger), &["orderId"])];
        let tables = tables.into_iter().chain([(self.idempotency_table.as_ref(), &["id"][..])]);
        for (table, key) in tables.filter_map(|(table, key)| Some((table?, key))) {
            for item in emulator.scan(table)? {
                let key: Map<_, _> = key.iter().map(|name| ((*name).to_owned(), json!({ "S": item.get(*name) }))).collect();
                emulator.call(DYNAMODB, "DeleteItem", &json!({ "TableName": table, "Key": key }))?;
            }
        }
        for url in self.queues.iter().map(|queue| &queue.url).chain(self.dead_letters.values()) {
            emulator.call(SQS, "PurgeQueue", &json!({ "QueueUrl": url }))?;
        }
        Ok(())
    }

    /// Returns the URLs of the queues that events of this detail type are routed to.
    pub(crate) fn queues_for(&self, detail_type: &str) -> &[String] {
        self.routes.get(detail_type).map_or(&[], Vec::as_slice)
    }
}

fn routes(emulator: &Emulator, bus: &str, queues: &[Queue]) -> Result<BTreeMap<String, Vec<String>>, ChaosError> {
    let mut routes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let listed = emulator.call(EVENTBRIDGE, "ListRules", &json!({ "EventBusName": bus }))?;
    for rule in listed["Rules"].as_array().into_iter().flatten() {
        let pattern: Value = serde_json::from_str(rule["EventPattern"].as_str().unwrap_or_default()).unwrap_or_default();
        let request = json!({ "EventBusName": bus, "Rule": rule["Name"] });
        let targets = emulator.call(EVENTBRIDGE, "ListTargetsByRule", &request)?;
        let arns = targets["Targets"].as_array().into_iter().flatten().filter_map(|target| target["Arn"].as_str());
        let names: Vec<_> = arns.filter_map(|arn| arn.rsplit(':').next()).collect();
        let target_queues = queues.iter().filter(|queue| names.contains(&queue.url.rsplit('/').next().unwrap_or_default()));
        let urls: Vec<_> = target_queues.map(|queue| queue.url.clone()).collect();
        for detail_type in pattern["detail-type"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            routes.entry(detail_type.to_owned()).or_default().extend(urls.iter().cloned());
        }
    }
    Ok(routes)
}
