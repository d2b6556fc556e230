//! Handlers for Kinesis data streams.
//!
//! ```no_run
//! use ferrite_runtime::{Failure, InitError};
//! use ferrite_runtime::batch::{Limits, kinesis};
//!
//! # async fn serve(dead_letters: &impl ferrite_core::ports::DeadLetterQueue) -> Result<(), InitError> {
//! kinesis::serve(dead_letters, Limits::default(), async |record| {
//!     let celsius: f32 = serde_json::from_slice(&record.data).map_err(Failure::reject)?;
//!     Ok(store(celsius).await?)
//! })
//! .await
//! # }
//! # async fn store(_: f32) -> Result<(), std::io::Error> { Ok(()) }
//! ```

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ferrite_core::ports::DeadLetterQueue;
use serde_json::Value;

use super::Limits;
use super::stream::{self, Kind};
use crate::{Failure, InitError};

/// See "Using Lambda to process records from Amazon Kinesis Data Streams".
const KINESIS: Kind = Kind { event_source: "aws:kinesis", sequence_number: "/kinesis/sequenceNumber" };

/// A record that a producer has put into the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition key. Records with the same partition key are in the same shard, in order.
    pub partition_key: String,
    /// The data, decoded from Base64.
    pub data: Vec<u8>,
}

/// Runs the function: passes each record to `handler`, in the order of the shard.
///
/// # Errors
/// Returns an error if a setting is invalid or the Lambda Runtime API cannot be reached.
pub async fn serve<H, F>(dead_letters: &impl DeadLetterQueue, limits: Limits, handler: H) -> Result<(), InitError>
where
    H: Fn(Record) -> F + Sync,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let handler = &handler;
    super::run(Box::new(move |batch| Box::pin(stream::process(KINESIS, batch, dead_letters, limits, read, handler)))).await
}

fn read(record: &Value) -> Result<Record, Failure> {
    let text = |name| record["kinesis"][name].as_str();
    let data = text("data").ok_or_else(|| Failure::reject("the record has no data"))?;
    let data = BASE64_STANDARD.decode(data).map_err(Failure::reject)?;
    Ok(Record { partition_key: text("partitionKey").unwrap_or_default().to_owned(), data })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::memory::RecordingQueue;
    use serde_json::json;

    use super::*;

    fn record(number: &str, data: &str) -> Value {
        let put = json!({ "sequenceNumber": number, "partitionKey": "k", "data": data });
        json!({ "eventSource": "aws:kinesis", "kinesis": put })
    }

    #[tokio::test]
    async fn decodes_data_and_rejects_invalid_base64() {
        let handled = Mutex::new(Vec::new());
        let handler = async |record: Record| match &*record.data {
            b"fails" => Err(Failure::retry("not now")),
            _ => {
                handled.lock().unwrap().push(record);
                Ok(())
            }
        };
        let queue = RecordingQueue::default();
        let batch = json!({"Records": [record("1", "aGVsbG8="), record("2", "?"), record("3", "ZmFpbHM="), record("4", "aGVsbG8=")]});
        let response = stream::process(KINESIS, batch, &queue, Limits::default(), read, handler).await.unwrap();
        let response = serde_json::to_value(response).unwrap();
        assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "3"}]}));
        let hello = Record { partition_key: "k".to_owned(), data: b"hello".to_vec() };
        assert_eq!(handled.into_inner().unwrap(), [hello]);
        assert_eq!(queue.rejected().len(), 1);
    }
}
