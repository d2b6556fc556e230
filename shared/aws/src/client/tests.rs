use std::fs;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::testing::{Answer, Seen, Server, config_at, ok};

const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");
const KEY: (&str, &str) = (ACCESS_KEY_ID, "AKIDFROMENVIRONMENT");
const SECRET: (&str, &str) = (SECRET_ACCESS_KEY, "secret");

fn config(variables: &[(&str, &str)]) -> Result<SdkConfig, AwsEnvironmentError> {
    sdk_config_from(|name| {
        let set = variables.iter().find(|(set, _)| *set == name);
        set.map(|(_, value)| (*value).to_owned())
    })
}

fn refusal(variables: &[(&str, &str)]) -> String {
    config(variables).unwrap_err().to_string()
}

/// A call that a server answers with `{}`.
async fn call(client: &Client) -> bool {
    client.get_item().table_name("table").key("pk", AttributeValue::S("x".to_owned())).send().await.is_ok()
}

fn always(_: &Seen) -> Answer {
    ok("{}")
}

#[test]
fn what_the_environment_lacks_is_named() {
    assert!(refusal(&[KEY, SECRET]).contains("AWS_REGION"));
    assert!(refusal(&[REGION, SECRET]).contains(ACCESS_KEY_ID));
    assert!(refusal(&[REGION, KEY]).contains(SECRET_ACCESS_KEY));
    let neither = refusal(&[REGION]);
    for name in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, CREDENTIALS_URI] {
        assert!(neither.contains(name), "{neither}");
    }
    assert!(refusal(&[REGION, (ACCESS_KEY_ID, ""), SECRET]).contains(ACCESS_KEY_ID), "empty is not set");
    assert!(refusal(&[REGION, KEY, SECRET, (OPEN_CONNECTIONS, "no")]).contains(OPEN_CONNECTIONS));
    assert!(config(&[REGION, KEY, SECRET, (OPEN_CONNECTIONS, "false")]).is_ok());
}

#[test]
fn credentials_are_never_asked_for_across_a_network_in_the_clear() {
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
    assert!(refusal(&[REGION, (CREDENTIALS_URI, "http://10.0.0.1/")]).contains(CREDENTIALS_URI));
    let token = (CREDENTIALS_TOKEN, "two\nlines");
    assert!(refusal(&[REGION, (CREDENTIALS_URI, "http://127.0.0.1/"), token]).contains(CREDENTIALS_TOKEN));
}

/// A server that hands out credentials which end at `expiration`, and plays DynamoDB too.
async fn handing_out(expiration: &'static str) -> (Server, SdkConfig) {
    let server = Server::start(move |seen| {
        let credentials =
            format!(r#"{{"AccessKeyId":"AKIDFROMENDPOINT","SecretAccessKey":"s","Token":"t","Expiration":"{expiration}"}}"#);
        if seen.path == "/" { ok("{}") } else { ok(&credentials) }
    })
    .await;
    let endpoint = format!("http://{}", server.address);
    let uri = format!("{endpoint}/2021-03-03/credentials?of=me");
    let token = (CREDENTIALS_TOKEN, "the token");
    let config = config(&[REGION, ("AWS_ENDPOINT_URL", &endpoint), (CREDENTIALS_URI, &uri), token]).unwrap();
    (server, config)
}

fn fetches(server: &Server) -> usize {
    server.seen().iter().filter(|seen| seen.path != "/").count()
}

#[tokio::test]
async fn credentials_come_from_the_endpoint_where_the_environment_has_none() {
    let (server, config) = handing_out("2999-12-31T23:59:59Z").await;
    // Each client has what it needs, and nothing is fetched twice.
    assert!(call(&Client::new(&config)).await);
    assert!(call(&Client::new(&config)).await);

    let seen = server.seen();
    assert_eq!(fetches(&server), 1, "{seen:?}");
    assert_eq!((&*seen[0].path, &*seen[0].authorization), ("/2021-03-03/credentials?of=me", "the token"));
    assert!(seen[1].authorization.contains("Credential=AKIDFROMENDPOINT/"), "{seen:?}");
}

#[tokio::test]
async fn credentials_that_have_expired_are_fetched_anew() {
    let (server, config) = handing_out("2020-01-01T00:00:00Z").await;
    let client = Client::new(&config);
    assert!(call(&client).await);
    assert!(call(&client).await);
    assert_eq!(fetches(&server), 2);
}

#[tokio::test]
async fn credentials_in_the_environment_come_first() {
    let (server, _) = handing_out("2999-12-31T23:59:59Z").await;
    let endpoint = format!("http://{}", server.address);
    let uri = format!("{endpoint}/credentials");
    let config = config(&[REGION, KEY, SECRET, ("AWS_ENDPOINT_URL", &endpoint), (CREDENTIALS_URI, &uri)]).unwrap();
    assert!(call(&Client::new(&config)).await);
    assert!(server.seen()[0].authorization.contains("Credential=AKIDFROMENVIRONMENT/"));
}

#[tokio::test]
async fn an_endpoint_without_credentials_is_an_error_that_quotes_nothing() {
    let server = Server::start(|_| ok(r#"{"AccessKeyId":"a","SecretAccessKey":["hidden"]}"#)).await;
    let uri = format!("http://{}/credentials", server.address);
    let config = config(&[REGION, (CREDENTIALS_URI, &uri)]).unwrap();
    let provider = config.credentials_provider().unwrap();
    let error = aws_credential_types::provider::ProvideCredentials::provide_credentials(&provider).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}

/// A file of this test's own, gone with the value.
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
fn a_bundle_without_usable_certificates_is_named() {
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let not_pem = "-----BEGIN CERTIFICATE-----\n";
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let one_of_two = format!("{}{not_a_certificate}", made.cert.pem());
    for content in ["", "no certificates here\n", not_a_certificate, not_pem, &one_of_two] {
        let file = TemporaryFile::new(content);
        let error = refusal(&[REGION, KEY, SECRET, (CA_BUNDLE, file.path())]);
        assert!(error.contains(CA_BUNDLE), "{content}: {error}");
    }
    assert!(refusal(&[REGION, KEY, SECRET, (CA_BUNDLE, "/there/is/no/such/file.pem")]).contains(CA_BUNDLE));
}

#[tokio::test]
async fn a_bundle_is_trusted_instead_of_amazon() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let tls = rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let server = Server::start_tls(TlsAcceptor::from(std::sync::Arc::new(tls)), always).await;
    let endpoint = format!("https://localhost:{}", server.address.port());
    let variables = [REGION, KEY, SECRET, ("AWS_ENDPOINT_URL", &*endpoint)];

    let bundle = TemporaryFile::new(&made.cert.pem());
    let trusting = config(&[&variables[..], &[(CA_BUNDLE, bundle.path())]].concat()).unwrap();
    assert!(call(&Client::new(&trusting)).await);
    assert!(!call(&Client::new(&config(&variables).unwrap())).await);
}

fn connections(server: &Server) -> Vec<usize> {
    server.seen().iter().map(|seen| seen.connection).collect()
}

#[tokio::test]
async fn every_client_of_one_configuration_uses_the_same_connection() {
    let server = Server::start(always).await;
    let config = config_at(server.address);
    for client in [Client::new(&config), Client::new(&config)] {
        assert!(call(&client).await);
    }
    assert_eq!(connections(&server), [1, 1]);
}

#[tokio::test]
async fn a_request_whose_kept_connection_breaks_is_made_on_another() {
    let server = Server::start(|seen| if seen.connection > 1 { ok("{}") } else { None }).await;
    assert!(call(&Client::new(&config_at(server.address))).await);
    assert_eq!(connections(&server), [1, 2]);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_no_attempt() {
    let server = Server::start(always).await;
    let one_attempt = config_at(server.address).into_builder().retry_config(RetryConfig::disabled()).build();
    let client = Client::new(&one_attempt);
    assert!(call(&client).await);
    server.close_connections().await;
    assert!(call(&client).await);
    assert_eq!(connections(&server), [1, 2]);
}
