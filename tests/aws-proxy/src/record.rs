//! What functions asked AWS for, in the words of their roles: a record of every call that came through.
//!
//! What a call needs is in each service's page of the "Service Authorization Reference"; what a transaction needs, in
//! "Using IAM with DynamoDB transactions"; and why a missing object needs `s3:ListBucket`, in "GetObject" (Amazon S3 API
//! Reference).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::call::{Operation, Scope, Service};
use crate::functions::Functions;

/// An action on a resource that a function asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The function's name; for a caller that is none of the stack's, its access key.
    pub function: String,
    /// The IAM action, as in `dynamodb:PutItem`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// The partitions of the table, as roles name them: `CUSTOMER#*` for every customer. None for what has no such keys.
    pub keys: BTreeSet<String>,
}

/// How often it was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// And was not refused, for a request or an event that the function had.
    pub handled: u64,
    /// In init, for the connection alone (`OPEN_CONNECTIONS_IN_INIT`), whatever came of it.
    pub opened: u64,
    /// And was refused for want of a permission.
    pub refused: u64,
}

/// The calls so far.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<BTreeMap<Need, Times>>);

impl Record {
    pub(crate) fn seen(&self) -> BTreeMap<Need, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Keeps a call and what came of it.
    pub(crate) fn keep(&self, asked: Asked, answer: &Response<Bytes>) {
        let Asked { function, mut permissions, how } = asked;
        add_listed(&mut permissions, answer);
        let refused = is_refused(answer);
        let not_found = answer.status() == StatusCode::NOT_FOUND;
        if how == How::Handling && not_found {
            permissions.extend(to_be_told_of_absence(&permissions));
        }
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((action, resource), keys) in permissions {
            let need = Need { function: function.clone(), action, resource, keys };
            match (how, refused) {
                (How::Opening, _) => record.entry(need).or_default().opened += 1,
                // Whoever has a link may try to open something else with it: that is no need of the function's.
                (How::Link, true) => {}
                (_, true) => record.entry(need).or_default().refused += 1,
                (_, false) => record.entry(need).or_default().handled += 1,
            }
        }
    }
}

type Permission = (String, String);

/// What is asked for, and in which partitions.
type Permissions = BTreeMap<Permission, BTreeSet<String>>;

/// What a call asks for, before it is answered.
pub(crate) struct Asked {
    function: String,
    permissions: Permissions,
    how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// For a request or an event.
    Handling,
    /// To open a connection (shared/aws/src/opening.rs).
    Opening,
    /// By a client, with a link that the function signed.
    Link,
}

impl Asked {
    /// `None` for a request that nobody signed.
    pub(crate) fn of(functions: &Functions, head: &Parts, body: &[u8]) -> Option<Self> {
        let (scope, link) = match (Scope::of(&head.headers), Scope::of_link(&head.uri)) {
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
            // It is in no role, so that whoever adds such a call finds out that it is not recorded.
            None => in_no_table([(format!("{}:?", scope.service), format!("{} {}", head.method, head.uri.path()))]),
        };
        let how = match link {
            true => How::Link,
            false if opens_a_connection(head, body) => How::Opening,
            false => How::Handling,
        };
        Some(Self { function, permissions, how })
    }
}

/// Known by what they ask for and nobody has: the item, the partition and the upload called none.
fn opens_a_connection(head: &Parts, body: &[u8]) -> bool {
    let is_json = || head.headers.contains_key("x-amz-target");
    head.uri.path().ends_with("/uploads/none") || is_json() && contains(body, br#"{"S":"NONE"}"#)
}

fn is_refused(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::FORBIDDEN || answer.status().is_client_error() && contains(answer.body(), b"AccessDenied")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// S3 says that an object is not there only to whom may list the bucket, and forbids it to all others.
fn to_be_told_of_absence(permissions: &Permissions) -> Option<(Permission, BTreeSet<String>)> {
    let (_, object) = permissions.keys().find(|(action, _)| action == "s3:GetObject")?;
    let (bucket, _key) = object.split_once('/')?;
    Some((("s3:ListBucket".to_owned(), bucket.to_owned()), BTreeSet::new()))
}

/// A query on an index may next begin after what it listed: then it names the partition of that item, too.
fn add_listed(permissions: &mut Permissions, answer: &Response<Bytes>) {
    for ((_, resource), keys) in permissions {
        if resource.contains("/index/") {
            let listed = serde_json::from_slice::<Value>(answer.body()).unwrap_or_default();
            let items = listed["Items"].as_array().into_iter().flatten();
            keys.extend(items.filter_map(|item| partition(&item["pk"])));
        }
    }
}

fn in_no_table(permissions: impl IntoIterator<Item = Permission>) -> Permissions {
    permissions.into_iter().map(|permission| (permission, BTreeSet::new())).collect()
}

/// What a role can name of a partition key: not which customer it is, or which product.
fn partition(key: &Value) -> Option<String> {
    let key = key["S"].as_str()?;
    Some(key.split_once('#').map_or_else(|| key.to_owned(), |(kind, _)| format!("{kind}#*")))
}

/// The partitions that a request, or a part of a transaction, names (shared/aws/src/table/keys.rs).
fn partitions(part: &Value) -> BTreeSet<String> {
    let start = &part["ExclusiveStartKey"];
    let compared = part["KeyConditionExpression"].as_str().and_then(|condition| {
        let (attribute, value) = condition.split_once(" = ")?;
        let value = value.split(' ').next()?;
        ["pk", "gsi1pk"].contains(&attribute).then(|| &part["ExpressionAttributeValues"][value])
    });
    let keys = [&part["Key"]["pk"], &part["Item"]["pk"], &start["pk"], &start["gsi1pk"]];
    keys.into_iter().chain(compared).filter_map(partition).collect()
}

/// Where the resources of a call are.
struct Account<'a> {
    partition: &'a str,
    region: &'a str,
    id: &'a str,
}

impl Account<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        // Many operations take an ARN where they take a name.
        if resource.starts_with("arn:") {
            return resource.to_owned();
        }
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.id)
    }

    fn permissions(&self, operation: &Operation, head: &Parts, body: &[u8]) -> Permissions {
        let json = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        match operation.service {
            Service::DynamoDb => self.on_tables(&operation.name, &json()),
            Service::EventBridge => {
                let request = json();
                let entries = request["Entries"].as_array().into_iter().flatten();
                let buses = entries.map(|entry| entry["EventBusName"].as_str().unwrap_or("default"));
                let bus = |name: &str| if name.starts_with("arn:") { name.to_owned() } else { format!("event-bus/{name}") };
                in_no_table(buses.map(|name| (format!("events:{}", operation.name), self.arn("events", &bus(name)))))
            }
            Service::S3 => {
                let action = operation.name.replace("HeadObject", "GetObject");
                let object = percent_decode_str(head.uri.path().trim_start_matches('/')).decode_utf8_lossy();
                in_no_table([(format!("s3:{action}"), format!("arn:{}:s3:::{object}", self.partition))])
            }
            Service::Ses => {
                let field = |name| form_field(body, name);
                let resources = [
                    field("Source").map(|sender| format!("identity/{}", address(&sender))),
                    field("ConfigurationSetName").map(|set| format!("configuration-set/{set}")),
                ];
                let action = format!("ses:{}", operation.name);
                let resources = resources.into_iter().flatten();
                in_no_table(resources.map(|resource| (action.clone(), self.arn("ses", &resource))))
            }
            Service::Sqs => {
                let request = json();
                let queue = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
                let action = operation.name.trim_end_matches("Batch");
                in_no_table([(format!("sqs:{action}"), self.arn("sqs", queue))])
            }
            Service::Ssm => {
                let request = json();
                let name = request["Name"].as_str().unwrap_or_default();
                let resource = format!("parameter/{}", name.trim_start_matches('/'));
                in_no_table([(format!("ssm:{}", operation.name), self.arn("ssm", &resource))])
            }
        }
    }

    /// Each part of a transaction with the partitions of all: AWS's documents do not say that it is held to its own alone.
    fn on_tables(&self, operation: &str, request: &Value) -> Permissions {
        let table = |name: &str| if name.starts_with("arn:") { name.to_owned() } else { format!("table/{name}") };
        let permission = |action: &str, resource: &str| (format!("dynamodb:{action}"), self.arn("dynamodb", resource));
        if let Some(items) = request["TransactItems"].as_array() {
            let items = items.iter().filter_map(Value::as_object).flatten();
            let keys: BTreeSet<_> = items.clone().flat_map(|(_, item)| partitions(item)).collect();
            return items
                .map(|(action, item)| {
                    let action = if action == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{action}Item") };
                    (permission(action, &table(item["TableName"].as_str().unwrap_or_default())), keys.clone())
                })
                .collect();
        }
        if let Some(tables) = request["RequestItems"].as_object() {
            let tables = tables.iter().map(|(name, wanted)| {
                let keys = wanted["Keys"].as_array().into_iter().flatten();
                (permission(operation, &table(name)), keys.filter_map(|key| partition(&key["pk"])).collect())
            });
            return tables.collect();
        }
        let mut resource = table(request["TableName"].as_str().unwrap_or_default());
        if let Some(index) = request["IndexName"].as_str() {
            resource.push_str(&format!("/index/{index}"));
        }
        [(permission(operation, &resource), partitions(request))].into()
    }
}

fn form_field(body: &[u8], name: &str) -> Option<String> {
    let fields = std::str::from_utf8(body).ok()?.split('&').filter_map(|field| field.split_once('='));
    let (_, value) = fields.into_iter().find(|(field, _)| *field == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// The address of a mailbox that may have a name before it (RFC 5322, 3.4).
fn address(mailbox: &str) -> &str {
    mailbox.rsplit_once('<').map_or(mailbox, |(_, address)| address.trim_end_matches('>'))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const KEY: &str = "ASIA5FEA4F669E564881";

    /// What is kept of a call of relay-events that is answered so.
    fn record_of(request: http::request::Builder, body: &str, status: u16, answer: &'static str) -> BTreeMap<Need, Times> {
        let mut functions = Functions::default();
        let (function, role) =
            ("arn:aws:lambda:us-east-1:000000000000:function:relay-events", "arn:aws:iam::000000000000:role/relay-events");
        functions.insert("relay-events", function, role);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let record = Record::default();
        let answer = Response::builder().status(status).body(Bytes::from_static(answer.as_bytes())).unwrap();
        if let Some(asked) = Asked::of(&functions, &head, body.as_bytes()) {
            record.keep(asked, &answer);
        }
        record.seen()
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
            (need.action, need.resource, [times.handled, times.opened, times.refused])
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
    fn an_operation_on_a_table_or_its_index_is_an_action_on_it() {
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
    fn a_transaction_needs_what_its_items_need() {
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
    fn the_partitions_are_those_that_a_request_names() {
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
    fn queues_buses_parameters_and_senders_are_named() {
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
    fn an_object_is_named_by_its_key_also_in_a_link() {
        let put = signed("s3", "PUT", "/bucket/uploads/a%20b?x-id=PutObject");
        assert_eq!(needs(put, "x"), pairs([("s3:PutObject", "arn:aws:s3:::bucket/uploads/a b")]));
        let head = signed("s3", "HEAD", "/bucket/a");
        assert_eq!(needs(head, ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        let link = format!("/bucket/a?X-Amz-Credential={KEY}%2F20261101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0");
        assert_eq!(needs(Request::get(&link), ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        assert_eq!(kept(Request::get(&link), "", 403, ""), [], "a link that was tampered with");
    }

    #[test]
    fn to_be_told_that_an_object_is_not_there_takes_a_permission_of_its_own() {
        let get = |path| kept(signed("s3", "GET", path), "", 404, "");
        let needed = |action: &str, resource: &str| (action.to_owned(), resource.to_owned(), [1, 0, 0]);
        let missing = [needed("s3:GetObject", "arn:aws:s3:::bucket/a/b"), needed("s3:ListBucket", "arn:aws:s3:::bucket")];
        assert_eq!(get("/bucket/a/b"), missing);
    }

    #[test]
    fn what_only_opens_a_connection_is_no_need() {
        let only_opened = |kept: Vec<(String, String, [u64; 3])>| {
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!(kept[0].2, [0, 1, 0]);
        };
        let item = r#"{"TableName":"shop","Key":{"pk":{"S":"NONE"},"sk":{"S":"NONE"}}}"#;
        only_opened(kept(targeted("dynamodb", "DynamoDB_20120810.GetItem"), item, 400, "AccessDeniedException"));
        only_opened(kept(signed("s3", "GET", "/bucket/uploads/none"), "", 404, ""));
    }

    #[test]
    fn a_refusal_is_kept_as_one_and_shows_no_need() {
        let put = || targeted("dynamodb", "DynamoDB_20120810.PutItem");
        let times = |status, answer| kept(put(), r#"{"TableName":"shop"}"#, status, answer)[0].2;
        assert_eq!(times(400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#), [0, 0, 1]);
        assert_eq!(times(400, r#"{"__type":"ConditionalCheckFailedException"}"#), [1, 0, 0]);
    }

    #[test]
    fn what_is_not_understood_is_kept_all_the_same() {
        let decrypt = needs(targeted("kms", "TrentService.Decrypt"), "{}");
        assert_eq!(decrypt, pairs([("kms:?", "POST /")]));
        let stranger = "AWS4-HMAC-SHA256 Credential=ASIA0/20261101/us-east-1/s3/aws4_request, Signature=00";
        let get = Request::get("/bucket/a").header("authorization", stranger);
        assert_eq!(needs(get, ""), pairs([("s3:GetObject", "arn:aws:s3:::bucket/a")]));
        assert_eq!(kept(Request::get("/bucket/a"), "", 403, ""), []);
    }
}
