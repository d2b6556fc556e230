//! Checks the security settings of template.yaml: encryption, access policies, retention, CORS and throttling. New
//! resources are checked as well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

fn template() -> Template {
    Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

/// The templates must work in every AWS partition. The names of service principals are the same in all of them.
#[test]
fn no_template_depends_on_a_partition() {
    for name in ["template.yaml", "infra/operations.yaml", "infra/firewall.yaml"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap();
        assert!(!text.contains("arn:aws"), "{name}: use ${{AWS::Partition}}");
        for line in text.lines().filter(|line| line.contains("amazonaws.com")) {
            assert!(line.contains("{Service: "), "{name}: use ${{AWS::URLSuffix}} in {line}");
        }
    }
}

/// The logical ids and properties of all resources of a type. There must be at least one.
fn resources<'a>(template: &'a Template, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources: Vec<_> = template.resources().filter(|(_, resource)| resource["Type"] == kind).collect();
    assert!(!resources.is_empty(), "the template has no {kind}");
    resources.into_iter().map(|(name, resource)| (name, &resource["Properties"])).collect()
}

/// The logical ids of the resources for which a policy of the type `kind` denies requests without TLS. `target` is the
/// property of the policy that names its resources.
fn tls_only(template: &Template, kind: &str, target: &str) -> BTreeSet<String> {
    let policies = resources(template, kind).into_iter().filter(|(_, policy)| {
        let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap();
        statements
            .iter()
            .any(|statement| denies_plain_http(arguments(statement, "!If").map_or(statement, |values| &values[1])))
    });
    policies
        .flat_map(|(_, policy)| match &policy[target] {
            Value::Sequence(values) => values.iter().map(|value| reference(value).to_owned()).collect(),
            value => vec![reference(value).to_owned()],
        })
        .collect()
}

fn denies_plain_http(statement: &Value) -> bool {
    let is_every_action = |action: &Value| action.as_str().is_some_and(|action| action.ends_with(":*"));
    statement["Effect"] == "Deny"
        && statement["Principal"] == "*"
        && is_every_action(&statement["Action"])
        && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
}

/// The list of arguments of a CloudFormation function in its short form, or `None` if the value is something else.
fn arguments<'a>(value: &'a Value, function: &str) -> Option<&'a Vec<Value>> {
    match value {
        Value::Tagged(tagged) if tagged.tag == function => tagged.value.as_sequence(),
        _ => None,
    }
}

/// The logical id in a `!Ref`, or in the `!GetAtt` of a resource's ARN.
fn reference(value: &Value) -> &str {
    match value {
        Value::Tagged(tagged) => tagged.value.as_str().unwrap().trim_end_matches(".Arn"),
        _ => panic!("{value:?} is not a reference"),
    }
}

fn names(resources: &[(&str, &Value)]) -> BTreeSet<String> {
    resources.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn every_bucket_is_private_and_encrypted_and_requires_tls() {
    let template = template();
    let buckets = resources(&template, "AWS::S3::Bucket");
    for (name, bucket) in &buckets {
        let block = &bucket["PublicAccessBlockConfiguration"];
        for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            assert_eq!(block[setting], true, "{name}: {setting}");
        }
        let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
        assert!(encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"].is_string(), "{name}");
        assert_eq!(bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced", "{name}");
    }
    assert_eq!(tls_only(&template, "AWS::S3::BucketPolicy", "Bucket"), names(&buckets));
}

#[test]
fn every_queue_is_encrypted_and_requires_tls() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    for (name, queue) in &queues {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
    assert_eq!(tls_only(&template, "AWS::SQS::QueuePolicy", "Queues"), names(&queues));
}

#[test]
fn every_queue_with_a_consumer_has_a_dead_letter_queue() {
    let template = template();
    let queues: BTreeMap<_, _> = resources(&template, "AWS::SQS::Queue").into_iter().collect();
    let mut checked = 0;
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let events = function["Events"].as_mapping().into_iter().flatten().map(|(_, event)| event);
        for event in events.filter(|event| event["Type"] == "SQS") {
            let queue = queues[reference(&event["Properties"]["Queue"])];
            let dead_letters = reference(&queue["RedrivePolicy"]["deadLetterTargetArn"]);
            assert!(queues.contains_key(dead_letters), "{name}");
            checked += 1;
        }
    }
    assert!(checked > 0);
}

#[test]
fn every_table_is_encrypted_and_recoverable_and_protected_in_production() {
    let template = template();
    let protected: Value = serde_yaml_ng::from_str("!If [IsProduction, true, false]").unwrap();
    for (name, table) in resources(&template, "AWS::DynamoDB::Table") {
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{name}");
        assert_eq!(table["DeletionProtectionEnabled"], protected, "{name}");
    }
}

#[test]
fn every_function_has_a_log_group_with_a_retention_period() {
    let template = template();
    let mut log_groups = BTreeSet::new();
    for (name, group) in resources(&template, "AWS::Logs::LogGroup") {
        assert_ne!(group["RetentionInDays"], Value::Null, "{name}");
        if let Value::Tagged(tagged) = &group["LogGroupName"] {
            log_groups.insert(tagged.value.as_str().unwrap().to_owned());
        }
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let Value::Tagged(tagged) = &function["FunctionName"] else { panic!("{name} has no FunctionName") };
        assert!(log_groups.contains(&format!("/aws/lambda/{}", tagged.value.as_str().unwrap())), "{name}");
    }
}

/// The methods of each path, without `OPTIONS`.
fn methods(template: &Template) -> BTreeMap<String, BTreeSet<String>> {
    let mut methods: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (method, path) in routes(template) {
        if method != "OPTIONS" {
            methods.entry(path).or_default().insert(method);
        }
    }
    methods
}

/// Every method and path of the API.
fn routes(template: &Template) -> Vec<(String, String)> {
    let functions = resources(template, "AWS::Serverless::Function").into_iter();
    let events = functions.flat_map(|(_, function)| function["Events"].as_mapping().into_iter().flatten());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let routes = events.map(|(_, event)| event).filter(|event| event["Type"] == "Api").map(|event| &event["Properties"]);
    routes.map(|route| (text(&route["Method"]), text(&route["Path"]))).collect()
}

#[test]
fn preflight_responses_list_the_methods_of_each_path() {
    let template = template();
    let preflight =
        resources(&template, "AWS::Serverless::Function").into_iter().find(|(name, _)| *name == "AnswerPreflight");
    let configured = preflight.unwrap().1["Environment"]["Variables"]["METHODS"].as_str().unwrap();
    let configured: BTreeMap<String, String> = serde_json::from_str(configured).unwrap();
    let configured = configured.into_iter().map(|(path, methods)| (path, methods.split(", ").map(str::to_owned).collect()));
    assert_eq!(configured.collect::<BTreeMap<String, BTreeSet<String>>>(), methods(&template));

    let preflight = routes(&template).into_iter().filter(|(method, _)| method == "OPTIONS").map(|(_, path)| path);
    assert_eq!(preflight.collect::<BTreeSet<_>>(), methods(&template).into_keys().collect());
}

#[test]
fn every_write_route_has_its_own_throttling_limit() {
    let template = template();
    let (_, api) = resources(&template, "AWS::Serverless::Api")[0];
    let mut limited = BTreeMap::new();
    for setting in api["MethodSettings"].as_sequence().unwrap() {
        let path = setting["ResourcePath"].as_str().unwrap().replacen("/~1", "/", 1).replace("~1", "/");
        let limit = reference(&setting["ThrottlingRateLimit"]);
        assert_eq!(reference(&setting["ThrottlingBurstLimit"]), limit, "{path}");
        limited.insert((setting["HttpMethod"].as_str().unwrap().to_owned(), path), limit);
    }
    let mut expected = BTreeMap::from([(("*".to_owned(), "/*".to_owned()), "RequestsPerSecond")]);
    for (method, path) in routes(&template) {
        if !["GET", "HEAD", "OPTIONS"].contains(&method.as_str()) {
            let limit = if path == "/orders" { "OrdersPerSecond" } else { "WritesPerSecond" };
            expected.insert((method, path), limit);
        }
    }
    assert_eq!(limited, expected);
}

/// API Gateway's types of 4xx responses, except DEFAULT_4XX ("Gateway response types for API Gateway").
const CLIENT_ERRORS: [&str; 14] = [
    "ACCESS_DENIED",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "EXPIRED_TOKEN",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];

/// AWS does not document the type of the response for an unknown route whose `Authorization` header is not a signature.
/// It may have no type of its own, so DEFAULT_4XX must not be the response of any other type.
#[test]
fn every_gateway_response_that_means_an_unknown_route_is_the_same_404() {
    let template = template();
    let (_, api) = resources(&template, "AWS::Serverless::Api")[0];
    let responses = &api["GatewayResponses"];
    let not_found = &responses["MISSING_AUTHENTICATION_TOKEN"];
    assert_eq!(not_found["StatusCode"], "404");
    for name in ["RESOURCE_NOT_FOUND", "INVALID_SIGNATURE", "EXPIRED_TOKEN", "DEFAULT_4XX"] {
        assert_eq!(&responses[name], not_found, "{name}");
    }
    for name in CLIENT_ERRORS {
        let status = responses[name]["StatusCode"].as_str().unwrap_or_else(|| panic!("{name} has no status"));
        let body = responses[name]["ResponseTemplates"]["application/json"].as_str().unwrap();
        assert!(body.contains(&format!("\"status\":{status},")), "{name}");
    }
}

/// With several allowed origins and no firewall, pages of all origins can read these responses.
#[test]
fn gateway_responses_contain_only_constants_and_the_request_id() {
    let template = template();
    let (_, api) = resources(&template, "AWS::Serverless::Api")[0];
    for (name, response) in api["GatewayResponses"].as_mapping().unwrap() {
        let templates = response["ResponseTemplates"].as_mapping().unwrap();
        for (_, body) in templates {
            let body = body.as_str().unwrap();
            assert_eq!(body.matches('$').count(), body.matches("$context.requestId").count(), "{name:?}: {body}");
        }
        for (header, value) in response["ResponseParameters"]["Headers"].as_mapping().unwrap() {
            let is_constant = value.as_str().is_some_and(|value| value.starts_with('\''));
            let cors = ["Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary"];
            let is_cors = cors.contains(&header.as_str().unwrap());
            assert!(is_constant || is_cors, "{name:?}: {header:?}");
        }
    }
}

/// An end-to-end test compares two of these responses with those of functions.
#[test]
fn all_gateway_responses_have_the_same_headers() {
    let template = template();
    let (_, api) = resources(&template, "AWS::Serverless::Api")[0];
    let responses = api["GatewayResponses"].as_mapping().unwrap();
    let first = &responses["UNAUTHORIZED"]["ResponseParameters"]["Headers"];
    for (name, response) in responses {
        let mut headers = response["ResponseParameters"]["Headers"].as_mapping().unwrap().clone();
        if let Some(challenge) = first.get("WWW-Authenticate") {
            headers.insert("WWW-Authenticate".into(), challenge.clone());
        }
        assert_eq!(Some(&headers), first.as_mapping(), "{name:?}");
    }
}
