use bolero::check;
use ferrite_fuzz::{MutationPlan, mutate};
use serde_json::json;

use super::*;
use crate::permissions::{PermissionsClaim, ScopeMap};
use crate::url::JwksUrl;
use ferrite_token_issuer::signing_key::{SigningKey, jwks};

const NOW: u64 = 1_800_000_000;

fn rules(permissions_claim: &Value) -> TokenRules {
    let claim = serde_json::from_value(permissions_claim.clone()).unwrap();
    TokenRules {
        issuer: "i".to_owned(),
        audiences: vec!["a".to_owned()],
        audience_claim: AudienceClaim::Aud,
        permissions: Permissions { claim, scopes: None },
    }
}

#[test]
fn fuzz_tokens() {
    let keys = [SigningKey::es256("e"), SigningKey::eddsa("d")];
    let claims = json!({"iss": "i", "aud": ["a", "b"], "sub": "ada", "exp": NOW + 300, "nbf": NOW, "scope": "notes:write"});
    let tokens = keys.each_ref().map(|key| key.token(&claims));
    let valid = tokens.each_ref().map(String::as_str);
    let key_set = KeySet::parse(&jwks(&keys.each_ref())).unwrap();
    let rules = rules(&json!("scope"));
    let mut accepted = 0;
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let token = mutate(&valid, plan);
        let result = verify(&token, &key_set, &rules, NOW);
        assert_eq!(result.is_ok(), valid.contains(&&*token), "{token}");
        accepted += usize::from(result.is_ok());
    });
    assert!(accepted > 0, "no token was accepted");
}

/// Signed claims are untrusted input too.
#[test]
fn fuzz_claims() {
    let claims = [
        r#"{"iss":"i","aud":["a","b"],"sub":"ada","exp":1800000300,"nbf":1799999999.5,"scope":"notes:write"}"#,
        r#"{"iss":"i","client_id":"a","azp":"a","sub":"ada","exp":1800000300,"app_metadata":{"roles":["a b","c"]},"sts":"active"}"#,
    ];
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let claims = mutate(&claims, plan);
        for audience_claim in [AudienceClaim::Aud, AudienceClaim::ClientId, AudienceClaim::Azp] {
            for permissions_claim in ["scope", "/app_metadata/roles", "/app_metadata/roles/0"] {
                let rules = TokenRules { audience_claim, ..rules(&json!(permissions_claim)) };
                let Ok(found) = identity(claims.as_bytes(), &rules, NOW) else { continue };
                assert!(found.expires.saturating_add(TOKEN_LEEWAY_SECONDS) >= NOW);
                assert!(found.scope.split(' ').all(|scope| !scope.contains(char::is_control)));
                assert!(Subject::try_from(found.subject).is_ok());
            }
        }
    });
}

#[test]
fn fuzz_permissions_claims() {
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&["cognito:groups", "https://a.example/~b", "/a~01/b~1c"], plan);
        let Ok(claim) = serde_json::from_value::<PermissionsClaim>(json!(text)) else { return };
        let permissions = Permissions { claim, scopes: None };
        // A name that is not a pointer is the name of a top-level claim, whatever characters it contains.
        if !text.starts_with('/') {
            assert_eq!(permissions.granted(&json!({ (&*text): "granted" })), "granted", "{text}");
        }
        assert_eq!(permissions.granted(&json!({})), "", "{text}");
    });
}

#[test]
fn fuzz_scope_maps() {
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let text = mutate(&["admin=notes:write", "a b=c,d/e=f"], plan);
        let Ok(map) = serde_json::from_value::<ScopeMap>(json!(text)) else { return };
        let permissions = Permissions { claim: PermissionsClaim::default(), scopes: Some(map) };
        for (value, scope) in text.split(',').map(|pair| pair.split_once('=').unwrap()) {
            let granted = permissions.granted(&json!({ "scope": [value] }));
            assert!(granted.split(' ').any(|granted| granted == scope), "{text}");
        }
        assert_eq!(permissions.granted(&json!({ "scope": [text, "", ","] })), "");
    });
}

#[test]
fn fuzz_key_sets() {
    let keys = [SigningKey::rs256("r"), SigningKey::es256("e"), SigningKey::eddsa("d")];
    let sets = keys.each_ref().map(|key| String::from_utf8(jwks(&[key])).unwrap());
    let signatures = keys.each_ref().map(|key| key.sign(b"message"));
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let Ok(set) = KeySet::parse(mutate(&sets.each_ref().map(String::as_str), plan).as_bytes()) else { return };
        let Some(key) = set.single_key() else { return };
        // A mutated key verifies at most one of the signatures, because each was made with a different type of key.
        assert!(signatures.iter().filter(|signature| key.verifies(b"message", signature)).count() <= 1);
        assert!(!key.verifies(b"another message", &signatures[0]));
    });
}

#[test]
fn fuzz_jwks_urls() {
    let examples = ["https://issuer.example/jwks.json", "http://127.0.0.1:4566/keys", "http://[::1]/", "http://localhost/"];
    check!().with_type::<MutationPlan>().for_each(|plan| {
        let url = mutate(&examples, plan);
        if url.parse::<JwksUrl>().is_ok() {
            let lower = url.to_ascii_lowercase();
            assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{url}");
            assert!(
                lower.starts_with("https://") || ["127.", "[", "localhost"].iter().any(|host| lower[7..].starts_with(host)),
                "{url}"
            );
        }
    });
}
