//! A parameter and a secret, read back.

use std::time::Duration;

use ferrite_aws::testing::emulator_config;
use ferrite_aws::{ParameterError, Parameters};
use ferrite_aws_client::client::{AwsClient, JsonService, SSM};
use ferrite_aws_client::endpoint::Target;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const SECRETS_MANAGER: JsonService =
    JsonService { host: "secretsmanager", signing_name: "secretsmanager", target: "secretsmanager", version: "1.1" };

/// Calls an operation that stores a value: none of the SDK crates here has it.
fn call(service: JsonService, operation: &str, body: &Value) {
    let target = Target::from_environment().expect("AWS_ENDPOINT_URL is an address").expect("./scripts/test sets it");
    AwsClient::new(target).json(service, operation, body).expect("the value is stored");
}

fn parameters() -> Parameters {
    Parameters::new(&emulator_config(), Duration::from_secs(60))
}

#[tokio::test]
async fn a_parameter_is_read_decrypted() {
    for kind in ["String", "SecureString"] {
        let name = format!("/adapters/{}", UniqueIds.new_id());
        call(SSM, "PutParameter", &json!({ "Name": name, "Type": kind, "Value": "hunter2" }));
        assert_eq!(parameters().parameter(&name).await.unwrap().expose_secret(), "hunter2");
    }
}

#[tokio::test]
async fn a_secret_is_read_if_it_is_text() {
    let name = || format!("adapters/{}", UniqueIds.new_id());
    let (text, bytes) = (name(), name());
    // An SDK would make up the request's token ("CreateSecret").
    let token = || UniqueIds.new_id().to_string();
    let secret = json!({ "ClientRequestToken": token(), "Name": text, "SecretString": "hunter2" });
    call(SECRETS_MANAGER, "CreateSecret", &secret);
    let secret = json!({ "ClientRequestToken": token(), "Name": bytes, "SecretBinary": "aHVudGVyMg==" });
    call(SECRETS_MANAGER, "CreateSecret", &secret);
    assert_eq!(parameters().secret(&text).await.unwrap().expose_secret(), "hunter2");
    assert!(matches!(parameters().secret(&bytes).await, Err(ParameterError::NotText { .. })));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let missing = format!("/adapters/{}", UniqueIds.new_id());
    assert!(matches!(parameters().parameter(&missing).await, Err(ParameterError::NotFound { .. })));
    assert!(matches!(parameters().secret(&missing).await, Err(ParameterError::NotFound { .. })));
}
