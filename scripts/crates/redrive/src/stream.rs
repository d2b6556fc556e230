//! Reads the records of a stream again, by their position.

use serde_json::{Value, json};

use ferrite_aws_client::client::{AwsClient, DYNAMODB_STREAMS, EVENTBRIDGE};
use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::check_interrupted;

use crate::dead_letter::Place;
use crate::error::RedriveError;

/// The records at `place` that match one of `filters`, as Lambda passes them to a function.
///
/// # Errors
/// When they have left the stream, as all records do after 24 hours, or the stream cannot be read.
pub(crate) fn records_at(aws: &AwsClient, place: &Place, filters: &[String]) -> Result<Vec<Value>, RedriveError> {
    let mut records = all_at(aws, place).map_err(|error| match error {
        RedriveError::Aws(AwsError::Rejected { body, .. })
            if body.contains("TrimmedDataAccess") || body.contains("ResourceNotFound") =>
        {
            RedriveError::Gone(place.shard_id.clone())
        }
        other => other,
    })?;
    let mut wanted = Vec::new();
    for record in &mut records {
        record["eventSourceARN"] = place.stream_arn.as_str().into();
        if matches_filters(aws, record, filters)? {
            wanted.push(record.take());
        }
    }
    Ok(wanted)
}

fn all_at(aws: &AwsClient, place: &Place) -> Result<Vec<Value>, RedriveError> {
    let answer = aws.json(
        DYNAMODB_STREAMS,
        "GetShardIterator",
        &json!({
            "StreamArn": place.stream_arn,
            "ShardId": place.shard_id,
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": place.start_sequence_number,
        }),
    )?;
    let mut iterator = answer["ShardIterator"].clone();
    let mut records = Vec::new();
    // A closed shard has no next iterator. An open one is read up to the last record of the batch.
    while iterator.is_string() {
        check_interrupted()?;
        let mut page = aws.json(DYNAMODB_STREAMS, "GetRecords", &json!({"ShardIterator": iterator}))?;
        iterator = page["NextShardIterator"].take();
        for record in page["Records"].as_array_mut().into_iter().flatten() {
            let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default();
            if is_after(number, &place.end_sequence_number) {
                return Ok(records);
            }
            let is_last = number == place.end_sequence_number;
            records.push(record.take());
            if is_last {
                return Ok(records);
            }
        }
    }
    Ok(records)
}

/// Compares sequence numbers, which are decimal and longer than any integer type.
fn is_after(number: &str, other: &str) -> bool {
    (number.len(), number) > (other.len(), other)
}

/// Whether a record matches one of the filters. They have the syntax of EventBridge's patterns, so EventBridge tests them, with
/// the record as the detail of an event.
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
