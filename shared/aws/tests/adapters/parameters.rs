//! A parameter and a secret, read back.

use std::time::Duration;

use ferrite_aws::testing::emulator_config;
use ferrite_aws::{ParameterError, Parameters};
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use ferrite_tests::aws::Aws;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// Makes the call that `target` names: what puts values there is in no SDK that is used here.
fn call(service: &str, target: &str, body: &Value) {
    Aws::under_test().call(service, target, body);
}

fn parameters() -> Parameters {
    Parameters::new(&emulator_config(), Duration::from_secs(60))
}

#[tokio::test]
async fn a_parameter_is_read_decrypted() {
    for kind in ["String", "SecureString"] {
        let name = format!("/adapters/{}", UniqueIds.new_id());
        call("ssm", "AmazonSSM.PutParameter", &json!({ "Name": name, "Type": kind, "Value": "hunter2" }));
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
    call("secretsmanager", "secretsmanager.CreateSecret", &secret);
    let secret = json!({ "ClientRequestToken": token(), "Name": bytes, "SecretBinary": "aHVudGVyMg==" });
    call("secretsmanager", "secretsmanager.CreateSecret", &secret);
    assert_eq!(parameters().secret(&text).await.unwrap().expose_secret(), "hunter2");
    assert!(matches!(parameters().secret(&bytes).await, Err(ParameterError::NotText { .. })));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let missing = format!("/adapters/{}", UniqueIds.new_id());
    assert!(matches!(parameters().parameter(&missing).await, Err(ParameterError::NotFound { .. })));
    assert!(matches!(parameters().secret(&missing).await, Err(ParameterError::NotFound { .. })));
}
