//! Reads the records of a failed batch from a DynamoDB stream.

use serde_json::{Value, json};

use ferrite_aws_client::client::{AwsClient, DYNAMODB_STREAMS, EVENTBRIDGE};
use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::check_interrupted;

use crate::dead_letter::StreamBatch;
use crate::error::RedriveError;

/// Reads the records of a batch, and returns those that match at least one of `filters`, in the format in which Lambda
/// passes them to a function.
///
/// # Errors
/// Returns an error if the stream cannot be read or no longer contains the records, which expire after 24 hours.
pub(crate) fn read_records(aws: &AwsClient, batch: &StreamBatch, filters: &[String]) -> Result<Vec<Value>, RedriveError> {
    let mut records = read_all_records(aws, batch).map_err(|error| match error {
        RedriveError::Aws(AwsError::Rejected { body, .. })
            if body.contains("TrimmedDataAccess") || body.contains("ResourceNotFound") =>
        {
            RedriveError::RecordsExpired(batch.shard_id.clone())
        }
        other => other,
    })?;
    let mut matching = Vec::new();
    for record in &mut records {
        record["eventSourceARN"] = batch.stream_arn.as_str().into();
        if matches_filters(aws, record, filters)? {
            matching.push(record.take());
        }
    }
    Ok(matching)
}

fn read_all_records(aws: &AwsClient, batch: &StreamBatch) -> Result<Vec<Value>, RedriveError> {
    let response = aws.json(
        DYNAMODB_STREAMS,
        "GetShardIterator",
        &json!({
            "StreamArn": batch.stream_arn,
            "ShardId": batch.shard_id,
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": batch.start_sequence_number,
        }),
    )?;
    let mut iterator = response["ShardIterator"].clone();
    let mut records = Vec::new();
    // The last page of a closed shard has no next iterator. In an open shard, stop after the last record of the batch.
    while iterator.is_string() {
        check_interrupted()?;
        let mut page = aws.json(DYNAMODB_STREAMS, "GetRecords", &json!({"ShardIterator": iterator}))?;
        iterator = page["NextShardIterator"].take();
        for record in page["Records"].as_array_mut().into_iter().flatten() {
            let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default();
            if is_after(number, &batch.end_sequence_number) {
                return Ok(records);
            }
            let is_last = number == batch.end_sequence_number;
            records.push(record.take());
            if is_last {
                return Ok(records);
            }
        }
    }
    Ok(records)
}

/// Compares sequence numbers, which are decimal numbers that do not fit into an integer type.
fn is_after(number: &str, other: &str) -> bool {
    (number.len(), number) > (other.len(), other)
}

/// Returns `true` if a record matches at least one of the filters, or if there are no filters.
///
/// The filters have the syntax of EventBridge event patterns, so EventBridge evaluates them (TestEventPattern), with
/// the record as the `detail` of an event.
fn matches_filters(aws: &AwsClient, record: &Value, filters: &[String]) -> Result<bool, RedriveError> {
    let event = json!({
        "id": "1", "account": "000000000000", "source": "redrive", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "record", "detail": record,
    })
    .to_string();
    for filter in filters {
        let pattern = format!(r#"{{"detail":{filter}}}"#);
        if aws.json(EVENTBRIDGE, "TestEventPattern", &json!({"Event": event, "EventPattern": pattern}))?["Result"] == true {
            return Ok(true);
        }
    }
    Ok(filters.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_sequence_numbers_as_numbers() {
        assert!(is_after("1000000000000000000000000000000000000000", "999"));
        assert!(is_after("901", "900"));
        assert!(!is_after("900", "900") && !is_after("99", "900"));
    }
}
