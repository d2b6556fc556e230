use lambda_runtime::Diagnostic;

use super::*;
use crate::key_cache::Lifetimes;
use crate::key_cache::tests::FakeSource;
use crate::permissions::Permissions;
use crate::token::AudienceClaim;
use ferrite_token_issuer::signing_key::{SigningKey, jwks};

const NOW: u64 = 1_800_000_000;
const METHOD_ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/POST/notes/n1/files";

fn token(key: &SigningKey) -> String {
    key.token(&json!({
        "iss": "https://issuer.example/",
        "aud": "notes-api",
        "sub": "ada",
        "exp": NOW + 300,
        "scope": "notes:write",
    }))
}

fn cache(source: &FakeSource) -> KeyCache<FakeSource> {
    let lifetimes = Lifetimes { ttl_seconds: 600, max_stale_seconds: 3_600 };
    KeyCache::new(source.clone(), lifetimes)
}

async fn authorize_event(keys: &KeyCache<FakeSource>, event: Value, now: u64) -> Result<Value, AuthorizeError> {
    let rules = TokenRules {
        issuer: "https://issuer.example/".to_owned(),
        audiences: vec!["notes-api".to_owned()],
        audience_claim: AudienceClaim::Aud,
        permissions: Permissions::default(),
    };
    authorize(keys, &rules, serde_json::from_value(event).unwrap(), now).await
}

/// The relevant part of an event from API Gateway.
fn event(headers: &Value, multi_value_headers: &Value) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": METHOD_ARN,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": multi_value_headers,
        "requestContext": { "stage": "prod", "apiId": "a1b2c3" },
    })
}

fn bearer_event(token: &str) -> Value {
    let value = format!("Bearer {token}");
    event(&json!({ "Authorization": value }), &json!({ "Authorization": [value] }))
}

fn rejection(result: Result<Value, AuthorizeError>) -> Rejection {
    match result {
        Err(AuthorizeError::Rejected(reason)) => reason,
        other => panic!("not rejected: {other:?}"),
    }
}

#[tokio::test]
async fn allows_the_whole_stage_for_a_valid_token() {
    let key = SigningKey::es256("a");
    let policy = authorize_event(&cache(&FakeSource::keys(&[&key])), bearer_event(&token(&key)), NOW).await;
    assert_eq!(
        policy.unwrap(),
        json!({
            "principalId": "ada",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/*",
                }],
            },
            "context": { "sub": "ada", "scope": "notes:write", "exp": "1800000300" },
        })
    );
}

#[tokio::test]
async fn reads_header_name_and_scheme_case_insensitively() {
    let key = SigningKey::eddsa("a");
    let keys = cache(&FakeSource::keys(&[&key]));
    let token = token(&key);
    for (name, scheme) in [("authorization", "bearer "), ("AUTHORIZATION", "BEARER  ")] {
        let value = format!("{scheme}{token}");
        let single = event(&json!({ name: value }), &Value::Null);
        let multiple = event(&Value::Null, &json!({ name: [value] }));
        assert!(authorize_event(&keys, single, NOW).await.is_ok());
        assert!(authorize_event(&keys, multiple, NOW).await.is_ok());
    }
}

#[tokio::test]
async fn requires_exactly_one_authorization_header() {
    let key = SigningKey::eddsa("a");
    let keys = cache(&FakeSource::keys(&[&key]));
    let valid = format!("Bearer {}", token(&key));
    for event in [
        event(&Value::Null, &Value::Null),
        event(&json!({ "Cookie": valid }), &json!({})),
        event(&json!({ "Authorization": valid }), &json!({ "Authorization": [valid, "Bearer x"] })),
        event(&json!({ "Authorization": valid, "authorization": valid }), &Value::Null),
    ] {
        assert_eq!(rejection(authorize_event(&keys, event, NOW).await), Rejection::AuthorizationHeader);
    }
}

#[tokio::test]
async fn rejects_other_authorization_schemes() {
    let key = SigningKey::eddsa("a");
    let keys = cache(&FakeSource::keys(&[&key]));
    let token = token(&key);
    for value in [token.clone(), format!("Basic {token}"), format!("Bearer{token}"), "Bearer".to_owned()] {
        let event = event(&json!({ "Authorization": value }), &Value::Null);
        assert_eq!(rejection(authorize_event(&keys, event, NOW).await), Rejection::Scheme);
    }
}

#[tokio::test]
async fn fetches_a_new_key_immediately_and_drops_a_withdrawn_key() {
    let old = SigningKey::es256("old");
    let new = SigningKey::es256("new");
    let source = FakeSource::keys(&[&old]);
    let keys = cache(&source);
    assert!(authorize_event(&keys, bearer_event(&token(&old)), NOW).await.is_ok());

    source.replace(Some(jwks(&[&new])));
    assert!(
        authorize_event(&keys, bearer_event(&token(&old)), NOW + 1).await.is_ok(),
        "the old key stays cached until the next fetch"
    );
    assert!(authorize_event(&keys, bearer_event(&token(&new)), NOW + 1).await.is_ok());
    assert_eq!(rejection(authorize_event(&keys, bearer_event(&token(&old)), NOW + 1).await), Rejection::UnknownKey);
}

#[tokio::test]
async fn fetches_a_new_key_of_another_type_with_a_known_id_immediately() {
    let old = SigningKey::rs256("a");
    let new = SigningKey::es256("a");
    let source = FakeSource::keys(&[&old]);
    let keys = cache(&source);
    assert!(authorize_event(&keys, bearer_event(&token(&old)), NOW).await.is_ok());
    source.replace(Some(jwks(&[&old, &new])));
    assert!(authorize_event(&keys, bearer_event(&token(&new)), NOW + 1).await.is_ok());
}

#[tokio::test]
async fn limits_fetches_for_unknown_key_ids() {
    let source = FakeSource::keys(&[&SigningKey::es256("a")]);
    let keys = cache(&source);
    for id in 0..10 {
        let forged = token(&SigningKey::eddsa(&format!("unknown-{id}")));
        assert_eq!(rejection(authorize_event(&keys, bearer_event(&forged), NOW).await), Rejection::UnknownKey);
    }
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn does_not_fetch_keys_for_a_request_without_a_token() {
    let source = FakeSource::default();
    authorize_event(&cache(&source), event(&json!({}), &json!({})), NOW).await.unwrap_err();
    assert_eq!(source.fetches(), 0);
}

#[tokio::test]
async fn fails_without_unauthorized_when_keys_are_unavailable() {
    let key = SigningKey::es256("a");
    let failure = authorize_event(&cache(&FakeSource::default()), bearer_event(&token(&key)), NOW).await.unwrap_err();
    assert!(matches!(failure, AuthorizeError::KeysUnavailable(_)));
    assert_ne!(Diagnostic::from(failure.into_failure()).error_message, "Unauthorized");
}

#[test]
fn every_rejection_has_the_message_unauthorized() {
    for reason in [Rejection::AuthorizationHeader, Rejection::Signature, Rejection::Expired] {
        let diagnostic = Diagnostic::from(AuthorizeError::Rejected(reason).into_failure());
        assert_eq!(diagnostic.error_message, "Unauthorized");
    }
}

#[test]
fn rejects_arns_without_a_stage() {
    assert!(whole_stage(METHOD_ARN).is_some());
    assert!(whole_stage("arn:aws:execute-api:eu-west-1:1:a/prod/GET/").is_some());
    for other in ["", "*", "arn:aws:s3:::bucket", "arn:aws:execute-api:eu-west-1:1:a//GET/", "a/prod/GET/"] {
        assert_eq!(whole_stage(other), None, "{other}");
    }
}

#[test]
fn events_of_another_type_are_failures_without_the_token() {
    for event in [
        json!({ "type": "TOKEN", "methodArn": METHOD_ARN, "authorizationToken": "Bearer x" }),
        json!({ "type": "REQUEST", "methodArn": METHOD_ARN, "headers": "Bearer x" }),
        json!({ "type": "Bearer x" }),
        Value::Null,
    ] {
        let Err(error) = AuthorizerEvent::parse(event) else { panic!("parsed") };
        let failure = error.into_failure();
        assert!(matches!(failure, Failure::Retry(_)));
        let diagnostic = Diagnostic::from(failure);
        assert!(!diagnostic.error_message.contains("Bearer"), "{}", diagnostic.error_message);
        assert_ne!(diagnostic.error_message, "Unauthorized");
    }
}

/// The runtime counts `Retry` as the metric `Failed`, which has an alarm, and `Reject` as `Refused`, which has none.
#[test]
fn only_invalid_tokens_are_rejections() {
    for reason in [Rejection::AuthorizationHeader, Rejection::Signature, Rejection::UnknownKey, Rejection::Expired] {
        assert!(matches!(AuthorizeError::Rejected(reason).into_failure(), Failure::Reject(_)));
    }
    for failure in [AuthorizeError::KeysUnavailable(KeysUnavailable), AuthorizeError::Event, AuthorizeError::MethodArn] {
        assert!(matches!(failure.into_failure(), Failure::Retry(_)));
    }
}
