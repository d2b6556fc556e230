//! Roles: each function has its own, which names every action and every resource.

use std::collections::BTreeSet;

use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

use crate::reference::reference;

/// Reports roles of functions that are shared or generated, and `Allow` statements that contain wildcards or allow every
/// partition of a table with a sort key.
#[must_use]
pub fn permissions(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    let tables = tables_with_partitions(template);
    let resources: Vec<_> = template.resources().collect();
    let functions = || resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let mut roles = Vec::new();
    for (function, resource) in functions() {
        let properties = &resource["Properties"];
        match reference(&properties["Role"]) {
            Some(role) if roles.contains(&role) => {
                found.push(format!("{function}: give it a role of its own; another function has the same role"));
            }
            Some(role) => roles.push(role),
            None => {
                found.push(format!("{function}: set Role; the role that SAM generates allows more than the function needs"));
            }
        }
        if !properties["Policies"].is_null() {
            found.push(format!("{function}: move its Policies into its role"));
        }
    }
    for (name, resource) in &resources {
        if roles.contains(name) && !resource["Properties"]["ManagedPolicyArns"].is_null() {
            found.push(format!("{name}: replace ManagedPolicyArns, whose owners can change their permissions"));
        }
        for statement in statements(resource) {
            if !statement["NotAction"].is_null() || !statement["NotResource"].is_null() || statement["Principal"] == "*" {
                found.push(format!("{name}: name what a statement allows; it allows everything except what it names"));
            }
            let actions = texts(&statement["Action"]);
            let has_wildcard = |text: &&String| text.contains(['*', '?']);
            found.extend(
                actions
                    .iter()
                    .filter(has_wildcard)
                    .map(|action| format!("{name}: replace {action} with the actions that are needed")),
            );
            let on_objects = actions.iter().all(|action| action.starts_with("s3:"));
            // The condition limits the sender. In the SES sandbox, the recipients' identities must be allowed too, and
            // they are not known in advance.
            let has_fixed_sender = !statement["Condition"]["StringEquals"]["ses:FromAddress"].is_null();
            let is_specific = |resource: &&String| {
                !has_wildcard(resource)
                    || on_objects && is_prefix(resource)
                    || has_fixed_sender
                        && resource.strip_suffix(":identity/*").is_some_and(|account| !account.contains(['*', '?']))
            };
            let resources = texts(&statement["Resource"]);
            found.extend(
                resources
                    .iter()
                    .filter(|text| !is_specific(text))
                    .map(|text| format!("{name}: replace {text} with the resources that are needed")),
            );
            if includes_table(&statement["Resource"], &tables) {
                found.extend(
                    partition_faults(&actions, statement)
                        .map(|fault| format!("{name}: add the partitions to dynamodb:LeadingKeys; it allows {fault}")),
                );
            }
        }
    }
    found
}

/// Actions on a table that always have a partition key. `ForAllValues` is true for requests without one, so a condition
/// would not restrict `dynamodb:Scan` or PartiQL.
const ACTIONS_WITH_PARTITION_KEYS: [&str; 8] = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// The tables with a sort key. Their partitions have items of different kinds, so a role must name them.
fn tables_with_partitions(template: &Template) -> BTreeSet<&str> {
    let has_sort_key = |table: &Value| {
        let mut keys = table["KeySchema"].as_sequence().into_iter().flatten();
        keys.any(|key| key["KeyType"] == "RANGE")
    };
    let tables = template.resources_of_type("AWS::DynamoDB::Table").filter(|(_, table)| has_sort_key(table));
    tables.map(|(name, _)| name).collect()
}

/// Whether the resources include one of these tables or its indexes. The stream of a table is a separate resource.
fn includes_table(resources: &Value, tables: &BTreeSet<&str>) -> bool {
    match resources {
        Value::String(text) => tables.iter().any(|table| text.contains(&format!("${{{table}.Arn}}"))),
        Value::Sequence(values) => values.iter().any(|value| includes_table(value, tables)),
        Value::Tagged(tagged) if tagged.tag == "GetAtt" => {
            let attribute = tagged.value.as_str().unwrap_or_default();
            tables.iter().any(|table| attribute == format!("{table}.Arn"))
        }
        Value::Tagged(tagged) => includes_table(&tagged.value, tables),
        _ => false,
    }
}

/// Describes why a statement does not limit its actions to named partitions.
fn partition_faults(actions: &[String], statement: &Value) -> impl Iterator<Item = String> {
    let keys = texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
    let has_wildcard = |key: &&String| key.strip_suffix("#*").unwrap_or(key).contains(['*', '?']);
    let unlimited = keys.is_empty().then(|| "actions on every partition of the table".to_owned());
    let wildcards: Vec<_> = keys.iter().filter(has_wildcard).map(|key| format!("actions on the partitions {key}")).collect();
    let without_key = actions.iter().filter(|action| !ACTIONS_WITH_PARTITION_KEYS.contains(&action.as_str()));
    let without_key: Vec<_> = without_key.map(|action| format!("{action}, which may have no partition key")).collect();
    unlimited.into_iter().chain(wildcards).chain(without_key)
}

/// Whether a resource is a folder of a bucket. The objects in it are created at run time and cannot be named in
/// advance.
fn is_prefix(resource: &str) -> bool {
    let folder = resource.strip_suffix("/*").filter(|folder| !folder.contains(['*', '?']));
    folder.is_some_and(|folder| folder.split_once('/').is_some_and(|(_, key)| !key.is_empty()))
}

/// The `Allow` statements in a value, at any depth.
fn statements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Mapping(fields) if value["Effect"] == "Allow" && fields.contains_key("Action") => vec![value],
        Value::Mapping(fields) if value["Effect"] == "Allow" && fields.contains_key("NotAction") => vec![value],
        Value::Mapping(fields) => fields.values().flat_map(statements).collect(),
        Value::Sequence(values) => values.iter().flat_map(statements).collect(),
        Value::Tagged(tagged) => statements(&tagged.value),
        _ => Vec::new(),
    }
}

/// The texts that a value can have: all elements of a list, and both branches of an `!If`. `!GetAtt` is left out,
/// because it always returns a specific ARN.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Sequence(values) => values.iter().flat_map(texts).collect(),
        Value::Tagged(tagged) if tagged.tag == "Sub" => match &tagged.value {
            Value::Sequence(text_and_names) => texts(&text_and_names[0]),
            text => texts(text),
        },
        Value::Tagged(tagged) if tagged.tag == "If" => texts(&tagged.value),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_with(policy: &str) -> Vec<String> {
        let role =
            format!("Type: AWS::IAM::Role, Properties: {{Policies: [{{PolicyDocument: {{Statement: [{policy}]}}}}]}}");
        let function = "Type: AWS::Serverless::Function, Properties: {Role: !GetAtt Role.Arn}";
        let keys = "KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]";
        let items = format!("Type: AWS::DynamoDB::Table, Properties: {{{keys}}}");
        let resources = format!("Resources: {{Role: {{{role}}}, Function: {{{function}}}, Items: {{{items}}}}}");
        permissions(&Template::parse(&resources).unwrap())
    }

    #[test]
    fn accepts_named_actions_and_resources() {
        for resource in [
            "!GetAtt Ledger.Arn",
            "!Sub '${Ledger.Arn}/index/gsi1'",
            "[!GetAtt A.Arn, !If [C, !Sub 'arn:${AWS::Partition}:ses:a', !Ref AWS::NoValue]]",
        ] {
            let found = faults_with(&format!("{{Effect: Allow, Action: dynamodb:Query, Resource: {resource}}}"));
            assert_eq!(found, [] as [String; 0], "{resource}");
        }
        for resource in ["!Sub '${Bucket.Arn}/reports/*'", "'arn:aws:s3:::bucket/images/*'"] {
            let found = faults_with(&format!("{{Effect: Allow, Action: s3:PutObject, Resource: {resource}}}"));
            assert_eq!(found, [] as [String; 0], "{resource}");
        }
        assert_eq!(faults_with("{Effect: Deny, Action: 's3:*', Resource: '*'}"), [] as [String; 0]);
    }

    #[test]
    fn finds_wildcards() {
        for action in ["'*'", "'dynamodb:*'", "[dynamodb:GetItem, 'dynamodb:Batch*']", "'s3:GetObjec?'"] {
            assert_eq!(
                faults_with(&format!("{{Effect: Allow, Action: {action}, Resource: !GetAtt Ledger.Arn}}")).len(),
                1,
                "{action}"
            );
        }
        for resource in [
            "'*'",
            "!Sub '${Ledger.Arn}/index/*'",
            "[!GetAtt Ledger.Arn, 'arn:aws:dynamodb:*:1:table/t']",
            "!Sub ['${A}*', {A: 1}]",
            "!If [C, '*', !GetAtt Ledger.Arn]",
        ] {
            let found = faults_with(&format!("{{Effect: Allow, Action: dynamodb:Query, Resource: {resource}}}"));
            assert_eq!(found.len(), 1, "{resource}: {found:?}");
        }
        for resource in
            ["'arn:aws:s3:::bucket/*'", "!Sub '${Bucket.Arn}/*'", "'arn:aws:s3:::*/images/*'", "'arn:aws:s3:::b/images*'"]
        {
            let found = faults_with(&format!("{{Effect: Allow, Action: s3:PutObject, Resource: {resource}}}"));
            assert_eq!(found.len(), 1, "{resource}: {found:?}");
        }
        assert_eq!(faults_with("{Effect: Allow, NotAction: s3:PutObject, Resource: !GetAtt A.Arn}").len(), 1);
        assert_eq!(faults_with("{Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: !GetAtt A.Arn}").len(), 1);
    }

    #[test]
    fn accepts_any_identity_for_a_fixed_sender() {
        let found = |identity: &str, condition: &str| {
            let resource = format!("!Sub 'arn:aws:ses:${{AWS::Region}}:1:{identity}'");
            faults_with(&format!("{{Effect: Allow, Action: ses:SendEmail, Resource: [{resource}], Condition: {condition}}}"))
        };
        let sender = "{StringEquals: {ses:FromAddress: !Ref Sender}}";
        assert_eq!(found("identity/*", sender), [] as [String; 0]);
        assert_eq!(found("identity/*", "{}").len(), 1);
        assert_eq!(found("*", sender).len(), 1);
        assert_eq!(found("*:identity/*", sender).len(), 1);
    }

    #[test]
    fn requires_partitions_for_actions_on_the_table() {
        let found = |action: &str, resource: &str, condition: &str| {
            faults_with(&format!("{{Effect: Allow, Action: {action}, Resource: {resource}, Condition: {condition}}}"))
        };
        let on = |keys: &str| format!("{{ForAllValues:StringLike: {{dynamodb:LeadingKeys: {keys}}}}}");
        let table = "!GetAtt Items.Arn";
        let index = "!Sub '${Items.Arn}/index/gsi1'";
        for resource in [table, index] {
            for keys in ["[USER#*, NONE]", "ITEMS"] {
                assert_eq!(found("dynamodb:Query", resource, &on(keys)), [] as [String; 0], "{keys}");
            }
            for keys in ["[]", "['*']", "[USER*, NONE]", "['*#*']", "['US?R#*']"] {
                assert_eq!(found("dynamodb:Query", resource, &on(keys)).len(), 1, "{keys}");
            }
            assert_eq!(found("dynamodb:Scan", resource, &on("ITEM#*")).len(), 1);
            assert_eq!(found("dynamodb:GetItem", &format!("[!GetAtt Other.Arn, {resource}]"), "{}").len(), 1);
        }
        let for_any_value = "{ForAnyValue:StringLike: {dynamodb:LeadingKeys: ITEM#*}}";
        assert_eq!(found("dynamodb:GetItem", table, for_any_value).len(), 1);
        assert_eq!(found("dynamodb:GetItem", "!GetAtt Other.Arn", "{}"), [] as [String; 0]);
        assert_eq!(found("dynamodb:GetRecords", "!GetAtt Items.StreamArn", "{}"), [] as [String; 0]);
    }

    #[test]
    fn requires_an_explicit_role_for_each_function() {
        let template = |functions: &str| {
            let role = "Role: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [arn]}}";
            permissions(&Template::parse(&format!("Resources: {{{role}, {functions}}}")).unwrap())
        };
        let function = |properties: &str| format!("{{Type: AWS::Serverless::Function, Properties: {{{properties}}}}}");
        let with_role = function("Role: !GetAtt Role.Arn");
        assert_eq!(template(&format!("One: {with_role}")).len(), 1, "managed policy");
        assert_eq!(template(&format!("One: {with_role}, Two: {with_role}")).len(), 2, "shared role");
        assert_eq!(template(&format!("One: {}", function("Timeout: 3"))).len(), 1, "role generated by SAM");
        assert_eq!(template(&format!("One: {}", function("Role: !GetAtt Role.Arn, Policies: [AWSLambdaExecute]"))).len(), 2);
    }
}
