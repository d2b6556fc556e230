//! Records the permissions that functions use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Bytes;

use crate::call::{Operation, Scope};
use crate::functions::Functions;
use crate::iam_actions::{Account, Permissions, add_returned_partitions, for_missing_object, without_keys};

/// An IAM action on a resource that a function used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedPermission {
    /// Name of the function, or access key ID of a caller that is not part of the stack.
    pub function: String,
    /// IAM action, such as `dynamodb:PutItem`.
    pub action: String,
    /// ARN of the resource.
    pub resource: String,
    /// Partition key patterns as in roles, such as `ITEM#*` for all items with that prefix. Empty for resources other
    /// than tables.
    pub keys: BTreeSet<String>,
}

/// How often a permission was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UseCounts {
    /// Allowed uses while handling a request or an event.
    pub handled: u64,
    /// Uses to open a connection in init (`OPEN_CONNECTIONS_IN_INIT`), allowed or denied.
    pub prewarmed: u64,
    /// Denied uses while handling a request or an event.
    pub denied: u64,
}

/// The permissions that have been used so far.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<BTreeMap<UsedPermission, UseCounts>>);

impl Record {
    pub(crate) fn get(&self) -> BTreeMap<UsedPermission, UseCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Adds a call and its response.
    pub(crate) fn add(&self, pending: PendingCall, response: &Response<Bytes>) {
        let PendingCall { function, mut permissions, purpose } = pending;
        add_returned_partitions(&mut permissions, response);
        let denied = is_denied(response);
        let not_found = response.status() == StatusCode::NOT_FOUND;
        if purpose == Purpose::Handling && not_found {
            permissions.extend(for_missing_object(&permissions));
        }
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((action, resource), keys) in permissions {
            let permission = UsedPermission { function: function.clone(), action, resource, keys };
            match (purpose, denied) {
                (Purpose::Prewarm, _) => record.entry(permission).or_default().prewarmed += 1,
                // A denied presigned URL does not indicate a missing permission: the client may have changed it.
                (Purpose::PresignedUrl, true) => {}
                (_, true) => record.entry(permission).or_default().denied += 1,
                (_, false) => record.entry(permission).or_default().handled += 1,
            }
        }
    }
}

/// A call that has no response yet.
pub(crate) struct PendingCall {
    function: String,
    permissions: Permissions,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A call of a function that handles a request or an event.
    Handling,
    /// A call that opens a connection in init.
    Prewarm,
    /// A call of a client, with a URL that the function signed.
    PresignedUrl,
}

impl PendingCall {
    /// Returns `None` for a request without a signature.
    pub(crate) fn new(functions: &Functions, head: &Parts, body: &[u8]) -> Option<Self> {
        let (scope, presigned) = match (Scope::of(&head.headers), Scope::of_presigned_url(&head.uri)) {
            (Some(scope), _) => (scope, false),
            (None, Some(scope)) => (scope, true),
            (None, None) => return None,
        };
        let caller = functions.with_key(scope.access_key);
        let function = caller.map_or_else(|| scope.access_key.to_owned(), |caller| caller.name.clone());
        let account = Account {
            partition: caller.map_or("aws", |caller| &caller.partition),
            region: scope.region,
            id: caller.map_or("", |caller| &caller.account),
        };
        let permissions = match Operation::of_signed(&scope, head, body) {
            Some(operation) => account.permissions(&operation, head, body),
            // No role allows this action, so the comparison with the roles reports the call.
            None => without_keys([(format!("{}:?", scope.service), format!("{} {}", head.method, head.uri.path()))]),
        };
        let purpose = match presigned {
            true => Purpose::PresignedUrl,
            false if is_prewarm(head, body) => Purpose::Prewarm,
            false => Purpose::Handling,
        };
        Some(Self { function, permissions, purpose })
    }
}

/// Whether a call only prewarms a connection. Such calls use an item, a partition or an upload that never exists.
fn is_prewarm(head: &Parts, body: &[u8]) -> bool {
    let is_json = || head.headers.contains_key("x-amz-target");
    head.uri.path().ends_with("/uploads/none") || is_json() && contains(body, br#"{"S":"NONE"}"#)
}

fn is_denied(response: &Response<Bytes>) -> bool {
    let status = response.status();
    status == StatusCode::FORBIDDEN || status.is_client_error() && contains(response.body(), b"AccessDenied")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const KEY: &str = "ASIA5FEA4F669E564881";

    /// Records a call of relay-events that gets this response, and returns the record.
    fn record_of(
        request: http::request::Builder,
        body: &str,
        status: u16,
        response: &'static str,
    ) -> BTreeMap<UsedPermission, UseCounts> {
        let mut functions = Functions::default();
        let function = "arn:aws:lambda:us-east-1:000000000000:function:relay-events";
        let role = "arn:aws:iam::000000000000:role/relay-events";
        functions.insert("relay-events", function, role);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let record = Record::default();
        let response = Response::builder().status(status).body(Bytes::from_static(response.as_bytes())).unwrap();
        if let Some(pending) = PendingCall::new(&functions, &head, body.as_bytes()) {
            record.add(pending, &response);
        }
        record.get()
    }

    /// Records a call, and returns the action, the resource and the counts (handled, prewarmed, denied) of each entry.
    fn recorded(
        request: http::request::Builder,
        body: &str,
        status: u16,
        response: &'static str,
    ) -> Vec<(String, String, [u64; 3])> {
        let record = record_of(request, body, status, response).into_iter();
        record
            .map(|(used, counts)| {
                assert!(used.function == "relay-events" || used.function == "ASIA0", "{used:?}");
                (used.action, used.resource, [counts.handled, counts.prewarmed, counts.denied])
            })
            .collect()
    }

    fn signed(service: &str, method: &str, path: &str) -> http::request::Builder {
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={KEY}/20261101/us-east-1/{service}/aws4_request, Signature=00");
        Request::builder().method(method).uri(path).header("authorization", authorization)
    }

    fn targeted(service: &str, target: &str) -> http::request::Builder {
        signed(service, "POST", "/").header("x-amz-target", target)
    }

    /// Actions and resources that a successful call needs.
    #[track_caller]
    fn permissions_of(request: http::request::Builder, body: &str) -> Vec<(String, String)> {
        let recorded = recorded(request, body, 200, "{}");
        assert!(recorded.iter().all(|(_, _, counts)| *counts == [1, 0, 0]), "{recorded:?}");
        recorded.into_iter().map(|(action, resource, _)| (action, resource)).collect()
    }

    fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
        expected.map(|(action, resource)| (action.to_owned(), resource.to_owned())).to_vec()
    }

    #[test]
    fn maps_table_and_index_operations_to_actions() {
        let dynamodb = |operation: &str| targeted("dynamodb", &format!("DynamoDB_20120810.{operation}"));
        let table = "arn:aws:dynamodb:us-east-1:000000000000:table/main";
        assert_eq!(permissions_of(dynamodb("PutItem"), r#"{"TableName":"main"}"#), pairs([("dynamodb:PutItem", table)]));
        let by_arn = format!(r#"{{"TableName":"{table}"}}"#);
        assert_eq!(permissions_of(dynamodb("GetItem"), &by_arn), pairs([("dynamodb:GetItem", table)]));
        let query = r#"{"TableName":"main","IndexName":"gsi1"}"#;
        assert_eq!(permissions_of(dynamodb("Query"), query), pairs([("dynamodb:Query", &format!("{table}/index/gsi1"))]));
        let batch = r#"{"RequestItems":{"main":{}}}"#;
        assert_eq!(permissions_of(dynamodb("BatchGetItem"), batch), pairs([("dynamodb:BatchGetItem", table)]));
    }

    #[test]
    fn transaction_needs_the_permissions_of_its_items() {
        let body = r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"Update":{"TableName":"a"}},{"Put":{"TableName":"a"}},
            {"ConditionCheck":{"TableName":"b"}},{"Delete":{"TableName":"b"}}]}"#;
        let a = "arn:aws:dynamodb:us-east-1:000000000000:table/a";
        let b = "arn:aws:dynamodb:us-east-1:000000000000:table/b";
        assert_eq!(
            permissions_of(targeted("dynamodb", "DynamoDB_20120810.TransactWriteItems"), body),
            pairs([
                ("dynamodb:ConditionCheckItem", b),
                ("dynamodb:DeleteItem", b),
                ("dynamodb:PutItem", a),
                ("dynamodb:UpdateItem", a)
            ])
        );
    }

    #[test]
    fn records_the_partitions_of_a_request() {
        let partitions = |operation: &str, body: &str, response: &'static str| {
            let request = targeted("dynamodb", &format!("DynamoDB_20120810.{operation}"));
            let used: Vec<_> = record_of(request, body, 200, response).into_keys().collect();
            assert!(!used.is_empty() && used.iter().all(|permission| permission.keys == used[0].keys), "{used:?}");
            used[0].keys.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        let put = r#""Item":{"pk":{"S":"A#1"},"gsi1pk":{"S":"B#1"}}"#;
        let get = r#""Key":{"pk":{"S":"B#2#3"}}"#;
        assert_eq!(partitions("PutItem", &format!(r#"{{"TableName":"t",{put}}}"#), "{}"), "A#*");
        assert_eq!(partitions("GetItem", &format!(r#"{{"TableName":"t",{get}}}"#), "{}"), "B#*");
        assert_eq!(
            partitions("GetItem", r#"{"TableName":"t","Key":{"id":{"S":"A#1"}}}"#, "{}"),
            "",
            "not a key of the table"
        );
        let transaction = r#"{"TransactItems":[{"Put":{"TableName":"t",PUT}},{"Update":{"TableName":"t",GET}}]}"#;
        let transaction = transaction.replace("PUT", put).replace("GET", get);
        assert_eq!(
            partitions("TransactWriteItems", &transaction, "{}"),
            "A#* B#*",
            "each item has the partitions of all items"
        );
        let batch = r#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"A#1"}},{"pk":{"S":"B#1"}}]}}}"#;
        assert_eq!(partitions("BatchGetItem", batch, "{}"), "A#* B#*");

        let query = |condition: &str, members: &str| {
            let values = r#"{":v":{"S":"ALL"},":w":{"S":"other"}}"#;
            format!(
                r#"{{"TableName":"t",{members}"KeyConditionExpression":"{condition}","ExpressionAttributeValues":{values}}}"#
            )
        };
        assert_eq!(
            partitions("Query", &query("pk = :v AND begins_with(sk, :w)", ""), r#"{"Items":[{"pk":{"S":"A#1"}}]}"#),
            "ALL"
        );
        let by_index = query("gsi1pk = :v", r#""IndexName":"gsi1","#);
        assert_eq!(partitions("Query", &by_index, r#"{"Items":[]}"#), "ALL");
        assert_eq!(
            partitions("Query", &by_index, r#"{"Items":[{"pk":{"S":"A#1"}}]}"#),
            "A#* ALL",
            "the next page may start after that item"
        );
        let start = r#""IndexName":"gsi1","ExclusiveStartKey":{"pk":{"S":"A#1"},"gsi1pk":{"S":"B#1"}},"#;
        assert_eq!(partitions("Query", &query("gsi1pk = :v", start), "{}"), "A#* ALL B#*");
    }

    #[test]
    fn derives_the_arns_of_queues_buses_parameters_and_senders() {
        let queue = r#"{"QueueUrl":"http://127.0.0.1:1/000000000000/dlq"}"#;
        let expected = [("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:dlq")];
        assert_eq!(permissions_of(targeted("sqs", "AmazonSQS.SendMessage"), queue), pairs(expected));
        assert_eq!(permissions_of(targeted("sqs", "AmazonSQS.SendMessageBatch"), queue), pairs(expected));
        let entries = r#"{"Entries":[{"EventBusName":"bus"},{"EventBusName":"bus"},{}]}"#;
        assert_eq!(
            permissions_of(targeted("events", "AWSEvents.PutEvents"), entries),
            pairs([
                ("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/bus"),
                ("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/default")
            ])
        );
        assert_eq!(
            permissions_of(targeted("ssm", "AmazonSSM.GetParameter"), r#"{"Name":"/example/jwks"}"#),
            pairs([("ssm:GetParameter", "arn:aws:ssm:us-east-1:000000000000:parameter/example/jwks")])
        );
        let form = "Action=SendEmail&Source=The+Sender+%3Csender%40example.com%3E&ConfigurationSetName=emails";
        assert_eq!(
            permissions_of(signed("ses", "POST", "/"), form),
            pairs([
                ("ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:configuration-set/emails"),
                ("ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/sender@example.com")
            ])
        );
    }

    #[test]
    fn derives_the_arns_of_objects_from_requests_and_presigned_urls() {
        let put = signed("s3", "PUT", "/bucket/uploads/a%20b?x-id=PutObject");
        assert_eq!(permissions_of(put, "x"), pairs([("s3:PutObject", "arn:aws:s3:::bucket/uploads/a b")]));
        let head = signed("s3", "HEAD", "/bucket/a");
        assert_eq!(permissions_of(head, ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        let presigned =
            format!("/bucket/a?X-Amz-Credential={KEY}%2F20261101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0");
        assert_eq!(permissions_of(Request::get(&presigned), ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        assert_eq!(recorded(Request::get(&presigned), "", 403, ""), [], "a presigned URL with an invalid signature");
    }

    #[test]
    fn missing_object_needs_list_bucket() {
        let get = |path| recorded(signed("s3", "GET", path), "", 404, "");
        let entry = |action: &str, resource: &str| (action.to_owned(), resource.to_owned(), [1, 0, 0]);
        let expected = [entry("s3:GetObject", "arn:aws:s3:::bucket/a/b"), entry("s3:ListBucket", "arn:aws:s3:::bucket")];
        assert_eq!(get("/bucket/a/b"), expected);
    }

    #[test]
    fn counts_prewarm_calls_separately() {
        let assert_prewarmed = |recorded: Vec<(String, String, [u64; 3])>| {
            assert_eq!(recorded.len(), 1, "{recorded:?}");
            assert_eq!(recorded[0].2, [0, 1, 0]);
        };
        let item = r#"{"TableName":"main","Key":{"pk":{"S":"NONE"},"sk":{"S":"NONE"}}}"#;
        assert_prewarmed(recorded(targeted("dynamodb", "DynamoDB_20120810.GetItem"), item, 400, "AccessDeniedException"));
        assert_prewarmed(recorded(signed("s3", "GET", "/bucket/uploads/none"), "", 404, ""));
    }

    #[test]
    fn counts_denied_calls_separately() {
        let put = || targeted("dynamodb", "DynamoDB_20120810.PutItem");
        let counts = |status, response| recorded(put(), r#"{"TableName":"main"}"#, status, response)[0].2;
        assert_eq!(counts(400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#), [0, 0, 1]);
        assert_eq!(counts(400, r#"{"__type":"ConditionalCheckFailedException"}"#), [1, 0, 0]);
    }

    #[test]
    fn records_unknown_operations_and_unknown_callers() {
        let decrypt = permissions_of(targeted("kms", "TrentService.Decrypt"), "{}");
        assert_eq!(decrypt, pairs([("kms:?", "POST /")]));
        let unknown_caller = "AWS4-HMAC-SHA256 Credential=ASIA0/20261101/us-east-1/s3/aws4_request, Signature=00";
        let get = Request::get("/bucket/a").header("authorization", unknown_caller);
        assert_eq!(permissions_of(get, ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        assert_eq!(recorded(Request::get("/bucket/a"), "", 403, ""), []);
    }
}
