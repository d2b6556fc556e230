//! Takes away what the end-to-end tests made in a stack that outlives them.
//!
//! Pictures stay: uploads until the bucket's lifecycle removes them, and what was made of them as for any product that is gone.

use std::path::Path;

use ferrite_tests::made::Made;
use serde_json::{Value, json};

use crate::aws::{Aws, JsonService};
use crate::process::go_on;
use crate::trouble::{Trouble, at};

const DYNAMODB: JsonService =
    JsonService { host: "dynamodb", signed_for: "dynamodb", target: "DynamoDB_20120810", version: "1.0" };

/// Deletes from the table what is noted in the file `made`, and tells how many items that were.
///
/// # Errors
/// When DynamoDB does not answer or refuses.
pub fn clean(aws: &Aws, table: &str, made: &Path) -> Result<usize, Trouble> {
    let mut deleted = 0;
    for made in Made::noted_in(made).map_err(at(made))? {
        let partition = match made {
            Made::Product(id) => format!("PRODUCT#{id}"),
            Made::Customer(id) => format!("CUSTOMER#{id}"),
        };
        deleted += delete_partition(aws, table, &partition)?;
    }
    Ok(deleted)
}

fn delete_partition(aws: &Aws, table: &str, partition: &str) -> Result<usize, Trouble> {
    let mut query = json!({
        "TableName": table,
        "KeyConditionExpression": "pk = :partition",
        "ExpressionAttributeValues": {":partition": {"S": partition}},
        "ProjectionExpression": "pk, sk",
    });
    let mut deleted = 0;
    loop {
        go_on()?;
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
