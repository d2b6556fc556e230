//! Claims of the tokens that common identity providers issue, for tests. They have the shape that each provider's
//! documentation describes. The tokens are valid from `now`, in seconds since the Unix epoch.

use serde_json::{Value, json};

/// Returns the claims of a Cognito access token: no `aud`, the app client in `client_id`, and custom scopes with the
/// identifier of their resource server as a prefix.
#[must_use]
pub fn cognito_access_token(issuer: &str, client: &str, scope: &str, groups: &[&str], now: u64) -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "device_key": "eu-west-1_aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "cognito:groups": groups,
        "iss": issuer,
        "version": 2,
        "client_id": client,
        "origin_jti": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee1",
        "event_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee2",
        "token_use": "access",
        "scope": scope,
        "auth_time": now,
        "iat": now,
        "exp": now + 3_600,
        "jti": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee3",
        "username": "ada",
    })
}

/// Returns the claims of a Cognito ID token: the app client in `aud`, and no scopes.
#[must_use]
pub fn cognito_id_token(issuer: &str, client: &str, groups: &[&str], now: u64) -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "cognito:groups": groups,
        "email_verified": true,
        "cognito:preferred_role": "arn:aws:iam::111122223333:role/example",
        "iss": issuer,
        "cognito:username": "ada",
        "nonce": "example",
        "origin_jti": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee1",
        "cognito:roles": ["arn:aws:iam::111122223333:role/example"],
        "aud": client,
        "identities": [{ "userId": "amzn1.example", "providerName": "LoginWithAmazon", "primary": "true" }],
        "event_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee2",
        "token_use": "id",
        "auth_time": now,
        "exp": now + 3_600,
        "iat": now,
        "jti": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee4",
        "email": "ada@example.com",
    })
}

/// Returns the claims of an Auth0 access token for an API with RBAC and "Add Permissions in the Access Token": an array in
/// `aud`, which also contains the `/userinfo` endpoint, the application in `azp`, and the user's permissions.
#[must_use]
pub fn auth0_access_token(issuer: &str, audience: &str, scope: &str, permissions: &[&str], now: u64) -> Value {
    json!({
        "iss": issuer,
        "sub": "auth0|507f1f77bcf86cd799439011",
        "aud": [audience, format!("{issuer}userinfo")],
        "iat": now,
        "exp": now + 86_400,
        "azp": "my_client_id",
        "scope": scope,
        "permissions": permissions,
    })
}

/// Returns the claims of a Clerk session token (version 2) that is customized with the claim `metadata`: no `aud`, and the
/// origin of the page in `azp`.
#[must_use]
pub fn clerk_session_token(issuer: &str, origin: &str, metadata: &Value, now: u64) -> Value {
    json!({
        "azp": origin,
        "exp": now + 60,
        "fva": [7, -1],
        "iat": now,
        "iss": issuer,
        "jti": "a1b2c3d4e5f6a7b8c9d0",
        "metadata": metadata,
        "nbf": now - 10,
        "o": { "id": "org_123", "rol": "admin", "slg": "org-slug", "per": "read,manage", "fpm": "3,2" },
        "fea": "o:dashboard,o:teams",
        "pla": "u:free,o:pro",
        "sid": "sess_123",
        "sts": "active",
        "sub": "user_123",
        "v": 2,
    })
}

/// Returns the claims of a Supabase access token: the role of the database in `role`, and the roles of the application, which
/// users cannot change, in `app_metadata`.
#[must_use]
pub fn supabase_access_token(issuer: &str, role: &str, roles: &[&str], now: u64) -> Value {
    json!({
        "aal": "aal1",
        "amr": [{ "method": "password", "timestamp": now }],
        "app_metadata": { "provider": "email", "providers": ["email"], "roles": roles },
        "aud": role,
        "email": "ada@example.com",
        "exp": now + 3_600,
        "iat": now,
        "is_anonymous": false,
        "iss": issuer,
        "phone": "",
        "role": role,
        "session_id": "123e4567-e89b-42d3-a456-426614174000",
        "sub": "123e4567-e89b-42d3-a456-426614174001",
        "user_metadata": { "name": "Ada", "roles": ["admin"] },
    })
}
