//! A parameter and a secret, read back.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use ferrite_aws::{ParameterError, Parameters};
use ferrite_domain::memory::UniqueIds;
use ferrite_domain::ports::NewIds;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::config;

/// Makes the call that `target` names: what puts values there is in no SDK that is used here.
async fn call(service: &str, target: &str, body: Value) {
    let (config, body) = (config(), body.to_string());
    let credentials = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
    let identity = credentials.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(config.region().unwrap().as_ref())
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let url = config.endpoint_url().unwrap();
    let mut request = http::Request::post(url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .body(Full::new(hyper::body::Bytes::from(body.clone())))
        .unwrap();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let signable = SignableRequest::new("POST", url, headers, SignableBody::Bytes(body.as_bytes())).unwrap();
    sign(signable, &params).unwrap().into_parts().0.apply_to_request_http1x(&mut request);
    let answer = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    let (head, body) = answer.into_parts();
    assert!(head.status.is_success(), "{target}: {:?}", body.collect().await.unwrap().to_bytes());
}

fn parameters() -> Parameters {
    Parameters::new(&config(), Duration::from_secs(60))
}

#[tokio::test]
async fn a_parameter_is_read_decrypted() {
    for kind in ["String", "SecureString"] {
        let name = format!("/adapters/{}", UniqueIds.new_id());
        call("ssm", "AmazonSSM.PutParameter", json!({ "Name": name, "Type": kind, "Value": "hunter2" })).await;
        assert_eq!(parameters().parameter(&name).await.unwrap().expose_secret(), "hunter2");
    }
}

#[tokio::test]
async fn a_secret_is_read_if_it_is_text() {
    let name = || format!("adapters/{}", UniqueIds.new_id());
    let (text, bytes) = (name(), name());
    call("secretsmanager", "secretsmanager.CreateSecret", json!({ "Name": text, "SecretString": "hunter2" })).await;
    call("secretsmanager", "secretsmanager.CreateSecret", json!({ "Name": bytes, "SecretBinary": "aHVudGVyMg==" })).await;
    assert_eq!(parameters().secret(&text).await.unwrap().expose_secret(), "hunter2");
    assert!(matches!(parameters().secret(&bytes).await, Err(ParameterError::NotText { .. })));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let missing = format!("/adapters/{}", UniqueIds.new_id());
    assert!(matches!(parameters().parameter(&missing).await, Err(ParameterError::NotFound { .. })));
    assert!(matches!(parameters().secret(&missing).await, Err(ParameterError::NotFound { .. })));
}
