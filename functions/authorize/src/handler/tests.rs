use lambda_runtime::Diagnostic;

use super::*;
use crate::key_cache::Lifetimes;
use crate::key_cache::tests::Published;
use ferrite_token_issuer::signing_key::{SigningKey, jwks};

const NOW: u64 = 1_800_000_000;
const METHOD_ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/POST/products/p1/images";

fn token(key: &SigningKey) -> String {
    key.token(&json!({
        "iss": "https://issuer.example/",
        "aud": "storefront",
        "sub": "customer-1",
        "exp": NOW + 300,
        "scope": "products:write",
    }))
}

fn cache(source: &Published) -> KeyCache<Published> {
    let lifetimes = Lifetimes { ttl_seconds: 600, max_stale_seconds: 3_600 };
    KeyCache::new(source.clone(), lifetimes)
}

async fn ask(keys: &KeyCache<Published>, event: Value, now: u64) -> Result<Value, AuthorizeError> {
    let expected = Expected { issuer: "https://issuer.example/".to_owned(), audience: "storefront".to_owned() };
    authorize(keys, &expected, serde_json::from_value(event).unwrap(), now).await
}

/// An event as API Gateway sends it, cut down.
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

fn bearing(token: &str) -> Value {
    let value = format!("Bearer {token}");
    event(&json!({ "Authorization": value }), &json!({ "Authorization": [value] }))
}

fn refusal(answer: Result<Value, AuthorizeError>) -> Refused {
    match answer {
        Err(AuthorizeError::Refused(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_good_token_opens_the_whole_stage() {
    let key = SigningKey::es256("a");
    let answer = ask(&cache(&Published::keys(&[&key])), bearing(&token(&key)), NOW).await;
    assert_eq!(
        answer.unwrap(),
        json!({
            "principalId": "customer-1",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/*",
                }],
            },
            "context": { "sub": "customer-1", "scope": "products:write", "exp": "1800000300" },
        })
    );
}

#[tokio::test]
async fn header_name_and_scheme_are_read_without_case() {
    let key = SigningKey::eddsa("a");
    let keys = cache(&Published::keys(&[&key]));
    let token = token(&key);
    for (name, scheme) in [("authorization", "bearer "), ("AUTHORIZATION", "BEARER  ")] {
        let value = format!("{scheme}{token}");
        let single = event(&json!({ name: value }), &Value::Null);
        let multiple = event(&Value::Null, &json!({ name: [value] }));
        assert!(ask(&keys, single, NOW).await.is_ok());
        assert!(ask(&keys, multiple, NOW).await.is_ok());
    }
}

#[tokio::test]
async fn there_must_be_one_authorization_header() {
    let key = SigningKey::eddsa("a");
    let keys = cache(&Published::keys(&[&key]));
    let good = format!("Bearer {}", token(&key));
    for event in [
        event(&Value::Null, &Value::Null),
        event(&json!({ "Cookie": good }), &json!({})),
        event(&json!({ "Authorization": good }), &json!({ "Authorization": [good, "Bearer x"] })),
        event(&json!({ "Authorization": good, "authorization": good }), &Value::Null),
    ] {
        assert_eq!(refusal(ask(&keys, event, NOW).await), Refused::AuthorizationHeader);
    }
}

#[tokio::test]
async fn only_bearer_tokens_are_taken() {
    let key = SigningKey::eddsa("a");
    let keys = cache(&Published::keys(&[&key]));
    let token = token(&key);
    for value in [token.clone(), format!("Basic {token}"), format!("Bearer{token}"), "Bearer".to_owned()] {
        let event = event(&json!({ "Authorization": value }), &Value::Null);
        assert_eq!(refusal(ask(&keys, event, NOW).await), Refused::Scheme);
    }
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_a_withdrawn_one_forgotten() {
    let (old, new) = (SigningKey::es256("old"), SigningKey::es256("new"));
    let source = Published::keys(&[&old]);
    let keys = cache(&source);
    assert!(ask(&keys, bearing(&token(&old)), NOW).await.is_ok());

    source.replace(Some(jwks(&[&new])));
    assert!(ask(&keys, bearing(&token(&old)), NOW + 1).await.is_ok(), "until its time is up");
    assert!(ask(&keys, bearing(&token(&new)), NOW + 1).await.is_ok());
    assert_eq!(refusal(ask(&keys, bearing(&token(&old)), NOW + 1).await), Refused::UnknownKey);
}

#[tokio::test]
async fn made_up_key_ids_do_not_flood_the_issuer() {
    let source = Published::keys(&[&SigningKey::es256("a")]);
    let keys = cache(&source);
    for id in 0..10 {
        let made_up = token(&SigningKey::eddsa(&format!("made-up-{id}")));
        assert_eq!(refusal(ask(&keys, bearing(&made_up), NOW).await), Refused::UnknownKey);
    }
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn a_request_without_a_token_fetches_nothing() {
    let source = Published::default();
    ask(&cache(&source), event(&json!({}), &json!({})), NOW).await.unwrap_err();
    assert_eq!(source.fetches(), 0);
}

#[tokio::test]
async fn without_keys_nobody_gets_in_and_nobody_is_called_unauthorized() {
    let key = SigningKey::es256("a");
    let failure = ask(&cache(&Published::default()), bearing(&token(&key)), NOW).await.unwrap_err();
    assert!(matches!(failure, AuthorizeError::KeysUnavailable(_)));
    assert_ne!(Diagnostic::from(failure.into_failure()).error_message, "Unauthorized");
}

#[test]
fn every_refusal_reads_exactly_unauthorized() {
    for reason in [Refused::AuthorizationHeader, Refused::Signature, Refused::Expired] {
        let diagnostic = Diagnostic::from(AuthorizeError::Refused(reason).into_failure());
        assert_eq!(diagnostic.error_message, "Unauthorized");
    }
}

#[test]
fn an_arn_of_something_else_has_no_stage() {
    assert!(whole_stage(METHOD_ARN).is_some());
    assert!(whole_stage("arn:aws:execute-api:eu-west-1:1:a/prod/GET/").is_some());
    for other in ["", "*", "arn:aws:s3:::bucket", "arn:aws:execute-api:eu-west-1:1:a//GET/", "a/prod/GET/"] {
        assert_eq!(whole_stage(other), None, "{other}");
    }
}

#[test]
fn an_event_of_another_type_is_an_error() {
    let token = json!({ "type": "TOKEN", "methodArn": METHOD_ARN, "authorizationToken": "Bearer x" });
    assert!(serde_json::from_value::<AuthorizerEvent>(token).is_err());
}
