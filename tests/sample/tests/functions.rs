//! Runs each function against a Runtime API on loopback ("Using the Lambda runtime API for custom runtimes").

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tiny_http::{Header, Response, Server};

/// How long to wait for the next request of a function.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Invokes a function once. Returns its response and its log.
fn invoke(binary: &str, event: &Value) -> (Value, String) {
    let api = Server::http("127.0.0.1:0").unwrap();
    let function = Command::new(binary)
        .env("AWS_LAMBDA_RUNTIME_API", api.server_addr().to_string())
        .envs([("AWS_LAMBDA_FUNCTION_NAME", "sample"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
        .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"), ("AWS_REGION", "eu-west-1")])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .envs([("QUEUE_URL", "https://queue.test/notes"), ("DEAD_LETTER_QUEUE_URL", "https://queue.test/notes-dlq")])
        .stdout(Stdio::piped())
        .spawn();
    let mut function = function.unwrap();
    let header = |name: &str, value: &str| Header::from_bytes(name, value).unwrap();

    let next = api.recv_timeout(TIMEOUT).unwrap().expect("the function requests an invocation");
    assert!(next.url().ends_with("/invocation/next"), "{}", next.url());
    let invocation = Response::from_string(event.to_string())
        .with_header(header("lambda-runtime-aws-request-id", "52fdfc07-2182-154f-163f-5f0f9a621d72"))
        .with_header(header("lambda-runtime-deadline-ms", "4102444800000"))
        .with_header(header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:1:function:sample"));
    next.respond(invocation).unwrap();

    let mut completion = api.recv_timeout(TIMEOUT).unwrap().expect("the function responds");
    assert!(completion.url().ends_with("/response"), "{}", completion.url());
    let response = serde_json::from_reader(completion.as_reader()).unwrap();
    completion.respond(Response::empty(202)).unwrap();
    function.kill().unwrap();
    (response, String::from_utf8(function.wait_with_output().unwrap().stdout).unwrap())
}

#[test]
fn creates_a_note() {
    let request = |scope: &str, body: &str| {
        json!({
            "resource": "/notes", "path": "/notes", "httpMethod": "POST", "headers": {"content-type": "application/json"},
            "multiValueHeaders": {"content-type": ["application/json"]}, "body": body, "isBase64Encoded": false,
            "requestContext": {
                "resourcePath": "/notes", "httpMethod": "POST", "path": "/notes", "stage": "v1", "requestId": "r",
                "identity": {}, "authorizer": {"sub": "ada", "scope": scope},
            },
        })
    };
    let binary = env!("CARGO_BIN_EXE_create-note");
    for (scope, body, status) in [
        ("notes:write", r#"{"text": "Buy milk"}"#, 201),
        ("notes:read", r#"{"text": "Buy milk"}"#, 403),
        ("notes:write", r#"{"txt": "Buy milk"}"#, 422),
    ] {
        let (response, log) = invoke(binary, &request(scope, body));
        assert_eq!(response["statusCode"], status, "{response}\n{log}");
        assert_eq!(log.contains("note created"), status == 201, "{log}");
    }
}

#[test]
fn indexes_the_notes_of_a_batch() {
    let record = |id: &str| {
        json!({"messageId": id, "receiptHandle": id, "body": format!(r#"{{"id": "{id}"}}"#), "eventSource": "aws:sqs",
               "eventSourceARN": "arn:aws:sqs:eu-west-1:1:notes", "attributes": {"ApproximateReceiveCount": "1"}})
    };
    let (response, log) = invoke(env!("CARGO_BIN_EXE_index-note"), &json!({"Records": [record("1"), record("2")]}));
    assert_eq!(response, json!({"batchItemFailures": []}));
    assert_eq!(log.matches("note indexed").count(), 2, "{log}");
}

#[test]
fn purges_notes_at_the_scheduled_time() {
    let event = json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-11-23T00:30:00Z"});
    let (response, log) = invoke(env!("CARGO_BIN_EXE_purge-notes"), &event);
    assert_eq!(response, Value::Null);
    assert!(log.contains("2026-11-23T00:30:00.000Z"), "{log}");
}
