//! A record of the permissions that functions use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Bytes;

use crate::call::{Operation, Scope};
use crate::functions::Functions;
use crate::iam_actions::{Account, Permissions, add_listed_partitions, for_missing_object, without_keys};

/// An action on a resource that a function used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedPermission {
    /// The function's name, or the access key of a caller that is not part of the stack.
    pub function: String,
    /// The IAM action, as in `dynamodb:PutItem`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// The partitions of the table, as roles name them: `CUSTOMER#*` for every customer. Empty for anything else.
    pub keys: BTreeSet<String>,
}

/// How often a permission was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UseCounts {
    /// For a request or an event, without being denied.
    pub handled: u64,
    /// To open a connection in init (`OPEN_CONNECTIONS_IN_INIT`), denied or not.
    pub prewarmed: u64,
    /// For a request or an event, and denied.
    pub denied: u64,
}

/// The permissions that were used so far.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<BTreeMap<UsedPermission, UseCounts>>);

impl Record {
    pub(crate) fn get(&self) -> BTreeMap<UsedPermission, UseCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Adds a call and its outcome.
    pub(crate) fn add(&self, pending: PendingCall, answer: &Response<Bytes>) {
        let PendingCall { function, mut permissions, purpose } = pending;
        add_listed_partitions(&mut permissions, answer);
        let denied = is_denied(answer);
        let not_found = answer.status() == StatusCode::NOT_FOUND;
        if purpose == Purpose::Handling && not_found {
            permissions.extend(for_missing_object(&permissions));
        }
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((action, resource), keys) in permissions {
            let permission = UsedPermission { function: function.clone(), action, resource, keys };
            match (purpose, denied) {
                (Purpose::Prewarm, _) => record.entry(permission).or_default().prewarmed += 1,
                // A client may tamper with a presigned URL, which says nothing about the function.
                (Purpose::PresignedUrl, true) => {}
                (_, true) => record.entry(permission).or_default().denied += 1,
                (_, false) => record.entry(permission).or_default().handled += 1,
            }
        }
    }
}

/// A call that has not been answered yet.
pub(crate) struct PendingCall {
    function: String,
    permissions: Permissions,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// For a request or an event.
    Handling,
    /// To open a connection in init.
    Prewarm,
    /// By a client, with a URL that the function signed.
    PresignedUrl,
}

impl PendingCall {
    /// `None` for a request without a signature.
    pub(crate) fn new(functions: &Functions, head: &Parts, body: &[u8]) -> Option<Self> {
        let (scope, presigned) = match (Scope::of(&head.headers), Scope::of_link(&head.uri)) {
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
            // No role has this action, so the comparison reports the call.
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

/// Prewarm calls name an item, a partition or an upload that never exists.
fn is_prewarm(head: &Parts, body: &[u8]) -> bool {
    let is_json = || head.headers.contains_key("x-amz-target");
    head.uri.path().ends_with("/uploads/none") || is_json() && contains(body, br#"{"S":"NONE"}"#)
}

fn is_denied(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::FORBIDDEN || answer.status().is_client_error() && contains(answer.body(), b"AccessDenied")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const KEY: &str = "ASIA5FEA4F669E564881";

    /// What is kept of a call of relay-events that is answered so.
    fn record_of(
        request: http::request::Builder,
        body: &str,
        status: u16,
        answer: &'static str,
    ) -> BTreeMap<UsedPermission, UseCounts> {
        let mut functions = Functions::default();
        let (function, role) =
            ("arn:aws:lambda:us-east-1:000000000000:function:relay-events", "arn:aws:iam::000000000000:role/relay-events");
        functions.insert("relay-events", function, role);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let record = Record::default();
        let answer = Response::builder().status(status).body(Bytes::from_static(answer.as_bytes())).unwrap();
        if let Some(pending) = PendingCall::new(&functions, &head, body.as_bytes()) {
            record.add(pending, &answer);
        }
        record.get()
    }

    /// Action, resource, and how often in each way.
    fn kept(
        request: http::request::Builder,
        body: &str,
        status: u16,
        answer: &'static str,
    ) -> Vec<(String, String, [u64; 3])> {
        let seen = record_of(request, body, status, answer).into_iter();
        seen.map(|(need, times)| {
            assert!(need.function == "relay-events" || need.function == "ASIA0", "{need:?}");
            (need.action, need.resource, [times.handled, times.prewarmed, times.denied])
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

    /// Action and resource of what a call that succeeds is kept as.
    #[track_caller]
    fn needs(request: http::request::Builder, body: &str) -> Vec<(String, String)> {
        let kept = kept(request, body, 200, "{}");
        assert!(kept.iter().all(|(_, _, times)| *times == [1, 0, 0]), "{kept:?}");
        kept.into_iter().map(|(action, resource, _)| (action, resource)).collect()
    }

    fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
        expected.map(|(action, resource)| (action.to_owned(), resource.to_owned())).to_vec()
    }

    #[test]
    fn maps_table_and_index_operations_to_actions() {
        let dynamodb = |operation: &str| targeted("dynamodb", &format!("DynamoDB_20120810.{operation}"));
        let table = "arn:aws:dynamodb:us-east-1:000000000000:table/shop";
        assert_eq!(needs(dynamodb("PutItem"), r#"{"TableName":"shop"}"#), pairs([("dynamodb:PutItem", table)]));
        let by_arn = format!(r#"{{"TableName":"{table}"}}"#);
        assert_eq!(needs(dynamodb("GetItem"), &by_arn), pairs([("dynamodb:GetItem", table)]));
        let query = r#"{"TableName":"shop","IndexName":"gsi1"}"#;
        assert_eq!(needs(dynamodb("Query"), query), pairs([("dynamodb:Query", &format!("{table}/index/gsi1"))]));
        let batch = r#"{"RequestItems":{"shop":{}}}"#;
        assert_eq!(needs(dynamodb("BatchGetItem"), batch), pairs([("dynamodb:BatchGetItem", table)]));
    }

    #[test]
    fn a_transaction_needs_the_permissions_of_its_items() {
        let body = r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"Update":{"TableName":"a"}},{"Put":{"TableName":"a"}},
            {"ConditionCheck":{"TableName":"b"}},{"Delete":{"TableName":"b"}}]}"#;
        let (a, b) = ("arn:aws:dynamodb:us-east-1:000000000000:table/a", "arn:aws:dynamodb:us-east-1:000000000000:table/b");
        assert_eq!(
            needs(targeted("dynamodb", "DynamoDB_20120810.TransactWriteItems"), body),
            pairs([
                ("dynamodb:ConditionCheckItem", b),
                ("dynamodb:DeleteItem", b),
                ("dynamodb:PutItem", a),
                ("dynamodb:UpdateItem", a)
            ])
        );
    }

    #[test]
    fn records_the_partitions_that_a_request_names() {
        let named = |operation: &str, body: &str, answer: &'static str| {
            let request = targeted("dynamodb", &format!("DynamoDB_20120810.{operation}"));
            let needs: Vec<_> = record_of(request, body, 200, answer).into_keys().collect();
            assert!(!needs.is_empty() && needs.iter().all(|need| need.keys == needs[0].keys), "{needs:?}");
            needs[0].keys.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        let (put, get) = (r#""Item":{"pk":{"S":"A#1"},"gsi1pk":{"S":"B#1"}}"#, r#""Key":{"pk":{"S":"B#2#3"}}"#);
        assert_eq!(named("PutItem", &format!(r#"{{"TableName":"t",{put}}}"#), "{}"), "A#*");
        assert_eq!(named("GetItem", &format!(r#"{{"TableName":"t",{get}}}"#), "{}"), "B#*");
        assert_eq!(named("GetItem", r#"{"TableName":"t","Key":{"id":{"S":"A#1"}}}"#, "{}"), "", "no key of the table");
        let transaction = r#"{"TransactItems":[{"Put":{"TableName":"t",PUT}},{"Update":{"TableName":"t",GET}}]}"#;
        let transaction = transaction.replace("PUT", put).replace("GET", get);
        assert_eq!(named("TransactWriteItems", &transaction, "{}"), "A#* B#*", "each part has those of all");
        let batch = r#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"A#1"}},{"pk":{"S":"B#1"}}]}}}"#;
        assert_eq!(named("BatchGetItem", batch, "{}"), "A#* B#*");

        let query = |condition: &str, more: &str| {
            let values = r#"{":v":{"S":"ALL"},":w":{"S":"other"}}"#;
            format!(
                r#"{{"TableName":"t",{more}"KeyConditionExpression":"{condition}","ExpressionAttributeValues":{values}}}"#
            )
        };
        assert_eq!(
            named("Query", &query("pk = :v AND begins_with(sk, :w)", ""), r#"{"Items":[{"pk":{"S":"A#1"}}]}"#),
            "ALL"
        );
        let by_index = query("gsi1pk = :v", r#""IndexName":"gsi1","#);
        assert_eq!(named("Query", &by_index, r#"{"Items":[]}"#), "ALL");
        assert_eq!(named("Query", &by_index, r#"{"Items":[{"pk":{"S":"A#1"}}]}"#), "A#* ALL", "a page may begin there");
        let start = r#""IndexName":"gsi1","ExclusiveStartKey":{"pk":{"S":"A#1"},"gsi1pk":{"S":"B#1"}},"#;
        assert_eq!(named("Query", &query("gsi1pk = :v", start), "{}"), "A#* ALL B#*");
    }

    #[test]
    fn names_queues_buses_parameters_and_senders() {
        let queue = r#"{"QueueUrl":"http://127.0.0.1:1/000000000000/dlq"}"#;
        let named = [("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:dlq")];
        assert_eq!(needs(targeted("sqs", "AmazonSQS.SendMessage"), queue), pairs(named));
        assert_eq!(needs(targeted("sqs", "AmazonSQS.SendMessageBatch"), queue), pairs(named));
        let entries = r#"{"Entries":[{"EventBusName":"bus"},{"EventBusName":"bus"},{}]}"#;
        assert_eq!(
            needs(targeted("events", "AWSEvents.PutEvents"), entries),
            pairs([
                ("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/bus"),
                ("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/default")
            ])
        );
        assert_eq!(
            needs(targeted("ssm", "AmazonSSM.GetParameter"), r#"{"Name":"/ferrite/jwks"}"#),
            pairs([("ssm:GetParameter", "arn:aws:ssm:us-east-1:000000000000:parameter/ferrite/jwks")])
        );
        let form = "Action=SendEmail&Source=The+Shop+%3Cshop%40example.com%3E&ConfigurationSetName=mails";
        assert_eq!(
            needs(signed("ses", "POST", "/"), form),
            pairs([
                ("ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:configuration-set/mails"),
                ("ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/shop@example.com")
            ])
        );
    }

    #[test]
    fn names_objects_by_key_in_requests_and_presigned_urls() {
        let put = signed("s3", "PUT", "/bucket/uploads/a%20b?x-id=PutObject");
        assert_eq!(needs(put, "x"), pairs([("s3:PutObject", "arn:aws:s3:::bucket/uploads/a b")]));
        let head = signed("s3", "HEAD", "/bucket/a");
        assert_eq!(needs(head, ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        let link = format!("/bucket/a?X-Amz-Credential={KEY}%2F20261101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0");
        assert_eq!(needs(Request::get(&link), ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        assert_eq!(kept(Request::get(&link), "", 403, ""), [], "a link that was tampered with");
    }

    #[test]
    fn a_missing_object_needs_list_bucket() {
        let get = |path| kept(signed("s3", "GET", path), "", 404, "");
        let needed = |action: &str, resource: &str| (action.to_owned(), resource.to_owned(), [1, 0, 0]);
        let missing = [needed("s3:GetObject", "arn:aws:s3:::bucket/a/b"), needed("s3:ListBucket", "arn:aws:s3:::bucket")];
        assert_eq!(get("/bucket/a/b"), missing);
    }

    #[test]
    fn counts_prewarm_calls_separately() {
        let only_opened = |kept: Vec<(String, String, [u64; 3])>| {
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!(kept[0].2, [0, 1, 0]);
        };
        let item = r#"{"TableName":"shop","Key":{"pk":{"S":"NONE"},"sk":{"S":"NONE"}}}"#;
        only_opened(kept(targeted("dynamodb", "DynamoDB_20120810.GetItem"), item, 400, "AccessDeniedException"));
        only_opened(kept(signed("s3", "GET", "/bucket/uploads/none"), "", 404, ""));
    }

    #[test]
    fn counts_denied_calls_separately() {
        let put = || targeted("dynamodb", "DynamoDB_20120810.PutItem");
        let times = |status, answer| kept(put(), r#"{"TableName":"shop"}"#, status, answer)[0].2;
        assert_eq!(times(400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#), [0, 0, 1]);
        assert_eq!(times(400, r#"{"__type":"ConditionalCheckFailedException"}"#), [1, 0, 0]);
    }

    #[test]
    fn records_calls_that_it_does_not_understand() {
        let decrypt = needs(targeted("kms", "TrentService.Decrypt"), "{}");
        assert_eq!(decrypt, pairs([("kms:?", "POST /")]));
        let stranger = "AWS4-HMAC-SHA256 Credential=ASIA0/20261101/us-east-1/s3/aws4_request, Signature=00";
        let get = Request::get("/bucket/a").header("authorization", stranger);
        assert_eq!(needs(get, ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        assert_eq!(kept(Request::get("/bucket/a"), "", 403, ""), []);
    }
}
