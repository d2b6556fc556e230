//! Deletes what the end-to-end tests created in a stack that outlives them.
//!
//! Objects in buckets stay: uploads until the lifecycle rule of the bucket removes them, and other objects forever.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ferrite_aws_client::client::{AwsClient, DYNAMODB};
use ferrite_local_stack::files::at;
use ferrite_local_stack::process::check_interrupted;
use serde_json::{Value, json};

/// Deletes the partitions of the table that tests noted in the file `made`, and returns the number of deleted items.
///
/// # Errors
/// Returns an error if a call to DynamoDB fails.
pub(crate) fn delete_partitions(aws: &AwsClient, table: &str, made: &Path) -> anyhow::Result<usize> {
    if !made.exists() {
        return Ok(0);
    }
    let noted = fs::read_to_string(made).map_err(at(made))?;
    let mut deleted = 0;
    for partition in noted.lines().collect::<BTreeSet<_>>() {
        deleted += delete_partition(aws, table, partition)?;
    }
    Ok(deleted)
}

fn delete_partition(aws: &AwsClient, table: &str, partition: &str) -> anyhow::Result<usize> {
    let mut query = json!({
        "TableName": table,
        "KeyConditionExpression": "pk = :partition",
        "ExpressionAttributeValues": {":partition": {"S": partition}},
        "ProjectionExpression": "pk, sk",
    });
    let mut deleted = 0;
    loop {
        check_interrupted()?;
        let mut page = aws.json(DYNAMODB, "Query", &query)?;
        for key in page["Items"].as_array().into_iter().flatten() {
            aws.json(DYNAMODB, "DeleteItem", &json!({ "TableName": table, "Key": key }))?;
            deleted += 1;
        }
        match page["LastEvaluatedKey"].take() {
            Value::Null => return Ok(deleted),
            next => query["ExclusiveStartKey"] = next,
        }
    }
}
