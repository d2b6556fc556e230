//! Partial batch failures: the selected entries are removed from the request and reported as failed in the response.

use std::mem;

use hyper::body::Bytes;
use serde_json::{Value, json};

use ferrite_aws_proxy::call::Operation;

use crate::faults::Selection;
use crate::operations::Batch;
use crate::responses::MESSAGE;

impl Batch {
    fn count(self, request: &Value) -> usize {
        match self {
            Self::PutEvents => request["Entries"].as_array().map_or(0, Vec::len),
            Self::BatchGetItem => {
                let tables = request["RequestItems"].as_object().into_iter().flatten();
                tables.filter_map(|(_, table)| table["Keys"].as_array()).map(Vec::len).sum()
            }
        }
    }

    /// Keeps the entries whose item in `keep` is true, and removes all others.
    fn retain(self, request: &mut Value, mut keep: impl Iterator<Item = bool>) {
        let mut retain = |list: &mut Value| {
            let Some(list) = list.as_array_mut() else { return false };
            list.retain(|_| keep.next().unwrap_or(true));
            !list.is_empty()
        };
        match self {
            Self::PutEvents => {
                retain(&mut request["Entries"]);
            }
            Self::BatchGetItem => {
                // DynamoDB rejects a table without keys.
                if let Some(tables) = request["RequestItems"].as_object_mut() {
                    tables.retain(|_, table| retain(&mut table["Keys"]));
                }
            }
        }
    }
}

/// A batch call, split into the entries to execute and the entries to fail.
#[derive(Debug)]
pub(crate) struct SplitBatch {
    batch: Batch,
    /// Whether each entry fails.
    fails: Vec<bool>,
    executed: Value,
    failed: Value,
}

impl SplitBatch {
    /// Splits the body of a call into the entries to execute and the `failing` entries. `None` if the call is not a
    /// batch or has no entries.
    pub(crate) fn of(operation: &Operation, body: &[u8], failing: Selection) -> Option<Self> {
        let batch = Batch::of(operation)?;
        let mut executed: Value = serde_json::from_slice(body).ok()?;
        let fails = failing.among(batch.count(&executed));
        if fails.is_empty() {
            return None;
        }
        let mut failed = executed.clone();
        batch.retain(&mut executed, fails.iter().map(|fails| !fails));
        batch.retain(&mut failed, fails.iter().copied());
        Some(Self { batch, fails, executed, failed })
    }

    /// Body of the call to execute; `None` if every entry fails.
    pub(crate) fn request(&self) -> Option<Bytes> {
        self.fails.contains(&false).then(|| self.executed.to_string().into())
    }

    /// Builds the response to the whole batch from the service's response to [`SplitBatch::request`]. `None` if that
    /// response lacks expected results or has unprocessed keys.
    pub(crate) fn response(mut self, executed: Option<&[u8]>) -> Option<Bytes> {
        let mut response = executed.map_or(Ok(Value::Null), serde_json::from_slice).ok()?;
        match self.batch {
            Batch::PutEvents => {
                let mut results = response["Entries"].as_array().cloned().unwrap_or_default().into_iter();
                let failure = json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": MESSAGE });
                let entries = self.fails.iter().map(|fails| if *fails { Some(failure.clone()) } else { results.next() });
                let entries: Vec<_> = entries.collect::<Option<_>>()?;
                let failures = entries.iter().filter(|entry| entry["ErrorCode"].is_string()).count();
                response = json!({ "FailedEntryCount": failures, "Entries": entries });
            }
            Batch::BatchGetItem => {
                // The keys that DynamoDB itself did not process would be lost.
                if response["UnprocessedKeys"].as_object().is_some_and(|keys| !keys.is_empty()) {
                    return None;
                }
                if response["Responses"].is_null() {
                    response["Responses"] = json!({});
                }
                response["UnprocessedKeys"] = mem::take(&mut self.failed["RequestItems"]);
            }
        }
        Some(response.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Fault, FaultKind, FaultPlan};
    use ferrite_aws_proxy::call::Service;

    fn put_events() -> Operation {
        Operation::new(Service::EventBridge, "PutEvents")
    }

    fn batch_get() -> Operation {
        Operation::new(Service::DynamoDb, "BatchGetItem")
    }

    /// Returns a selection that selects exactly the elements that are true in `expected`.
    fn selection(operation: &Operation, expected: &[bool]) -> Selection {
        let plan = FaultPlan::new(1).rate(FaultKind::Partial, 1.0);
        let mut selections = (0..).filter_map(|ordinal| match plan.fault(operation, ordinal) {
            Some(Fault::Partial(selection)) => Some(selection),
            _ => None,
        });
        selections.find(|selection| selection.among(expected.len()) == expected).unwrap()
    }

    fn split(operation: &Operation, body: &Value, fails: &[bool]) -> SplitBatch {
        SplitBatch::of(operation, body.to_string().as_bytes(), selection(operation, fails)).unwrap()
    }

    fn read(json: Option<Bytes>) -> Value {
        serde_json::from_slice(&json.unwrap()).unwrap()
    }

    #[test]
    fn response_lists_the_results_of_events_in_request_order() {
        let body = json!({ "Entries": [{"Detail": "0"}, {"Detail": "1"}, {"Detail": "2"}, {"Detail": "3"}] });
        let split = split(&put_events(), &body, &[true, false, true, false]);
        assert_eq!(read(split.request()), json!({ "Entries": [{"Detail": "1"}, {"Detail": "3"}] }));
        let upstream = json!({ "FailedEntryCount": 1, "Entries": [{"EventId": "a"}, {"ErrorCode": "InternalFailure"}] });
        let response = read(split.response(Some(upstream.to_string().as_bytes())));
        let codes: Value = response["Entries"].as_array().unwrap().iter().map(|entry| entry["ErrorCode"].clone()).collect();
        assert_eq!(codes, json!(["ThrottlingException", null, "ThrottlingException", "InternalFailure"]));
        assert_eq!(response["Entries"][1]["EventId"], "a");
        assert_eq!(response["FailedEntryCount"], 3);
    }

    #[test]
    fn sends_nothing_when_every_event_fails() {
        let split = split(&put_events(), &json!({ "Entries": [{"Detail": "0"}] }), &[true]);
        assert!(split.request().is_none());
        let response = read(split.response(None));
        assert_eq!((&response["FailedEntryCount"], response["Entries"].as_array().unwrap().len()), (&json!(1), 1));
    }

    #[test]
    fn returns_failed_keys_as_unprocessed() {
        let keys = |ids: &[u32]| ids.iter().map(|id| json!({"pk": {"N": id.to_string()}})).collect::<Vec<_>>();
        let table = |ids| json!({ "Keys": keys(ids), "ConsistentRead": true });
        let body = json!({ "RequestItems": { "a": table(&[1, 2]), "b": table(&[3]) } });
        let split = split(&batch_get(), &body, &[false, true, true]);
        assert_eq!(read(split.request()), json!({ "RequestItems": { "a": table(&[1]) } }));
        let upstream = json!({ "Responses": { "a": keys(&[1]) }, "UnprocessedKeys": {} });
        let response = read(split.response(Some(upstream.to_string().as_bytes())));
        assert_eq!(response["Responses"], upstream["Responses"]);
        assert_eq!(response["UnprocessedKeys"], json!({ "a": table(&[2]), "b": table(&[3]) }));
    }

    #[test]
    fn does_not_split_a_batch_without_entries() {
        let failing = selection(&put_events(), &[true]);
        assert!(SplitBatch::of(&put_events(), br#"{"Entries":[]}"#, failing).is_none());
        assert!(SplitBatch::of(&put_events(), b"not JSON", failing).is_none());
    }

    #[test]
    fn rejects_a_response_with_missing_results() {
        let body = json!({ "Entries": [{}, {}] });
        let split = split(&put_events(), &body, &[true, false]);
        assert!(split.response(Some(br#"{"FailedEntryCount":0,"Entries":[]}"#)).is_none());
    }
}
