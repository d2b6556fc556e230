//! Checks that the roles in template.yaml name every action and every resource.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests share")]

use serde_yaml_ng::Value;

use ferrite_local_stack::template::Template;

/// The faults in the roles of a template's functions, and in every other statement that allows something.
fn faults(template: &Template) -> Vec<String> {
    let mut faults = Vec::new();
    let resources: Vec<_> = template.resources().collect();
    let functions = || resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let mut roles = Vec::new();
    for (function, resource) in functions() {
        let properties = &resource["Properties"];
        match referred(&properties["Role"]) {
            Some(role) if roles.contains(&role) => faults.push(format!("{function} has the role of another function")),
            Some(role) => roles.push(role),
            None => faults.push(format!("{function} has a role that SAM makes, which allows more than it needs")),
        }
        if !properties["Policies"].is_null() {
            faults.push(format!("{function} has policies that SAM adds to a role of its own"));
        }
    }
    for (name, resource) in &resources {
        if roles.contains(name) && !resource["Properties"]["ManagedPolicyArns"].is_null() {
            faults.push(format!("{name} has managed policies: what they allow is somebody else's to decide"));
        }
        for statement in statements(resource) {
            if !statement["NotAction"].is_null() || !statement["NotResource"].is_null() || statement["Principal"] == "*" {
                faults.push(format!("{name} allows all but what it names"));
            }
            let actions = texts(&statement["Action"]);
            let wild = |text: &&String| text.contains(['*', '?']);
            faults.extend(actions.iter().filter(wild).map(|action| format!("{name} allows {action}")));
            let objects = actions.iter().all(|action| action.starts_with("s3:"));
            // Whose mail it may be is in the condition; the recipients' identities, which SES's sandbox asks for, cannot be known.
            let one_sender = !statement["Condition"]["StringEquals"]["ses:FromAddress"].is_null();
            let named = |resource: &&String| {
                !wild(resource)
                    || objects && is_prefix(resource)
                    || one_sender && resource.strip_suffix(":identity/*").is_some_and(|place| !place.contains(['*', '?']))
            };
            let resources = texts(&statement["Resource"]);
            faults.extend(resources.iter().filter(|text| !named(text)).map(|text| format!("{name} allows it on {text}")));
            if is_of_table(&statement["Resource"]) {
                faults.extend(partition_faults(&actions, statement).map(|fault| format!("{name} allows {fault}")));
            }
        }
    }
    faults
}

/// Actions on a table that cannot be asked for without a partition key. `ForAllValues` holds where there is none, so that
/// a condition would keep nobody from `dynamodb:Scan` or PartiQL.
const IN_PARTITIONS: [&str; 8] = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// Whether something of `Table` is among the resources. Its stream has a resource of its own, and the other tables have
/// one kind of item each.
fn is_of_table(resources: &Value) -> bool {
    match resources {
        Value::String(text) => text.contains("${Table.Arn}"),
        Value::Sequence(values) => values.iter().any(is_of_table),
        Value::Tagged(tagged) if tagged.tag == "GetAtt" => tagged.value == "Table.Arn",
        Value::Tagged(tagged) => is_of_table(&tagged.value),
        _ => false,
    }
}

/// What keeps a statement from being about the partitions that it names, and about no others.
fn partition_faults(actions: &[String], statement: &Value) -> impl Iterator<Item = String> {
    let keys = texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
    let wild = |key: &&String| key.strip_suffix("#*").unwrap_or(key).contains(['*', '?']);
    let everywhere = keys.is_empty().then(|| "it in every partition of the table".to_owned());
    let somewhere: Vec<_> = keys.iter().filter(wild).map(|key| format!("it in the partitions {key}")).collect();
    let nowhere = actions.iter().filter(|action| !IN_PARTITIONS.contains(&action.as_str()));
    let nowhere: Vec<_> = nowhere.map(|action| format!("{action}, which names no partition")).collect();
    everywhere.into_iter().chain(somewhere).chain(nowhere)
}

/// Keys of objects are made as they come: those below a folder of a bucket cannot be named one by one.
fn is_prefix(resource: &str) -> bool {
    let folder = resource.strip_suffix("/*").filter(|folder| !folder.contains(['*', '?']));
    folder.is_some_and(|folder| folder.split_once('/').is_some_and(|(_, key)| !key.is_empty()))
}

/// The statements in a value, at any depth, that allow something.
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

/// The texts that a value can come to: one, those of a list, both sides of an `!If`. What `!GetAtt` gives is an ARN.
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

/// The role that `!GetAtt ROLE.Arn` is about.
fn referred(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    tagged.value.as_str()?.split('.').next()
}

fn faults_with(policy: &str) -> Vec<String> {
    let role = format!("Type: AWS::IAM::Role, Properties: {{Policies: [{{PolicyDocument: {{Statement: [{policy}]}}}}]}}");
    let function = "Type: AWS::Serverless::Function, Properties: {Role: !GetAtt Role.Arn}";
    faults(&Template::parse(&format!("Resources: {{Role: {{{role}}}, Function: {{{function}}}}}")).unwrap())
}

#[test]
fn the_template_names_every_action_and_every_resource() {
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
fn accepts_any_identity_for_one_sender() {
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
    let any = "{ForAnyValue:StringLike: {dynamodb:LeadingKeys: PRODUCT#*}}";
    assert_eq!(found("dynamodb:GetItem", table, any).len(), 1);
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
    let ours = function("Role: !GetAtt Role.Arn");
    assert_eq!(template(&format!("One: {ours}")).len(), 1, "a managed policy");
    assert_eq!(template(&format!("One: {ours}, Two: {ours}")).len(), 2, "shared");
    assert_eq!(template(&format!("One: {}", function("Timeout: 3"))).len(), 1, "SAM's own");
    assert_eq!(template(&format!("One: {}", function("Role: !GetAtt Role.Arn, Policies: [AWSLambdaExecute]"))).len(), 2);
}
