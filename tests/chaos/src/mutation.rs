//! Mutations: guarantees that the proxy breaks deliberately, to test that a chaos run detects it.

use hyper::body::Bytes;
use serde_json::{Value, json};

use ferrite_aws_proxy::call::{Operation, Service};

/// A guarantee of the system to break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mutation {
    /// Executes transactions as single writes. If a write is rejected, the writes before it are not rolled back. Every
    /// third transaction stops after its first write.
    SplitTransaction,
    /// Disables the conditions of these single writes.
    NoDeduplication(Vec<Writes>),
}

/// Single writes to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writes {
    table: String,
    /// Prefix of the partition key `pk`; empty means all partitions.
    partitions: &'static str,
}

impl Writes {
    /// All single writes to a table.
    #[must_use]
    pub fn to_table(table: String) -> Self {
        Self { table, partitions: "" }
    }

    /// Single writes to the partitions of a table whose key `pk` begins with `prefix`.
    #[must_use]
    pub fn to_partitions(table: String, prefix: &'static str) -> Self {
        Self { table, partitions: prefix }
    }

    fn contain(&self, body: &Value) -> bool {
        let partition = [&body["Key"]["pk"]["S"], &body["Item"]["pk"]["S"]].into_iter().find_map(Value::as_str);
        body["TableName"] == *self.table.as_str() && partition.unwrap_or_default().starts_with(self.partitions)
    }
}

impl Mutation {
    /// Returns the body of a write with a condition that always holds. `None` if this mutation does not change the write.
    pub(crate) fn without_condition(&self, operation: &Operation, body: &[u8]) -> Option<Bytes> {
        let Self::NoDeduplication(writes) = self else { return None };
        if operation.service != Service::DynamoDb {
            return None;
        }
        let mut body: Value = serde_json::from_slice(body).ok()?;
        if !writes.iter().any(|writes| writes.contain(&body)) {
            return None;
        }
        let condition = body["ConditionExpression"].as_str()?;
        // Keep the original condition, because DynamoDB rejects expression attribute values that are not used.
        body["ConditionExpression"] = format!("({condition}) OR attribute_exists(x) OR attribute_not_exists(x)").into();
        Some(body.to_string().into())
    }
}

/// Returns the writes of a transaction as single operations with their bodies. `None` if the body is not a transaction.
pub(crate) fn single_writes(transaction: &[u8]) -> Option<Vec<(Operation, Bytes)>> {
    let transaction: Value = serde_json::from_slice(transaction).ok()?;
    let items = transaction["TransactItems"].as_array()?;
    let writes = items.iter().filter_map(|item| {
        let (kind, write) = item.as_object()?.iter().next()?;
        // A ConditionCheck does not write.
        let operation = ["Put", "Update", "Delete"].contains(&kind.as_str()).then(|| format!("{kind}Item"))?;
        Some((Operation::new(Service::DynamoDb, operation), write.to_string().into()))
    });
    Some(writes.collect())
}

/// Builds the error of a transaction of `count` items whose item at `index` was rejected with `response`.
pub(crate) fn cancelled(count: usize, index: usize, response: &[u8]) -> Bytes {
    let response: Value = serde_json::from_slice(response).unwrap_or_default();
    let reason =
        json!({ "Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": response["Item"] });
    let reasons: Vec<_> =
        (0..count).map(|position| if position == index { reason.clone() } else { json!({ "Code": "None" }) }).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    body.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_conditions_only_for_the_named_writes() {
        let in_partition = Writes::to_partitions("orders".to_owned(), "MAILBOX#");
        let mutation = Mutation::NoDeduplication(vec![Writes::to_table("ledger".to_owned()), in_partition]);
        let put = Operation::new(Service::DynamoDb, "PutItem");
        let body = |table: &str| json!({ "TableName": table, "ConditionExpression": "a = :a" }).to_string();
        let changed = mutation.without_condition(&put, body("ledger").as_bytes()).unwrap();
        let changed: Value = serde_json::from_slice(&changed).unwrap();
        assert_eq!(changed["ConditionExpression"], "(a = :a) OR attribute_exists(x) OR attribute_not_exists(x)");
        assert!(mutation.without_condition(&put, body("other").as_bytes()).is_none());
        let update = Operation::new(Service::DynamoDb, "UpdateItem");
        let in_partition = |partition: &str| {
            json!({ "TableName": "orders", "Key": {"pk": {"S": partition}}, "ConditionExpression": "a = :a" }).to_string()
        };
        assert!(mutation.without_condition(&update, in_partition("MAILBOX#ada").as_bytes()).is_some());
        assert!(mutation.without_condition(&update, in_partition("CUSTOMER#ada").as_bytes()).is_none());
        assert!(mutation.without_condition(&put, br#"{"TableName":"ledger"}"#).is_none());
        assert!(Mutation::SplitTransaction.without_condition(&put, body("ledger").as_bytes()).is_none());
    }

    #[test]
    fn splits_a_transaction_into_its_writes_in_order() {
        let items = json!([{ "Update": {"TableName": "a"} }, { "ConditionCheck": {} }, { "Put": {"TableName": "b"} }]);
        let writes = single_writes(json!({ "TransactItems": items }).to_string().as_bytes()).unwrap();
        let names: Vec<_> = writes.iter().map(|(operation, _)| operation.to_string()).collect();
        assert_eq!(names, ["DynamoDB.UpdateItem", "DynamoDB.PutItem"]);
        assert_eq!(writes[1].1, r#"{"TableName":"b"}"#);
        assert!(single_writes(b"{}").is_none());
    }
}
