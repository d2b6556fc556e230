//! Batches that succeed with failed entries inside: the entries that are to fail are removed from the request, and reported
//! as failed in the response.

use std::mem;

use hyper::body::Bytes;
use serde_json::{Value, json};

use ferrite_aws_proxy::call::Operation;

use crate::faults::Chosen;
use crate::operations::Batch;
use crate::responses::MESSAGE;

impl Batch {
    fn count(self, request: &Value) -> usize {
        match self {
            Self::Events => request["Entries"].as_array().map_or(0, Vec::len),
            Self::Reads => {
                let tables = request["RequestItems"].as_object().into_iter().flatten();
                tables.filter_map(|(_, table)| table["Keys"].as_array()).map(Vec::len).sum()
            }
        }
    }

    /// Keeps the entries for which `kept` says so, in their order.
    fn retain(self, request: &mut Value, mut kept: impl Iterator<Item = bool>) {
        let mut retain = |list: &mut Value| {
            let Some(list) = list.as_array_mut() else { return false };
            list.retain(|_| kept.next().unwrap_or(true));
            !list.is_empty()
        };
        match self {
            Self::Events => {
                retain(&mut request["Entries"]);
            }
            Self::Reads => {
                // DynamoDB rejects a table without keys.
                if let Some(tables) = request["RequestItems"].as_object_mut() {
                    tables.retain(|_, table| retain(&mut table["Keys"]));
                }
            }
        }
    }
}

/// A batch call in two parts.
#[derive(Debug)]
pub(crate) struct Split {
    batch: Batch,
    /// For each entry, whether it fails.
    fails: Vec<bool>,
    carried_out: Value,
    left_out: Value,
}

impl Split {
    /// Takes the `chosen` entries out of a call's body. `None` when there is nothing to choose from.
    pub(crate) fn of(operation: &Operation, body: &[u8], chosen: Chosen) -> Option<Self> {
        let batch = Batch::of(operation)?;
        let mut carried_out: Value = serde_json::from_slice(body).ok()?;
        let fails = chosen.among(batch.count(&carried_out));
        if fails.is_empty() {
            return None;
        }
        let mut left_out = carried_out.clone();
        batch.retain(&mut carried_out, fails.iter().map(|fails| !fails));
        batch.retain(&mut left_out, fails.iter().copied());
        Some(Self { batch, fails, carried_out, left_out })
    }

    /// The body of the call to carry out; `None` when every entry fails.
    pub(crate) fn request(&self) -> Option<Bytes> {
        self.fails.contains(&false).then(|| self.carried_out.to_string().into())
    }

    /// The answer to the whole batch, from the service's to [`Split::request`]. `None` when that is not understood.
    pub(crate) fn answer(mut self, carried_out: Option<&[u8]>) -> Option<Bytes> {
        let mut answer = carried_out.map_or(Ok(Value::Null), serde_json::from_slice).ok()?;
        match self.batch {
            Batch::Events => {
                let mut results = answer["Entries"].as_array().cloned().unwrap_or_default().into_iter();
                let failed = json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": MESSAGE });
                let entries = self.fails.iter().map(|fails| if *fails { Some(failed.clone()) } else { results.next() });
                let entries: Vec<_> = entries.collect::<Option<_>>()?;
                let failures = entries.iter().filter(|entry| entry["ErrorCode"].is_string()).count();
                answer = json!({ "FailedEntryCount": failures, "Entries": entries });
            }
            Batch::Reads => {
                // What DynamoDB itself left undone would be lost.
                if answer["UnprocessedKeys"].as_object().is_some_and(|keys| !keys.is_empty()) {
                    return None;
                }
                if answer["Responses"].is_null() {
                    answer["Responses"] = json!({});
                }
                answer["UnprocessedKeys"] = mem::take(&mut self.left_out["RequestItems"]);
            }
        }
        Some(answer.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Fault, Kind, Plan};
    use ferrite_aws_proxy::call::Service;

    fn put_events() -> Operation {
        Operation::new(Service::EventBridge, "PutEvents")
    }

    fn batch_get() -> Operation {
        Operation::new(Service::DynamoDb, "BatchGetItem")
    }

    /// A choice of `wanted` among as many elements.
    fn choosing(operation: &Operation, wanted: &[bool]) -> Chosen {
        let plan = Plan::new(1).rate(Kind::Partial, 1.0);
        let mut choices = (0..).filter_map(|ordinal| match plan.fault(operation, ordinal) {
            Some(Fault::Partial(chosen)) => Some(chosen),
            _ => None,
        });
        choices.find(|chosen| chosen.among(wanted.len()) == wanted).unwrap()
    }

    fn split(operation: &Operation, body: &Value, fails: &[bool]) -> Split {
        Split::of(operation, body.to_string().as_bytes(), choosing(operation, fails)).unwrap()
    }

    fn read(json: Option<Bytes>) -> Value {
        serde_json::from_slice(&json.unwrap()).unwrap()
    }

    #[test]
    fn results_of_published_events_keep_their_positions() {
        let body = json!({ "Entries": [{"Detail": "0"}, {"Detail": "1"}, {"Detail": "2"}, {"Detail": "3"}] });
        let split = split(&put_events(), &body, &[true, false, true, false]);
        assert_eq!(read(split.request()), json!({ "Entries": [{"Detail": "1"}, {"Detail": "3"}] }));
        let upstream = json!({ "FailedEntryCount": 1, "Entries": [{"EventId": "a"}, {"ErrorCode": "InternalFailure"}] });
        let answer = read(split.answer(Some(upstream.to_string().as_bytes())));
        let codes: Value = answer["Entries"].as_array().unwrap().iter().map(|entry| entry["ErrorCode"].clone()).collect();
        assert_eq!(codes, json!(["ThrottlingException", null, "ThrottlingException", "InternalFailure"]));
        assert_eq!(answer["Entries"][1]["EventId"], "a");
        assert_eq!(answer["FailedEntryCount"], 3);
    }

    #[test]
    fn sends_nothing_when_every_event_fails() {
        let split = split(&put_events(), &json!({ "Entries": [{"Detail": "0"}] }), &[true]);
        assert!(split.request().is_none());
        let answer = read(split.answer(None));
        assert_eq!((&answer["FailedEntryCount"], answer["Entries"].as_array().unwrap().len()), (&json!(1), 1));
    }

    #[test]
    fn unread_keys_are_returned_as_requested() {
        let keys = |ids: &[u32]| ids.iter().map(|id| json!({"pk": {"N": id.to_string()}})).collect::<Vec<_>>();
        let table = |ids| json!({ "Keys": keys(ids), "ConsistentRead": true });
        let body = json!({ "RequestItems": { "a": table(&[1, 2]), "b": table(&[3]) } });
        let split = split(&batch_get(), &body, &[false, true, true]);
        assert_eq!(read(split.request()), json!({ "RequestItems": { "a": table(&[1]) } }));
        let upstream = json!({ "Responses": { "a": keys(&[1]) }, "UnprocessedKeys": {} });
        let answer = read(split.answer(Some(upstream.to_string().as_bytes())));
        assert_eq!(answer["Responses"], upstream["Responses"]);
        assert_eq!(answer["UnprocessedKeys"], json!({ "a": table(&[2]), "b": table(&[3]) }));
    }

    #[test]
    fn a_batch_without_entries_cannot_fail_in_part() {
        let chosen = choosing(&put_events(), &[true]);
        assert!(Split::of(&put_events(), br#"{"Entries":[]}"#, chosen).is_none());
        assert!(Split::of(&put_events(), b"no JSON", chosen).is_none());
    }

    #[test]
    fn rejects_a_response_without_all_results() {
        let body = json!({ "Entries": [{}, {}] });
        let split = split(&put_events(), &body, &[true, false]);
        assert!(split.answer(Some(br#"{"FailedEntryCount":0,"Entries":[]}"#)).is_none());
    }
}
