//! Tests that write parameters and secrets and read them back.

use std::time::Duration;

use ferrite_aws::testing::emulator_config;
use ferrite_aws::{ParameterError, Parameters};
use ferrite_aws_client::client::{AwsClient, JsonService, SSM};
use ferrite_aws_client::endpoint::Target;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const SECRETS_MANAGER: JsonService =
    JsonService { host: "secretsmanager", signing_name: "secretsmanager", target: "secretsmanager", version: "1.1" };

/// Calls an operation that stores a value. None of the SDK crates used here supports it.
fn call(service: JsonService, operation: &str, body: &Value) {
    let target =
        Target::from_environment().expect("AWS_ENDPOINT_URL should be a URL").expect("AWS_ENDPOINT_URL should be set");
    AwsClient::new(target).json(service, operation, body).expect("should store the value");
}

fn parameters() -> Parameters {
    Parameters::new(&emulator_config(), Duration::from_secs(60))
}

#[tokio::test]
async fn reads_and_decrypts_a_parameter() {
    for kind in ["String", "SecureString"] {
        let name = format!("/adapters/{}", UniqueIds.new_id());
        call(SSM, "PutParameter", &json!({ "Name": name, "Type": kind, "Value": "hunter2" }));
        assert_eq!(parameters().parameter(&name).await.unwrap().expose_secret(), "hunter2");
    }
}

#[tokio::test]
async fn reads_a_text_secret_and_rejects_a_binary_secret() {
    let unique_name = || format!("adapters/{}", UniqueIds.new_id());
    let text = unique_name();
    let binary = unique_name();
    // An SDK would generate the required request token ("CreateSecret").
    let token = || UniqueIds.new_id().to_string();
    let secret = json!({ "ClientRequestToken": token(), "Name": text, "SecretString": "hunter2" });
    call(SECRETS_MANAGER, "CreateSecret", &secret);
    let secret = json!({ "ClientRequestToken": token(), "Name": binary, "SecretBinary": "aHVudGVyMg==" });
    call(SECRETS_MANAGER, "CreateSecret", &secret);
    assert_eq!(parameters().secret(&text).await.unwrap().expose_secret(), "hunter2");
    assert!(matches!(parameters().secret(&binary).await, Err(ParameterError::NotText { .. })));
}

#[tokio::test]
async fn returns_not_found_for_a_missing_parameter_or_secret() {
    let missing = format!("/adapters/{}", UniqueIds.new_id());
    assert!(matches!(parameters().parameter(&missing).await, Err(ParameterError::NotFound { .. })));
    assert!(matches!(parameters().secret(&missing).await, Err(ParameterError::NotFound { .. })));
}
