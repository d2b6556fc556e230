//! Tokens of the identity providers in infra/README.md, verified with the parameter values in its table. Words in capital
//! letters, such as `ADMIN_SCOPE`, are placeholders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ferrite_token_issuer::providers;
use ferrite_token_issuer::signing_key::{SigningKey, jwks};
use serde_json::{Value, json};

use super::*;
use crate::settings::Settings;

const NOW: u64 = 1_800_000_000;

/// One row of the table.
struct Provider {
    token: &'static str,
    issuer: &'static str,
    audience_claim: &'static str,
    audience: &'static str,
    permissions_claim: &'static str,
    /// Empty if values of the permissions claim are scopes.
    scopes: &'static str,
}

const COGNITO_ACCESS: Provider = Provider {
    token: "Cognito access token",
    issuer: "https://cognito-idp.REGION.amazonaws.com/POOL_ID",
    audience_claim: "client_id",
    audience: "CLIENT_ID",
    permissions_claim: "scope",
    scopes: "RESOURCE_SERVER/ADMIN_SCOPE=ADMIN_SCOPE",
};
const COGNITO_GROUPS: Provider = Provider {
    token: "Cognito access token, groups",
    permissions_claim: "cognito:groups",
    scopes: "admin=ADMIN_SCOPE",
    ..COGNITO_ACCESS
};
const COGNITO_ID: Provider = Provider { token: "Cognito ID token", audience_claim: "aud", ..COGNITO_GROUPS };
const AUTH0: Provider = Provider {
    token: "Auth0 access token with RBAC",
    issuer: "https://TENANT.auth0.com/",
    audience_claim: "aud",
    audience: "API_IDENTIFIER",
    permissions_claim: "permissions",
    scopes: "",
};
const CLERK: Provider = Provider {
    token: "Clerk session token",
    issuer: "https://clerk.DOMAIN",
    audience_claim: "azp",
    audience: "https://DOMAIN",
    permissions_claim: "/metadata/role",
    scopes: "admin=ADMIN_SCOPE",
};
const SUPABASE: Provider = Provider {
    token: "Supabase access token",
    issuer: "https://PROJECT.supabase.co/auth/v1",
    audience_claim: "aud",
    audience: "authenticated",
    permissions_claim: "/app_metadata/roles",
    scopes: "admin=ADMIN_SCOPE",
};

const PROVIDERS: [Provider; 6] = [COGNITO_ACCESS, COGNITO_GROUPS, COGNITO_ID, AUTH0, CLERK, SUPABASE];
const SCOPE: &str = "ADMIN_SCOPE";

fn repository_file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The variables of `Authorize` and the parameters of the stack that they get their values from.
fn variables_in_template() -> BTreeMap<String, String> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&repository_file("template.yaml")).unwrap();
    let variables = &template["Resources"]["Authorize"]["Properties"]["Environment"]["Variables"];
    let parameter = |value: &serde_yaml_ng::Value| match value {
        serde_yaml_ng::Value::Tagged(reference) => reference.value.as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let variables = variables.as_mapping().unwrap().iter();
    variables.map(|(name, value)| (name.as_str().unwrap().to_owned(), parameter(value))).collect()
}

impl Provider {
    fn parameters(&self) -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("JwtIssuer", self.issuer),
            ("JwtAudienceClaim", self.audience_claim),
            ("JwtAudience", self.audience),
            ("JwtPermissionsClaim", self.permissions_claim),
            ("JwtScopes", self.scopes),
            ("JwksUrl", "https://issuer.example/.well-known/jwks.json"),
        ])
    }

    /// The rules that `authorize` reads from its environment if a stack has the parameters of this row.
    fn rules(&self) -> TokenRules {
        let parameters = self.parameters();
        let variables = variables_in_template();
        let lookup = |name: &str| Some((*parameters.get(variables.get(name)?.as_str())?).to_owned());
        Settings::read(lookup).unwrap().token_rules
    }

    /// Verifies a token with these claims, in the shape and with the algorithm of the provider.
    fn verify(&self, claims: &Value) -> Result<Identity, Rejection> {
        let key = if self.issuer == SUPABASE.issuer { SigningKey::es256("a") } else { SigningKey::rs256("a") };
        let mut header = key.header();
        if self.issuer == COGNITO_ACCESS.issuer {
            header.as_object_mut().unwrap().remove("typ");
        }
        let keys = KeySet::parse(&jwks(&[&key])).unwrap();
        verify(&key.token_with(&header, claims), &keys, &self.rules(), NOW)
    }

    fn scope_of(&self, claims: &Value) -> String {
        self.verify(claims).unwrap_or_else(|error| panic!("{}: {error}", self.token)).scope
    }
}

/// `claims` with the claim `name` set to `value`.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn the_table_in_the_readme_has_the_tested_values() {
    let code = |text: &str| if text.is_empty() { "(empty)".to_owned() } else { format!("`{text}`") };
    let readme = repository_file("infra/README.md");
    let table: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| token |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let expected: Vec<String> = PROVIDERS
        .iter()
        .map(|row| {
            let values = [row.issuer, row.audience_claim, row.audience, row.permissions_claim, row.scopes].map(code);
            format!("| {} | {} |", row.token, values.join(" | "))
        })
        .collect();
    assert_eq!(table, expected);
}

#[test]
fn cognito_access_tokens() {
    let claims = |client, scope| providers::cognito_access_token(COGNITO_ACCESS.issuer, client, scope, &["admin"], NOW);
    let prefixed = "openid RESOURCE_SERVER/ADMIN_SCOPE";
    assert_eq!(COGNITO_ACCESS.scope_of(&claims("CLIENT_ID", prefixed)), SCOPE);
    for scope in ["openid", "ADMIN_SCOPE", "OTHER/ADMIN_SCOPE", "RESOURCE_SERVER/ADMIN_SCOPEX"] {
        assert_eq!(COGNITO_ACCESS.scope_of(&claims("CLIENT_ID", scope)), "", "{scope}");
    }
    assert_eq!(COGNITO_ACCESS.verify(&claims("OTHER_CLIENT", prefixed)), Err(Rejection::Audience));

    // With resource binding, `aud` is the URL of the API that the token was requested for.
    let bound = |api| with(claims("CLIENT_ID", prefixed), "aud", json!(api));
    assert_eq!(COGNITO_ACCESS.verify(&bound("https://other-api.example")), Err(Rejection::Audience));
    let by_audience = Provider { audience_claim: "aud", audience: "https://api.example", ..COGNITO_ACCESS };
    assert_eq!(by_audience.scope_of(&bound("https://api.example")), SCOPE);
}

#[test]
fn cognito_groups() {
    let claims = |groups: &[&str]| {
        providers::cognito_access_token(COGNITO_GROUPS.issuer, "CLIENT_ID", "RESOURCE_SERVER/ADMIN_SCOPE", groups, NOW)
    };
    assert_eq!(COGNITO_GROUPS.scope_of(&claims(&["users", "admin"])), SCOPE);
    assert_eq!(COGNITO_GROUPS.scope_of(&claims(&["users", "administrators"])), "");
    let mut without_groups = claims(&[]);
    without_groups.as_object_mut().unwrap().remove("cognito:groups");
    assert_eq!(COGNITO_GROUPS.scope_of(&without_groups), "");
}

#[test]
fn cognito_id_tokens() {
    let id_token = |client, groups: &[&str]| providers::cognito_id_token(COGNITO_ID.issuer, client, groups, NOW);
    assert_eq!(COGNITO_ID.scope_of(&id_token("CLIENT_ID", &["admin"])), SCOPE);
    assert_eq!(COGNITO_ID.scope_of(&id_token("CLIENT_ID", &["users"])), "");
    assert_eq!(COGNITO_ID.verify(&id_token("OTHER_CLIENT", &["admin"])), Err(Rejection::Audience));
}

#[test]
fn cognito_token_types_are_not_interchangeable() {
    let access = providers::cognito_access_token(COGNITO_ACCESS.issuer, "CLIENT_ID", "openid", &["admin"], NOW);
    let id = providers::cognito_id_token(COGNITO_ID.issuer, "CLIENT_ID", &["admin"], NOW);
    for access_token_provider in [COGNITO_ACCESS, COGNITO_GROUPS] {
        assert_eq!(access_token_provider.verify(&id), Err(Rejection::Audience));
    }
    assert_eq!(COGNITO_ID.verify(&access), Err(Rejection::Audience));
}

#[test]
fn auth0_access_tokens() {
    let claims = |audience, scope, permissions: &[&str]| {
        providers::auth0_access_token(AUTH0.issuer, audience, scope, permissions, NOW)
    };
    assert_eq!(AUTH0.scope_of(&claims("API_IDENTIFIER", "openid", &[SCOPE])), SCOPE);
    assert_eq!(AUTH0.scope_of(&claims("API_IDENTIFIER", "openid ADMIN_SCOPE", &[])), "");
    let without_permissions = with(claims("API_IDENTIFIER", SCOPE, &[]), "permissions", Value::Null);
    assert_eq!(AUTH0.scope_of(&without_permissions), "");
    assert_eq!(AUTH0.verify(&claims("OTHER_API", "openid", &[SCOPE])), Err(Rejection::Audience));
    // The audience of an ID token is the application.
    let id_token = with(claims("API_IDENTIFIER", "openid", &[SCOPE]), "aud", json!("my_client_id"));
    assert_eq!(AUTH0.verify(&id_token), Err(Rejection::Audience));
}

#[test]
fn clerk_session_tokens() {
    let claims = |origin, metadata| providers::clerk_session_token(CLERK.issuer, origin, &metadata, NOW);
    assert_eq!(CLERK.scope_of(&claims("https://DOMAIN", json!({ "role": "admin" }))), SCOPE);
    // The user is an administrator of an organization, which any user may be able to create.
    for metadata in [json!({}), json!({ "role": "member" }), json!({ "role": null }), json!("admin"), Value::Null] {
        assert_eq!(CLERK.scope_of(&claims("https://DOMAIN", metadata.clone())), "", "{metadata}");
    }
    let valid = || claims("https://DOMAIN", json!({ "role": "admin" }));
    for origin in ["https://other.example", "https://DOMAIN.other.example", "https://DOMAIN/", "http://DOMAIN", ""] {
        assert_eq!(CLERK.verify(&with(valid(), "azp", json!(origin))), Err(Rejection::Audience), "{origin}");
    }
    assert_eq!(CLERK.verify(&with(valid(), "azp", Value::Null)), Err(Rejection::Audience));
    // A token from a JWT template for another service has the same `azp`.
    assert_eq!(CLERK.verify(&with(valid(), "aud", json!("another service"))), Err(Rejection::Audience));
    assert_eq!(CLERK.verify(&with(valid(), "sts", json!("pending"))), Err(Rejection::PendingSession));

    let two_origins = Provider { audience: "https://DOMAIN,https://www.DOMAIN", ..CLERK };
    assert_eq!(two_origins.scope_of(&claims("https://www.DOMAIN", json!({ "role": "admin" }))), SCOPE);
}

#[test]
fn supabase_access_tokens() {
    let claims = |role, roles: &[&str]| providers::supabase_access_token(SUPABASE.issuer, role, roles, NOW);
    assert_eq!(SUPABASE.scope_of(&claims("authenticated", &["admin"])), SCOPE);
    // Users can change `user_metadata`, which contains the role in these claims.
    assert_eq!(SUPABASE.scope_of(&claims("authenticated", &[])), "");
    assert_eq!(SUPABASE.verify(&claims("anon", &["admin"])), Err(Rejection::Audience));
    // The keys of a project have neither `aud` nor `sub`.
    for role in ["anon", "service_role"] {
        let api_key = json!({ "iss": SUPABASE.issuer, "ref": "PROJECT", "role": role, "iat": NOW, "exp": NOW + 300 });
        assert_eq!(SUPABASE.verify(&api_key), Err(Rejection::Audience), "{role}");
    }

    let by_role = Provider { permissions_claim: "role", scopes: "service_role=ADMIN_SCOPE", ..SUPABASE };
    for (role, scope) in [("service_role", SCOPE), ("authenticated", ""), ("anon", "")] {
        let token = with(claims(role, &["admin"]), "aud", json!("authenticated"));
        assert_eq!(by_role.scope_of(&token), scope, "{role}");
    }
}

/// CloudFormation rejects most invalid values before it deploys the function.
#[test]
fn parameter_patterns_accept_the_same_values_as_the_function() {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&repository_file("template.yaml")).unwrap();
    let variables = variables_in_template();
    let matches = |variable: &str, value: &str| {
        let parameter = &template["Parameters"][variables[variable].as_str()];
        let schema = match parameter["AllowedPattern"].as_str() {
            Some(pattern) => json!({ "pattern": format!("^(?:{pattern})$") }),
            None => json!({ "enum": serde_json::to_value(&parameter["AllowedValues"]).unwrap() }),
        };
        jsonschema::is_valid(&schema, &json!(value))
    };
    for (variable, valid, invalid) in [
        ("JWT_AUDIENCE", vec!["a", "a b", "https://a.example,b"], vec![",", "a,", ",a", "a,,b", " a", "a, b", "a "]),
        ("JWT_AUDIENCE_CLAIM", vec!["aud", "client_id", "azp"], vec!["sub", "AUD", "aud,azp"]),
        (
            "JWT_PERMISSIONS_CLAIM",
            vec!["scope", "cognito:groups", "https://a.example/roles", "https://a.example/~", "/a/b", "/a~0b~1c.d/0"],
            vec!["a.b", "a b", "a/b", "/", "/a/", "//a", "/a~", "/a~2", "/a b", "https://", "a,b", "é"],
        ),
        (
            "JWT_SCOPES",
            vec!["a=b", "a=b,c=d", "Site Owner=b", "https://a.example/b=c:d", "é=b", "a=!#+-.<>[]~"],
            vec!["a", "=b", "a=", "a=b,", ",a=b", "a=b=c", " a=b", "a =b", "a= b", "a=b c", "a=\"", "a=\\", "a=é", "a\nb=c"],
        ),
    ] {
        let all = valid.iter().map(|value| (value, true)).chain(invalid.iter().map(|value| (value, false)));
        for (value, is_valid) in all {
            let lookup = |name: &str| match name {
                _ if name == variable => Some((*value).to_owned()),
                "JWKS_PARAMETER" | "JWT_ISSUER" | "JWT_AUDIENCE" => Some("a".to_owned()),
                _ => None,
            };
            assert_eq!(Settings::read(lookup).is_ok(), is_valid, "{variable}: {value:?}");
            assert_eq!(matches(variable, value), is_valid, "{}: {value:?}", variables[variable]);
        }
    }
    for provider in PROVIDERS {
        let parameters = provider.parameters();
        for (variable, parameter) in variables.iter().filter(|(name, _)| name.starts_with("JWT_")) {
            assert!(parameter == "JwtIssuer" || matches(variable, parameters[parameter.as_str()]), "{parameter}");
        }
    }
}
