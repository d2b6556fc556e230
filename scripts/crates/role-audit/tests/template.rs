//! Checks that the roles in template.yaml name every action and every resource.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests share")]

use serde_yaml_ng::Value;

use ferrite_local_stack::template::Template;

/// Describes the faults in the roles of a template's functions and in all `Allow` statements.
fn faults(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    let resources: Vec<_> = template.resources().collect();
    let functions = || resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let mut roles = Vec::new();
    for (function, resource) in functions() {
        let properties = &resource["Properties"];
        match referenced_role(&properties["Role"]) {
            Some(role) if roles.contains(&role) => faults.push(format!("{function} shares the role of another function")),
            Some(role) => roles.push(role),
            None => faults.push(format!("{function} has a role that SAM generates, which allows more than it needs")),
        }
        if !properties["Policies"].is_null() {
            faults.push(format!("{function} has SAM policies; they belong in its role"));
        }
    }
    for (name, resource) in &resources {
        if roles.contains(name) && !resource["Properties"]["ManagedPolicyArns"].is_null() {
            faults.push(format!("{name} has managed policies, whose owners can change their permissions"));
        }
        for statement in statements(resource) {
            if !statement["NotAction"].is_null() || !statement["NotResource"].is_null() || statement["Principal"] == "*" {
                faults.push(format!("{name} allows everything except what it names"));
            }
            let actions = texts(&statement["Action"]);
            let has_wildcard = |text: &&String| text.contains(['*', '?']);
            faults.extend(actions.iter().filter(has_wildcard).map(|action| format!("{name} allows {action}")));
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
            faults.extend(
                resources.iter().filter(|text| !is_specific(text)).map(|text| format!("{name} allows actions on {text}")),
            );
            if includes_table(&statement["Resource"]) {
                faults.extend(partition_faults(&actions, statement).map(|fault| format!("{name} allows {fault}")));
            }
        }
    }
    faults
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

/// Whether the resources include `Table` or its indexes. Its stream is a separate resource, and the other tables have
/// only one kind of item each.
fn includes_table(resources: &Value) -> bool {
    match resources {
        Value::String(text) => text.contains("${Table.Arn}"),
        Value::Sequence(values) => values.iter().any(includes_table),
        Value::Tagged(tagged) if tagged.tag == "GetAtt" => tagged.value == "Table.Arn",
        Value::Tagged(tagged) => includes_table(&tagged.value),
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

/// The logical id of the role in `!GetAtt ROLE.Arn`.
fn referenced_role(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    tagged.value.as_str()?.split('.').next()
}

fn faults_with(policy: &str) -> Vec<String> {
    let role = format!("Type: AWS::IAM::Role, Properties: {{Policies: [{{PolicyDocument: {{Statement: [{policy}]}}}}]}}");
    let function = "Type: AWS::Serverless::Function, Properties: {Role: !GetAtt Role.Arn}";
    faults(&Template::parse(&format!("Resources: {{Role: {{{role}}}, Function: {{{function}}}}}")).unwrap())
}

#[test]
fn the_template_has_no_wildcards_in_its_roles() {
    let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../template.yaml").as_ref()).unwrap();
    assert_eq!(faults(&template), [] as [String; 0]);
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
    for resource in ["!Sub '${Bucket.Arn}/sales/*'", "'arn:aws:s3:::bucket/images/*'"] {
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
    let table = "!GetAtt Table.Arn";
    let index = "!Sub '${Table.Arn}/index/gsi1'";
    for resource in [table, index] {
        for keys in ["[CUSTOMER#*, NONE]", "PRODUCTS"] {
            assert_eq!(found("dynamodb:Query", resource, &on(keys)), [] as [String; 0], "{keys}");
        }
        for keys in ["[]", "['*']", "[CUSTOMER*, NONE]", "['*#*']", "['CUST?MER#*']"] {
            assert_eq!(found("dynamodb:Query", resource, &on(keys)).len(), 1, "{keys}");
        }
        assert_eq!(found("dynamodb:Scan", resource, &on("PRODUCT#*")).len(), 1);
        assert_eq!(found("dynamodb:GetItem", &format!("[!GetAtt Other.Arn, {resource}]"), "{}").len(), 1);
    }
    let for_any_value = "{ForAnyValue:StringLike: {dynamodb:LeadingKeys: PRODUCT#*}}";
    assert_eq!(found("dynamodb:GetItem", table, for_any_value).len(), 1);
    assert_eq!(found("dynamodb:GetItem", "!GetAtt Other.Arn", "{}"), [] as [String; 0]);
    assert_eq!(found("dynamodb:GetRecords", "!GetAtt Table.StreamArn", "{}"), [] as [String; 0]);
}

#[test]
fn requires_an_explicit_role_for_each_function() {
    let template = |functions: &str| {
        let role = "Role: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [arn]}}";
        faults(&Template::parse(&format!("Resources: {{{role}, {functions}}}")).unwrap())
    };
    let function = |properties: &str| format!("{{Type: AWS::Serverless::Function, Properties: {{{properties}}}}}");
    let with_role = function("Role: !GetAtt Role.Arn");
    assert_eq!(template(&format!("One: {with_role}")).len(), 1, "managed policy");
    assert_eq!(template(&format!("One: {with_role}, Two: {with_role}")).len(), 2, "shared role");
    assert_eq!(template(&format!("One: {}", function("Timeout: 3"))).len(), 1, "role generated by SAM");
    assert_eq!(template(&format!("One: {}", function("Role: !GetAtt Role.Arn, Policies: [AWSLambdaExecute]"))).len(), 2);
}
