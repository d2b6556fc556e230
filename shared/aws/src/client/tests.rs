use std::fs;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::testing::{MockResponse, MockServer, RecordedRequest, config_at, ok};

const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");
const KEY: (&str, &str) = (ACCESS_KEY_ID, "AKIDFROMENVIRONMENT");
const SECRET: (&str, &str) = (SECRET_ACCESS_KEY, "secret");

fn config(variables: &[(&str, &str)]) -> Result<SdkConfig, AwsEnvironmentError> {
    sdk_config_from(|name| {
        let set = variables.iter().find(|(set, _)| *set == name);
        set.map(|(_, value)| (*value).to_owned())
    })
}

fn config_error(variables: &[(&str, &str)]) -> String {
    config(variables).unwrap_err().to_string()
}

/// Calls DynamoDB and returns whether the call succeeded.
async fn call(client: &Client) -> bool {
    client.get_item().table_name("table").key("pk", AttributeValue::S("x".to_owned())).send().await.is_ok()
}

fn empty_response(_: &RecordedRequest) -> MockResponse {
    ok("{}")
}

#[test]
fn names_the_missing_or_invalid_variable() {
    assert!(config_error(&[KEY, SECRET]).contains("AWS_REGION"));
    assert!(config_error(&[REGION, SECRET]).contains(ACCESS_KEY_ID));
    assert!(config_error(&[REGION, KEY]).contains(SECRET_ACCESS_KEY));
    let no_credentials = config_error(&[REGION]);
    for name in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, CREDENTIALS_URI] {
        assert!(no_credentials.contains(name), "{no_credentials}");
    }
    assert!(
        config_error(&[REGION, (ACCESS_KEY_ID, ""), SECRET]).contains(ACCESS_KEY_ID),
        "an empty variable is treated as not set"
    );
    assert!(config_error(&[REGION, KEY, SECRET, (OPEN_CONNECTIONS, "no")]).contains(OPEN_CONNECTIONS));
    assert!(config(&[REGION, KEY, SECRET, (OPEN_CONNECTIONS, "false")]).is_ok());
}

#[test]
fn rejects_credentials_endpoints_without_tls_unless_they_are_local() {
    let is_accepted = |url| config(&[REGION, (CREDENTIALS_URI, url)]).is_ok();
    for url in [
        "http://127.0.0.1:9001/2021-03-03/credentials",
        "http://127.1.2.3/",
        "http://[::1]:9001/credentials",
        "http://localhost:9001/credentials",
        "http://169.254.170.2/v2/credentials",
        "http://169.254.170.23/v1/credentials",
        "https://credentials.example/",
    ] {
        assert!(is_accepted(url), "{url}");
    }
    for url in [
        "http://credentials.example/",
        "http://127.0.0.1.credentials.example/",
        "http://127.0.0.1@credentials.example/",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1/credentials",
        "/credentials",
    ] {
        assert!(!is_accepted(url), "{url}");
    }
    assert!(config_error(&[REGION, (CREDENTIALS_URI, "http://10.0.0.1/")]).contains(CREDENTIALS_URI));
    let token = (CREDENTIALS_TOKEN, "two\nlines");
    assert!(config_error(&[REGION, (CREDENTIALS_URI, "http://127.0.0.1/"), token]).contains(CREDENTIALS_TOKEN));
}

/// Starts a server that returns credentials which expire at `expiration`, and that responds to DynamoDB calls.
async fn credentials_server(expiration: &'static str) -> (MockServer, SdkConfig) {
    let server = MockServer::start(move |request| {
        let credentials =
            format!(r#"{{"AccessKeyId":"AKIDFROMENDPOINT","SecretAccessKey":"s","Token":"t","Expiration":"{expiration}"}}"#);
        if request.path == "/" { ok("{}") } else { ok(&credentials) }
    })
    .await;
    let endpoint = format!("http://{}", server.address);
    let uri = format!("{endpoint}/2021-03-03/credentials?id=1");
    let token = (CREDENTIALS_TOKEN, "the token");
    let config = config(&[REGION, ("AWS_ENDPOINT_URL", &endpoint), (CREDENTIALS_URI, &uri), token]).unwrap();
    (server, config)
}

fn credential_requests(server: &MockServer) -> usize {
    server.requests().iter().filter(|request| request.path != "/").count()
}

#[tokio::test]
async fn fetches_credentials_from_the_endpoint_once_for_all_clients() {
    let (server, config) = credentials_server("2999-12-31T23:59:59Z").await;
    assert!(call(&Client::new(&config)).await);
    assert!(call(&Client::new(&config)).await);

    let requests = server.requests();
    assert_eq!(credential_requests(&server), 1, "{requests:?}");
    assert_eq!((&*requests[0].path, &*requests[0].authorization), ("/2021-03-03/credentials?id=1", "the token"));
    assert!(requests[1].authorization.contains("Credential=AKIDFROMENDPOINT/"), "{requests:?}");
}

#[tokio::test]
async fn refreshes_expired_credentials() {
    let (server, config) = credentials_server("2020-01-01T00:00:00Z").await;
    let client = Client::new(&config);
    assert!(call(&client).await);
    assert!(call(&client).await);
    assert_eq!(credential_requests(&server), 2);
}

#[tokio::test]
async fn prefers_credentials_in_the_environment() {
    let (server, _) = credentials_server("2999-12-31T23:59:59Z").await;
    let endpoint = format!("http://{}", server.address);
    let uri = format!("{endpoint}/credentials");
    let config = config(&[REGION, KEY, SECRET, ("AWS_ENDPOINT_URL", &endpoint), (CREDENTIALS_URI, &uri)]).unwrap();
    assert!(call(&Client::new(&config)).await);
    assert!(server.requests()[0].authorization.contains("Credential=AKIDFROMENVIRONMENT/"));
}

#[tokio::test]
async fn does_not_quote_invalid_credentials_in_the_error() {
    let server = MockServer::start(|_| ok(r#"{"AccessKeyId":"a","SecretAccessKey":["hidden"]}"#)).await;
    let uri = format!("http://{}/credentials", server.address);
    let config = config(&[REGION, (CREDENTIALS_URI, &uri)]).unwrap();
    let provider = config.credentials_provider().unwrap();
    let error = aws_credential_types::provider::ProvideCredentials::provide_credentials(&provider).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}

/// A file with a unique name that is deleted on drop.
struct TemporaryFile(std::path::PathBuf);

impl TemporaryFile {
    fn new(content: &str) -> Self {
        let path = env::temp_dir().join(format!("ferrite-{}.pem", UniqueIds.new_id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn rejects_a_ca_bundle_with_an_invalid_certificate_or_none() {
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let not_pem = "-----BEGIN CERTIFICATE-----\n";
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let one_of_two = format!("{}{not_a_certificate}", certificate.cert.pem());
    for content in ["", "no certificates here\n", not_a_certificate, not_pem, &one_of_two] {
        let file = TemporaryFile::new(content);
        let error = config_error(&[REGION, KEY, SECRET, (CA_BUNDLE, file.path())]);
        assert!(error.contains(CA_BUNDLE), "{content}: {error}");
    }
    assert!(config_error(&[REGION, KEY, SECRET, (CA_BUNDLE, "/there/is/no/such/file.pem")]).contains(CA_BUNDLE));
}

#[tokio::test]
async fn trusts_a_ca_bundle_instead_of_the_amazon_roots() {
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let tls = rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    let server = MockServer::start_tls(TlsAcceptor::from(std::sync::Arc::new(tls)), empty_response).await;
    let endpoint = format!("https://localhost:{}", server.address.port());
    let variables = [REGION, KEY, SECRET, ("AWS_ENDPOINT_URL", &*endpoint)];

    let bundle = TemporaryFile::new(&certificate.cert.pem());
    let with_bundle = config(&[&variables[..], &[(CA_BUNDLE, bundle.path())]].concat()).unwrap();
    assert!(call(&Client::new(&with_bundle)).await);
    assert!(!call(&Client::new(&config(&variables).unwrap())).await);
}

fn connections(server: &MockServer) -> Vec<usize> {
    server.requests().iter().map(|request| request.connection).collect()
}

#[tokio::test]
async fn shares_connections_between_clients_of_one_configuration() {
    let server = MockServer::start(empty_response).await;
    let config = config_at(server.address);
    for client in [Client::new(&config), Client::new(&config)] {
        assert!(call(&client).await);
    }
    assert_eq!(connections(&server), [1, 1]);
}

#[tokio::test]
async fn retries_on_a_new_connection_after_a_connection_error() {
    let server = MockServer::start(|request| if request.connection > 1 { ok("{}") } else { None }).await;
    assert!(call(&Client::new(&config_at(server.address))).await);
    assert_eq!(connections(&server), [1, 2]);
}

#[tokio::test]
async fn does_not_use_up_an_attempt_on_a_closed_idle_connection() {
    let server = MockServer::start(empty_response).await;
    let one_attempt = config_at(server.address).into_builder().retry_config(RetryConfig::disabled()).build();
    let client = Client::new(&one_attempt);
    assert!(call(&client).await);
    server.close_connections().await;
    assert!(call(&client).await);
    assert_eq!(connections(&server), [1, 2]);
}
