//! The response of a batch function to the event source mapping.

use serde::Serialize;
use serde_json::Map;

use crate::Failure;
use crate::log::{Classify, Exception, LogSummary, Outcome, OutcomeCounts};

/// The partial batch response: identifies the records to retry by message ID (queue) or sequence number (stream).
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
    /// Creates the response from the identifier and outcome of each record.
    pub(super) fn new(outcomes: impl IntoIterator<Item = (String, Outcome)>) -> Self {
        let mut response = Self::default();
        for (item_identifier, outcome) in outcomes {
            response.counts.add(outcome);
            if outcome == Outcome::Failed {
                response.batch_item_failures.push(BatchItemFailure { item_identifier });
            }
        }
        response
    }

    /// Creates the response for a stream. It contains only the first failed record, because Lambda retries from that
    /// record on.
    pub(super) fn of_stream(outcomes: impl IntoIterator<Item = (String, Outcome)>) -> Self {
        let mut response = Self::new(outcomes);
        response.batch_item_failures.truncate(1);
        response
    }
}

impl Classify for Result<Response, Failure> {
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
