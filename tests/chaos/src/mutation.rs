//! Mutations that the proxy applies to the system on purpose, to prove that a chaos run finds them.

use hyper::body::Bytes;
use serde_json::{Value, json};

use ferrite_aws_proxy::call::{Operation, Service};

/// A guarantee of the system that is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mutation {
    /// A transaction is carried out as single writes. When one is rejected, those before it stay, and every third transaction
    /// stops half-way.
    SplitTransaction,
    /// Writes to these tables ignore their condition.
    NoDeduplication(Vec<String>),
}

impl Mutation {
    /// The body of a write to one of the tables, with a condition that always holds. `None` when the write stays as it is.
    pub(crate) fn unconditional(&self, operation: &Operation, body: &[u8]) -> Option<Bytes> {
        let Self::NoDeduplication(tables) = self else { return None };
        if operation.service != Service::DynamoDb {
            return None;
        }
        let mut body: Value = serde_json::from_slice(body).ok()?;
        if !tables.iter().any(|table| body["TableName"] == *table.as_str()) {
            return None;
        }
        let condition = body["ConditionExpression"].as_str()?;
        // DynamoDB rejects values that no expression uses, so the condition stays and always holds.
        body["ConditionExpression"] = format!("({condition}) OR attribute_exists(x) OR attribute_not_exists(x)").into();
        Some(body.to_string().into())
    }
}

/// The single writes of a transaction, each with its operation. `None` when it is not a transaction.
pub(crate) fn single_writes(transaction: &[u8]) -> Option<Vec<(Operation, Bytes)>> {
    let transaction: Value = serde_json::from_slice(transaction).ok()?;
    let items = transaction["TransactItems"].as_array()?;
    let writes = items.iter().filter_map(|item| {
        let (kind, write) = item.as_object()?.iter().next()?;
        // A check of something else writes nothing.
        let operation = ["Put", "Update", "Delete"].contains(&kind.as_str()).then(|| format!("{kind}Item"))?;
        Some((Operation::new(Service::DynamoDb, operation), write.to_string().into()))
    });
    Some(writes.collect())
}

/// The cancellation of a transaction of `count` items whose item at `index` was rejected with `answer`.
pub(crate) fn cancelled(count: usize, index: usize, answer: &[u8]) -> Bytes {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let reason =
        json!({ "Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": answer["Item"] });
    let reasons: Vec<_> =
        (0..count).map(|at| if at == index { reason.clone() } else { json!({ "Code": "None" }) }).collect();
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
    fn removes_conditions_only_for_the_named_tables() {
        let mutation = Mutation::NoDeduplication(vec!["ledger".to_owned()]);
        let put = Operation::new(Service::DynamoDb, "PutItem");
        let body = |table: &str| json!({ "TableName": table, "ConditionExpression": "a = :a" }).to_string();
        let changed = mutation.unconditional(&put, body("ledger").as_bytes()).unwrap();
        let changed: Value = serde_json::from_slice(&changed).unwrap();
        assert_eq!(changed["ConditionExpression"], "(a = :a) OR attribute_exists(x) OR attribute_not_exists(x)");
        assert!(mutation.unconditional(&put, body("orders").as_bytes()).is_none());
        assert!(mutation.unconditional(&put, br#"{"TableName":"ledger"}"#).is_none());
        assert!(Mutation::SplitTransaction.unconditional(&put, body("ledger").as_bytes()).is_none());
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
