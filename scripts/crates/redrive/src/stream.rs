//! The records of a stream, read again by their place in it.

use serde_json::{Value, json};

use super::RedriveError;
use super::dead_letter::Place;
use crate::aws::{Aws, JsonService};
use crate::process::go_on;
use crate::trouble::Trouble;

const STREAMS: JsonService =
    JsonService { host: "streams.dynamodb", signed_for: "dynamodb", target: "DynamoDBStreams_20120810", version: "1.0" };
const EVENTS: JsonService = JsonService { host: "events", signed_for: "events", target: "AWSEvents", version: "1.1" };

/// The records at `place` that one of `filters` lets through, as Lambda gives them to a function.
///
/// # Errors
/// They have left the stream, as all records do after 24 hours; or the stream cannot be read.
pub fn records_at(aws: &Aws, place: &Place, filters: &[String]) -> Result<Vec<Value>, Trouble> {
    let mut records = all_at(aws, place).map_err(|trouble| match trouble {
        Trouble::Refused { body, .. } if body.contains("TrimmedDataAccess") || body.contains("ResourceNotFound") => {
            RedriveError::Gone(place.shard_id.clone()).into()
        }
        other => other,
    })?;
    let mut wanted = Vec::new();
    for record in &mut records {
        record["eventSourceARN"] = place.stream_arn.as_str().into();
        if is_wanted(aws, record, filters)? {
            wanted.push(record.take());
        }
    }
    Ok(wanted)
}

fn all_at(aws: &Aws, place: &Place) -> Result<Vec<Value>, Trouble> {
    let answer = aws.json(
        STREAMS,
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
    // A shard that was closed has no next iterator; the last record of the batch is the end in one that was not.
    while iterator.is_string() {
        go_on()?;
        let mut page = aws.json(STREAMS, "GetRecords", &json!({"ShardIterator": iterator}))?;
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

/// Sequence numbers are decimal, and longer than any integer type.
fn is_after(number: &str, other: &str) -> bool {
    (number.len(), number) > (other.len(), other)
}

/// Lambda's filters are EventBridge's patterns, so EventBridge is asked. It wants a whole event: the record is its detail.
fn is_wanted(aws: &Aws, record: &Value, filters: &[String]) -> Result<bool, Trouble> {
    let event = json!({
        "id": "1", "account": "000000000000", "source": "redrive", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "record", "detail": record,
    })
    .to_string();
    for filter in filters {
        let pattern = format!(r#"{{"detail":{filter}}}"#);
        if aws.json(EVENTS, "TestEventPattern", &json!({"Event": event, "EventPattern": pattern}))?["Result"] == true {
            return Ok(true);
        }
    }
    Ok(filters.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_compared_as_numbers() {
        assert!(is_after("1000000000000000000000000000000000000000", "999"));
        assert!(is_after("901", "900"));
        assert!(!is_after("900", "900") && !is_after("99", "900"));
    }
}
