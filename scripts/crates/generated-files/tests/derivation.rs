//! Tests of what is derived, on a small template.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

use std::fs;
use std::path::PathBuf;

use ferrite_generated_files::{GeneratedFile, generated_files, operations, template};

const TEMPLATE: &str = r#"Parameters:
  WritesPerSecond: {Type: Number}
  UploadsPerSecond: {Type: Number}

Conditions:
  OverTls: !Not [!Equals [!Ref Environment, local]]

Globals:
  Function: {Timeout: 10, MemorySize: 256}

Resources:
  # Queues

  ItemsQueue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-items"
      RedrivePolicy: {deadLetterTargetArn: !GetAtt ItemsDlq.Arn, maxReceiveCount: 3}

  ItemsDlq:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-items-dlq"

  ItemsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref ItemsQueue, !Ref ItemsDlq]

  RelayDlq:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-relay-dlq"

  # Only this account may send to the other dead-letter queues.
  DlqPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref RelayDlq]
      PolicyDocument: {}

  # The API

  Api:
    Type: AWS::Serverless::Api
    Properties:
      MethodSettings:
        - {ResourcePath: /*, HttpMethod: "*", ThrottlingRateLimit: 500, ThrottlingBurstLimit: 500}
        # `~1` represents a slash in a path.
        - {ResourcePath: /~1items, HttpMethod: POST, ThrottlingRateLimit: !Ref UploadsPerSecond, ThrottlingBurstLimit: !Ref UploadsPerSecond}
      Auth:
        Authorizers: {Jwt: {FunctionArn: !GetAtt Authorize.Arn}}

  Authorize:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/authorize/

  AnswerPreflight:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/answer-preflight/
      Environment:
        Variables:
          # Sorted.
          METHODS: |
            {
              "/items": "GET, POST"
            }
      Events:
        Items: {Type: Api, Properties: {RestApiId: !Ref Api, Method: OPTIONS, Path: "/items", Auth: {Authorizer: NONE}}}

  CreateItem:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/create-item/
      Events:
        Route: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: /items}}

  ListItems:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/list-items/
      Events:
        Route: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: /items, Auth: {Authorizer: NONE}}}

  RelayEvents:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/relay-events/
      Timeout: 30
      Events:
        Changes: {Type: DynamoDB}

  PurgeItems:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/purge-items/
      Events:
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
"#;

const UPDATE_ITEM: &str = r#"
  UpdateItem:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/update-item/
      Timeout: 20
      Events:
        Route: {Type: Api, Properties: {RestApiId: !Ref Api, Method: PATCH, Path: "/items/{itemId}"}}

  UpdateDlq:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-update-dlq"
"#;

const OPERATIONS: &str = r#"# Lists.
Mappings:
  # 80 % of the timeout.
  Slow:
    answer-preflight: {Milliseconds: 8000}
    authorize: {Milliseconds: 8000}
    create-item: {Milliseconds: 8000}
    list-items: {Milliseconds: 8000}
    purge-items: {Milliseconds: 8000}
    relay-events: {Milliseconds: 24000}

Resources:
  Fn::ForEach::EachFunction:
    - Function
    - [answer-preflight, authorize, create-item, list-items, purge-items, relay-events]
    - Slow&{Function}:
        Type: AWS::CloudWatch::Alarm

  # All functions except authorizers.
  Fn::ForEach::EachFailingFunction:
    - Function
    - [answer-preflight, create-item, list-items, purge-items, relay-events]
    - Errors&{Function}:
        Type: AWS::CloudWatch::Alarm

  Fn::ForEach::EachStreamFunction:
    - Function
    - [relay-events]
    - Behind&{Function}:
        Type: AWS::CloudWatch::Alarm

  Fn::ForEach::EachQueue:
    - Queue
    - [items]
    - Old&{Queue}:
        Type: AWS::CloudWatch::Alarm

  Fn::ForEach::EachDeadLetterQueue:
    - Queue
    - [items-dlq, relay-dlq]
    - Filled&{Queue}:
        Type: AWS::CloudWatch::Alarm

  ApiFails:
    Type: AWS::CloudWatch::Alarm
"#;

#[test]
fn files_that_agree_with_the_template_do_not_change() {
    assert_eq!(template(TEMPLATE).unwrap(), TEMPLATE);
    assert_eq!(operations(TEMPLATE, OPERATIONS).unwrap(), OPERATIONS);
}

#[test]
fn a_new_route_is_added_to_the_preflight_routes_and_to_the_throttling() {
    let generated = template(&format!("{TEMPLATE}{UPDATE_ITEM}")).unwrap();
    let expected = TEMPLATE
        .replace(
            "\"GET, POST\"\n",
            "\"GET, POST\",\n              \"/items/{itemId}\": \"PATCH\"\n",
        )
        .replace(
            "Path: \"/items\", Auth: {Authorizer: NONE}}}\n",
            "Path: \"/items\", Auth: {Authorizer: NONE}}}\n        ItemsItemId: {Type: Api, Properties: {RestApiId: !Ref Api, \
             Method: OPTIONS, Path: \"/items/{itemId}\", Auth: {Authorizer: NONE}}}\n",
        )
        .replace(
            "ThrottlingBurstLimit: !Ref UploadsPerSecond}\n",
            "ThrottlingBurstLimit: !Ref UploadsPerSecond}\n        - {ResourcePath: \"/~1items~1{itemId}\", HttpMethod: PATCH, \
             ThrottlingRateLimit: !Ref WritesPerSecond, ThrottlingBurstLimit: !Ref WritesPerSecond}\n",
        )
        .replace("Queues: [!Ref RelayDlq]", "Queues: [!Ref RelayDlq, !Ref UpdateDlq]");
    assert_eq!(generated, format!("{expected}{UPDATE_ITEM}"));
    let removed = generated.replace(UPDATE_ITEM, "");
    assert_eq!(template(&removed).unwrap(), TEMPLATE);
}

#[test]
fn a_new_function_and_queue_have_alarms() {
    let with_function = format!("{TEMPLATE}{UPDATE_ITEM}");
    let generated = operations(&with_function, OPERATIONS).unwrap();
    let expected = OPERATIONS
        .replace("relay-events]", "relay-events, update-item]")
        .replace("[relay-events, update-item]", "[relay-events]")
        .replace("relay-dlq]", "relay-dlq, update-dlq]")
        .replace("{Milliseconds: 24000}\n", "{Milliseconds: 24000}\n    update-item: {Milliseconds: 16000}\n");
    assert_eq!(generated, expected);
    assert_eq!(operations(TEMPLATE, &generated).unwrap(), OPERATIONS);
    let other_timeout = operations(&TEMPLATE.replace("Timeout: 30", "Timeout: 40"), OPERATIONS).unwrap();
    assert_eq!(other_timeout, OPERATIONS.replace("24000", "32000"));
}

#[test]
fn long_lists_have_one_name_per_line() {
    let resources: String = (10..40).fold(TEMPLATE.to_owned(), |text, number| {
        format!("{text}\n  Function{number}:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: target/lambda/list-items-{number}/\n")
    });
    let generated = operations(&resources, OPERATIONS).unwrap();
    assert!(generated.contains("    - Function\n    - - answer-preflight\n      - authorize\n"), "{generated}");
    assert_eq!(operations(&resources, &generated).unwrap(), generated);
    assert_eq!(operations(TEMPLATE, &generated).unwrap(), OPERATIONS);
}

#[test]
fn short_lists_without_comments_have_one_line() {
    let lines = OPERATIONS.replace("- [items-dlq, relay-dlq]", "- - items-dlq\n      - relay-dlq");
    assert_eq!(operations(TEMPLATE, &lines).unwrap(), OPERATIONS);
    let commented = OPERATIONS.replace("- [items-dlq, relay-dlq]", "- - items-dlq # imports\n      - relay-dlq");
    assert_eq!(operations(TEMPLATE, &commented).unwrap(), commented);
}

#[test]
fn the_policy_of_dead_letter_queues_exists_only_if_it_has_queues() {
    let own_policy = TEMPLATE.replace("[!Ref ItemsQueue, !Ref ItemsDlq]", "[!Ref ItemsQueue, !Ref ItemsDlq, !Ref RelayDlq]");
    let without = template(&own_policy).unwrap();
    assert!(!without.contains("DlqPolicy") && !without.contains("Only this account"), "{without}");
    let again = template(&without.replace(", !Ref RelayDlq]", "]")).unwrap();
    assert!(again.contains("  # Only this account may send to the other dead-letter queues.\n  DlqPolicy:"), "{again}");
    assert!(again.contains("Queues: [!Ref RelayDlq]"), "{again}");
}

#[test]
fn a_queue_whose_name_the_alarms_cannot_find_is_an_error() {
    let renamed = TEMPLATE.replace("!Sub \"${AWS::StackName}-relay-dlq\"", "relay");
    let error = operations(&renamed, OPERATIONS).unwrap_err().to_string();
    assert_eq!(
        error,
        "template.yaml: the QueueName of RelayDlq must be !Sub \"${AWS::StackName}-NAME\", so that its alarms find it"
    );
}

#[test]
fn a_loop_without_values_is_an_error() {
    let without_stream = TEMPLATE.replace("Changes: {Type: DynamoDB}", "Changes: {Type: Schedule}");
    let error = operations(&without_stream, OPERATIONS).unwrap_err().to_string();
    let expected = "template.yaml has nothing for the loop Fn::ForEach::EachStreamFunction; add the new function before you \
                    remove the last one, or remove the loop";
    assert_eq!(error, format!("infra/operations.yaml: {expected}"));
}

#[test]
fn a_missing_loop_is_an_error_only_if_it_would_have_values() {
    let start = OPERATIONS.find("  Fn::ForEach::EachStreamFunction").unwrap();
    let end = OPERATIONS.find("  Fn::ForEach::EachQueue").unwrap();
    let without_loop = format!("{}{}", &OPERATIONS[..start], &OPERATIONS[end..]);
    let error = operations(TEMPLATE, &without_loop).unwrap_err().to_string();
    let expected = "the loop Fn::ForEach::EachStreamFunction is missing, so relay-events would have no alarms; add the loop \
                    again";
    assert_eq!(error, format!("infra/operations.yaml: {expected}"));
    let without_stream = TEMPLATE.replace("Changes: {Type: DynamoDB}", "Changes: {Type: Schedule}");
    assert_eq!(operations(&without_stream, &without_loop).unwrap(), without_loop);
    let without_loops = "Resources:\n  ApiFails:\n    Type: AWS::CloudWatch::Alarm\n";
    assert_eq!(operations(TEMPLATE, without_loops).unwrap(), without_loops);
}

#[test]
fn a_changed_threshold_keeps_its_comment() {
    let commented = OPERATIONS.replace("    relay-events: {M", "    # Reads the stream.\n    relay-events: {M");
    let other_timeout = operations(&TEMPLATE.replace("Timeout: 30", "Timeout: 40"), &commented).unwrap();
    assert_eq!(other_timeout, commented.replace("24000", "32000"));
}

/// A folder that is deleted when this is dropped.
struct Checkout(PathBuf);

impl Checkout {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("ferrite-generated-files-{name}-{}", std::process::id()));
        for (path, text) in files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        Self(root)
    }

    fn outdated(&self) -> Vec<GeneratedFile> {
        generated_files(&self.0).unwrap().into_iter().filter(|file| !file.is_current()).collect()
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_project_may_have_nothing_but_a_template() {
    assert!(Checkout::new("template", &[("template.yaml", TEMPLATE)]).outdated().is_empty());
}

#[test]
fn manifests_and_the_table_of_triggers_follow_the_template() {
    let manifest = "[package]\nname = \"relay-events\"\n\n# As in template.yaml.\n[package.metadata.lambda.deploy]\nmemory = 256\ntimeout = 20 # seconds\n";
    let readme = "# Functions\n\n| trigger | functions |\n|---|---|\n| SQS | old |\n\nMore.\n";
    let without_events = "
  MigrateItems:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/migrate-items/
";
    let template = format!("{TEMPLATE}{without_events}");
    let checkout = Checkout::new(
        "manifests",
        &[("template.yaml", &template), ("functions/README.md", readme), ("functions/relay-events/Cargo.toml", manifest)],
    );
    let outdated = checkout.outdated();
    let paths: Vec<_> = outdated.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["functions/README.md", "functions/relay-events/Cargo.toml"]);
    assert!(outdated[1].diff().contains("-timeout = 20 # seconds\n+timeout = 30 # seconds\n"), "{}", outdated[1].diff());
    for file in outdated {
        file.write(&checkout.0).unwrap();
    }
    assert!(checkout.outdated().is_empty());
    let readme = fs::read_to_string(checkout.0.join("functions/README.md")).unwrap();
    let table = "| trigger | functions |\n|---|---|\n| HTTP, with a token | create-item |\n\
                 | HTTP, without a token | answer-preflight, list-items |\n| API Gateway authorizer | authorize |\n\
                 | DynamoDB stream | relay-events |\n| schedule | purge-items (`rate(1 day)`) |\n| other | migrate-items |\n\nMore.\n";
    assert!(readme.ends_with(table), "{readme}");
}
