//! The deployed stack as its outputs and its rules describe it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use ferrite_aws_client::client::{DYNAMODB, EVENTBRIDGE, SQS};

use crate::emulator::Emulator;
use crate::error::ChaosError;

/// A consumer's queue, with its dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Its name in the outputs: `Orders`, `Notifications`.
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) dead_letters: String,
}

/// What a chaos run needs to know of the stack.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) table: String,
    pub(crate) ledger: String,
    pub(crate) idempotency_table: Option<String>,
    /// The queues of consumers.
    pub(crate) queues: Vec<Queue>,
    /// Every dead-letter queue, of consumers and of others, by name.
    pub(crate) dead_letters: BTreeMap<String, String>,
    /// The queues that an event of a type goes to.
    routes: BTreeMap<String, Vec<String>>,
}

impl Stack {
    /// Reads the outputs, and the rules of the bus that they name.
    pub(crate) fn read(outputs: &Map<String, Value>, emulator: &Emulator) -> Result<Self, ChaosError> {
        let output = |name: &str| outputs.get(name).and_then(Value::as_str).map(str::to_owned);
        let require = |name: &str| output(name).ok_or_else(|| ChaosError::NotInStack(format!("output {name}")));
        let ending_in = |ending: &str| {
            let named = outputs.iter().filter_map(|(name, url)| Some((name.strip_suffix(ending)?, url.as_str()?)));
            named.map(|(name, url)| (name.to_owned(), url.to_owned())).collect::<BTreeMap<_, _>>()
        };
        let dead_letters = ending_in("DlqUrl");
        let queues = ending_in("QueueUrl").into_iter().map(|(name, url)| {
            let dead_letter_queue = dead_letters.get(&name).cloned();
            let dead_letters = dead_letter_queue.ok_or_else(|| ChaosError::NotInStack(format!("output {name}DlqUrl")))?;
            Ok(Queue { name, url, dead_letters })
        });
        let queues = queues.collect::<Result<Vec<_>, ChaosError>>()?;
        let routes = routes(emulator, &require("BusName")?, &queues)?;
        Ok(Self {
            table: require("TableName")?,
            ledger: require("SandboxLedgerName")?,
            idempotency_table: output("IdempotencyTableName"),
            queues,
            dead_letters,
            routes,
        })
    }

    /// Empties every table and every queue.
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

    /// The queues that the bus puts events of this type into.
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
        let fed = queues.iter().filter(|queue| names.contains(&queue.url.rsplit('/').next().unwrap_or_default()));
        let fed: Vec<_> = fed.map(|queue| queue.url.clone()).collect();
        for detail_type in pattern["detail-type"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            routes.entry(detail_type.to_owned()).or_default().extend(fed.iter().cloned());
        }
    }
    Ok(routes)
}
