//! What the event source mapping is answered.

use serde::Serialize;
use serde_json::Map;

use crate::event;
use crate::log::{Exception, Judged, Outcome, Tally, Verdict};

/// Which records are to be delivered again: message ids for a queue, a sequence number for a stream.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    batch_item_failures: Vec<BatchItemFailure>,
    #[serde(skip)]
    pub(super) tally: Tally,
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
            response.tally.add(outcome);
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

impl Judged for Result<Response, event::Failure> {
    fn tally(&self) -> Tally {
        self.as_ref().map_or_else(|_| Outcome::Failed.into(), |response| response.tally)
    }

    fn verdict(&self) -> Verdict {
        match self {
            Ok(response) => {
                let Tally { succeeded, refused, failed } = response.tally;
                let message = if failed > 0 { "some of the batch failed" } else { "the batch was handled" };
                let counts = [("records", succeeded + refused + failed), ("refused", refused), ("failed", failed)];
                let counts = counts.into_iter().filter(|(name, n)| *n > 0 || *name == "records");
                let fields = counts.map(|(name, n)| (name.to_owned(), n.into())).collect();
                Verdict { message, fields, exception: None }
            }
            Err(failure) => {
                let exception = Some(Exception::of(failure.cause()));
                Verdict { message: "the batch failed", fields: Map::new(), exception }
            }
        }
    }
}
