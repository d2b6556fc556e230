//! What the event source mapping is answered.

use serde::Serialize;
use serde_json::Map;

use crate::event;
use crate::log::{Classify, Exception, LogSummary, Outcome, OutcomeCounts};

/// Which records are to be delivered again: message ids for a queue, a sequence number for a stream.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    batch_item_failures: Vec<BatchItemFailure>,
    #[serde(skip)]
    pub(super) counts: OutcomeCounts,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl Response {
    /// The answer to a batch whose records, by their identifiers, ended so.
    pub(super) fn of(ended: impl IntoIterator<Item = (String, Outcome)>) -> Self {
        let mut response = Self::default();
        for (item_identifier, outcome) in ended {
            response.counts.add(outcome);
            if outcome == Outcome::Failed {
                response.batch_item_failures.push(BatchItemFailure { item_identifier });
            }
        }
        response
    }

    /// The answer for a stream, whose shard is read again from the first record that failed: the others after it come
    /// again with it.
    pub(super) fn of_stream(ended: impl IntoIterator<Item = (String, Outcome)>) -> Self {
        let mut response = Self::of(ended);
        response.batch_item_failures.truncate(1);
        response
    }
}

impl Classify for Result<Response, event::Failure> {
    fn counts(&self) -> OutcomeCounts {
        self.as_ref().map_or_else(|_| Outcome::Failed.into(), |response| response.counts)
    }

    fn summary(&self) -> LogSummary {
        match self {
            Ok(response) => {
                let OutcomeCounts { succeeded, rejected, failed } = response.counts;
                let message = if failed > 0 { "part of the batch failed" } else { "the batch succeeded" };
                let counts = [("records", succeeded + rejected + failed), ("refused", rejected), ("failed", failed)];
                let counts = counts.into_iter().filter(|(name, n)| *n > 0 || *name == "records");
                let fields = counts.map(|(name, n)| (name.to_owned(), n.into())).collect();
                LogSummary { message, fields, exception: None }
            }
            Err(failure) => {
                let exception = Some(Exception::new(failure.cause()));
                LogSummary { message: "the batch failed", fields: Map::new(), exception }
            }
        }
    }
}
