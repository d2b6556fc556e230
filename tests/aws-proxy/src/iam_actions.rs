//! The IAM actions and resources that a call needs.
//!
//! Sources: the page of each service in the "Service Authorization Reference"; "Using IAM with DynamoDB transactions";
//! and, for the `s3:ListBucket` permission that a missing object needs, "GetObject" in the Amazon S3 API Reference.

use std::collections::{BTreeMap, BTreeSet};

use http::Response;
use http::request::Parts;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::call::{Operation, Service};

/// An IAM action and the ARN of a resource.
pub(crate) type Permission = (String, String);

/// The permissions that a call needs, each with the partition key patterns in the call.
pub(crate) type Permissions = BTreeMap<Permission, BTreeSet<String>>;

/// Returns the additional permission that a call needs to get a 404 for a missing object. S3 returns 403 to callers
/// without `s3:ListBucket`.
pub(crate) fn for_missing_object(permissions: &Permissions) -> Option<(Permission, BTreeSet<String>)> {
    let (_, object) = permissions.keys().find(|(action, _)| action == "s3:GetObject")?;
    let (bucket, _key) = object.split_once('/')?;
    Some((("s3:ListBucket".to_owned(), bucket.to_owned()), BTreeSet::new()))
}

/// Adds the partitions of the items that an index query returned. A request for the next page names the partition of
/// the last item in its `ExclusiveStartKey`.
pub(crate) fn add_returned_partitions(permissions: &mut Permissions, response: &Response<Bytes>) {
    for ((_, resource), keys) in permissions {
        if resource.contains("/index/") {
            let page = serde_json::from_slice::<Value>(response.body()).unwrap_or_default();
            let items = page["Items"].as_array().into_iter().flatten();
            keys.extend(items.filter_map(|item| partition_pattern(&item["pk"])));
        }
    }
}

pub(crate) fn without_keys(permissions: impl IntoIterator<Item = Permission>) -> Permissions {
    permissions.into_iter().map(|permission| (permission, BTreeSet::new())).collect()
}

/// The pattern of a partition key as a role can specify it: the entity type without the ID.
fn partition_pattern(key: &Value) -> Option<String> {
    let key = key["S"].as_str()?;
    Some(key.split_once('#').map_or_else(|| key.to_owned(), |(entity, _)| format!("{entity}#*")))
}

/// The partitions that a request, or an item of a transaction, refers to. The tables have the keys `pk` and `gsi1pk`.
fn partition_patterns(part: &Value) -> BTreeSet<String> {
    let start = &part["ExclusiveStartKey"];
    let compared = part["KeyConditionExpression"].as_str().and_then(|condition| {
        let (attribute, value) = condition.split_once(" = ")?;
        let value = value.split(' ').next()?;
        ["pk", "gsi1pk"].contains(&attribute).then(|| &part["ExpressionAttributeValues"][value])
    });
    let keys = [&part["Key"]["pk"], &part["Item"]["pk"], &start["pk"], &start["gsi1pk"]];
    keys.into_iter().chain(compared).filter_map(partition_pattern).collect()
}

/// The account and Region of the resources of a call.
pub(crate) struct Account<'a> {
    pub(crate) partition: &'a str,
    pub(crate) region: &'a str,
    pub(crate) id: &'a str,
}

impl Account<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        // Many operations accept an ARN in place of a name.
        if resource.starts_with("arn:") {
            return resource.to_owned();
        }
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.id)
    }

    /// Returns the permissions that a call needs.
    pub(crate) fn permissions(&self, operation: &Operation, head: &Parts, body: &[u8]) -> Permissions {
        let json = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        match operation.service {
            Service::DynamoDb => self.table_permissions(&operation.name, &json()),
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

    /// Returns the permissions of a DynamoDB call. Each item of a transaction gets the partitions of all items, because
    /// AWS does not document whether a `dynamodb:LeadingKeys` condition applies to each item separately.
    fn table_permissions(&self, operation: &str, request: &Value) -> Permissions {
        let table = |name: &str| if name.starts_with("arn:") { name.to_owned() } else { format!("table/{name}") };
        let permission = |action: &str, resource: &str| (format!("dynamodb:{action}"), self.arn("dynamodb", resource));
        if let Some(items) = request["TransactItems"].as_array() {
            let items = items.iter().filter_map(Value::as_object).flatten();
            let keys: BTreeSet<_> = items.clone().flat_map(|(_, item)| partition_patterns(item)).collect();
            return items
                .map(|(action, item)| {
                    let action = if action == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{action}Item") };
                    (permission(action, &table(item["TableName"].as_str().unwrap_or_default())), keys.clone())
                })
                .collect();
        }
        if let Some(tables) = request["RequestItems"].as_object() {
            let tables = tables.iter().map(|(name, requested)| {
                let keys = requested["Keys"].as_array().into_iter().flatten();
                (permission(operation, &table(name)), keys.filter_map(|key| partition_pattern(&key["pk"])).collect())
            });
            return tables.collect();
        }
        let mut resource = table(request["TableName"].as_str().unwrap_or_default());
        if let Some(index) = request["IndexName"].as_str() {
            resource.push_str(&format!("/index/{index}"));
        }
        [(permission(operation, &resource), partition_patterns(request))].into()
    }
}

fn form_field(body: &[u8], name: &str) -> Option<String> {
    let fields = std::str::from_utf8(body).ok()?.split('&').filter_map(|field| field.split_once('='));
    let (_, value) = fields.into_iter().find(|(field, _)| *field == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// The address of a mailbox without the display name (RFC 5322, section 3.4).
fn address(mailbox: &str) -> &str {
    mailbox.rsplit_once('<').map_or(mailbox, |(_, address)| address.trim_end_matches('>'))
}
