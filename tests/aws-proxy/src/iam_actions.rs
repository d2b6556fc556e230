//! The IAM actions and resources that a call needs.
//!
//! Sources: each service's page of the "Service Authorization Reference"; "Using IAM with DynamoDB transactions"; and
//! "GetObject" in the Amazon S3 API Reference, for the `s3:ListBucket` that a missing object needs.

use std::collections::{BTreeMap, BTreeSet};

use http::Response;
use http::request::Parts;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::call::{Operation, Service};

/// An action, and the ARN of a resource.
pub(crate) type Permission = (String, String);

/// The permissions that a call needs, each with the partition keys that it names.
pub(crate) type Permissions = BTreeMap<Permission, BTreeSet<String>>;

/// S3 answers 404 for a missing object only to callers who may list the bucket. It answers 403 to all others.
pub(crate) fn for_missing_object(permissions: &Permissions) -> Option<(Permission, BTreeSet<String>)> {
    let (_, object) = permissions.keys().find(|(action, _)| action == "s3:GetObject")?;
    let (bucket, _key) = object.split_once('/')?;
    Some((("s3:ListBucket".to_owned(), bucket.to_owned()), BTreeSet::new()))
}

/// The next page of a query on an index starts after an item of this one, and then names the partition of that item too.
pub(crate) fn add_listed_partitions(permissions: &mut Permissions, answer: &Response<Bytes>) {
    for ((_, resource), keys) in permissions {
        if resource.contains("/index/") {
            let listed = serde_json::from_slice::<Value>(answer.body()).unwrap_or_default();
            let items = listed["Items"].as_array().into_iter().flatten();
            keys.extend(items.filter_map(|item| partition(&item["pk"])));
        }
    }
}

pub(crate) fn without_keys(permissions: impl IntoIterator<Item = Permission>) -> Permissions {
    permissions.into_iter().map(|permission| (permission, BTreeSet::new())).collect()
}

/// The pattern that a role can name for a partition key: the kind of item, but not the single customer or product.
fn partition(key: &Value) -> Option<String> {
    let key = key["S"].as_str()?;
    Some(key.split_once('#').map_or_else(|| key.to_owned(), |(kind, _)| format!("{kind}#*")))
}

/// The partitions that a request, or a part of a transaction, names, in tables with the keys `pk` and `gsi1pk`.
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

/// The account that the resources of a call are in.
pub(crate) struct Account<'a> {
    pub(crate) partition: &'a str,
    pub(crate) region: &'a str,
    pub(crate) id: &'a str,
}

impl Account<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        // Many operations take an ARN where they take a name.
        if resource.starts_with("arn:") {
            return resource.to_owned();
        }
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.id)
    }

    /// The permissions that a call needs.
    pub(crate) fn permissions(&self, operation: &Operation, head: &Parts, body: &[u8]) -> Permissions {
        let json = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        match operation.service {
            Service::DynamoDb => self.on_tables(&operation.name, &json()),
            Service::EventBridge => {
                let request = json();
                let entries = request["Entries"].as_array().into_iter().flatten();
                let buses = entries.map(|entry| entry["EventBusName"].as_str().unwrap_or("default"));
                let bus = |name: &str| if name.starts_with("arn:") { name.to_owned() } else { format!("event-bus/{name}") };
                without_keys(buses.map(|name| (format!("events:{}", operation.name), self.arn("events", &bus(name)))))
            }
            Service::S3 => {
                let action = operation.name.replace("HeadObject", "GetObject");
                let object = percent_decode_str(head.uri.path().trim_start_matches('/')).decode_utf8_lossy();
                without_keys([(format!("s3:{action}"), format!("arn:{}:s3:::{object}", self.partition))])
            }
            Service::Ses => {
                let field = |name| form_field(body, name);
                let resources = [
                    field("Source").map(|sender| format!("identity/{}", address(&sender))),
                    field("ConfigurationSetName").map(|set| format!("configuration-set/{set}")),
                ];
                let action = format!("ses:{}", operation.name);
                let resources = resources.into_iter().flatten();
                without_keys(resources.map(|resource| (action.clone(), self.arn("ses", &resource))))
            }
            Service::Sqs => {
                let request = json();
                let queue = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
                let action = operation.name.trim_end_matches("Batch");
                without_keys([(format!("sqs:{action}"), self.arn("sqs", queue))])
            }
            Service::Ssm => {
                let request = json();
                let name = request["Name"].as_str().unwrap_or_default();
                let resource = format!("parameter/{}", name.trim_start_matches('/'));
                without_keys([(format!("ssm:{}", operation.name), self.arn("ssm", &resource))])
            }
        }
    }

    /// Each part of a transaction gets the partitions of all parts, because AWS does not document whether the condition
    /// applies to each part separately.
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

/// The address of a mailbox, without its display name (RFC 5322, section 3.4).
fn address(mailbox: &str) -> &str {
    mailbox.rsplit_once('<').map_or(mailbox, |(_, address)| address.trim_end_matches('>'))
}
