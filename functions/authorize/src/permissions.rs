//! Scopes of a token: which claim grants them, and how its values are translated.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// The configuration of the permissions.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    /// The only claim that grants scopes.
    pub(crate) claim: PermissionsClaim,
    /// The scopes that the values of the claim grant. If absent, each value is a scope.
    pub(crate) scopes: Option<ScopeMap>,
}

impl Permissions {
    /// Returns the scopes that `claims` grant, separated by single spaces.
    ///
    /// The value of the claim is a string with values separated by spaces, or an array with one value per entry. A claim
    /// or entry of another type grants nothing.
    pub(crate) fn granted(&self, claims: &Value) -> String {
        let values: Vec<&str> = match claims.pointer(&self.claim.0) {
            Some(Value::String(values)) => values.split(' ').collect(),
            Some(Value::Array(entries)) => entries.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let granted: Vec<&str> = match &self.scopes {
            Some(map) => values.into_iter().flat_map(|value| map.scopes_of(value)).collect(),
            // Without this check, an array entry with a space could grant two scopes.
            None => values.into_iter().filter(|value| is_scope(value)).collect(),
        };
        granted.join(" ")
    }
}

/// Whether `text` is a scope-token (RFC 6749, section 3.3).
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// A claim as a JSON Pointer (RFC 6901).
///
/// It is configured as the name of a top-level claim, or as a pointer to a nested claim. A name with a dot must be a URL,
/// because it is not clear whether `app_metadata.roles` means a nested claim. The pattern of the parameter
/// `JwtPermissionsClaim` in template.yaml accepts the same values.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PermissionsClaim(String);

impl Default for PermissionsClaim {
    /// The claim `scope` of RFC 9068, section 2.2.3.
    fn default() -> Self {
        Self("/scope".to_owned())
    }
}

/// The text does not identify a claim.
#[derive(Debug, Error)]
#[error(
    "it must be the name of a claim, such as scope or https://api.example/roles, or a JSON Pointer to a nested claim, such as /app_metadata/roles"
)]
pub(crate) struct InvalidClaim;

impl TryFrom<String> for PermissionsClaim {
    type Error = InvalidClaim;

    fn try_from(text: String) -> Result<Self, InvalidClaim> {
        if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(InvalidClaim);
        }
        if let Some(pointer) = text.strip_prefix('/') {
            return if pointer.split('/').all(is_reference_token) { Ok(Self(text)) } else { Err(InvalidClaim) };
        }
        let is_url = ["https://", "http://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
        let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte));
        if is_url || is_name {
            Ok(Self(format!("/{}", text.replace('~', "~0").replace('/', "~1"))))
        } else {
            Err(InvalidClaim)
        }
    }
}

/// Whether `token` is a reference-token of a JSON Pointer and not empty: `~` occurs only in `~0` and `~1`.
fn is_reference_token(token: &str) -> bool {
    !token.is_empty() && token.split('~').skip(1).all(|after| after.starts_with(['0', '1']))
}

/// The scopes that each value of the permissions claim grants, as `value=scope` pairs separated by commas. A value that is
/// not in the list grants nothing.
///
/// The pattern of the parameter `JwtScopes` in template.yaml accepts the same values.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ScopeMap(Vec<(String, String)>);

/// The text is not a list of pairs.
#[derive(Debug, Error)]
#[error("it must be a list of value=scope pairs separated by commas, such as admin=notes:write")]
pub(crate) struct InvalidScopeMap;

impl TryFrom<String> for ScopeMap {
    type Error = InvalidScopeMap;

    fn try_from(text: String) -> Result<Self, InvalidScopeMap> {
        let pair = |pair: &str| {
            let (value, scope) = pair.split_once('=').ok_or(InvalidScopeMap)?;
            // Spaces around a value are probably a mistake. Spaces inside are allowed, because names of roles contain them.
            let is_value = !value.is_empty() && value.trim() == value && !value.contains(char::is_control);
            // A second `=` could belong to the value or to the scope.
            let is_valid = is_value && is_scope(scope) && !scope.contains('=');
            is_valid.then(|| (value.to_owned(), scope.to_owned())).ok_or(InvalidScopeMap)
        };
        text.split(',').map(pair).collect::<Result<_, _>>().map(Self)
    }
}

impl ScopeMap {
    fn scopes_of<'s>(&'s self, granted: &str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(value, _)| value == granted).map(|(_, scope)| scope.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn permissions(claim: &str, scopes: &str) -> Permissions {
        Permissions {
            claim: claim.to_owned().try_into().unwrap(),
            scopes: (!scopes.is_empty()).then(|| scopes.to_owned().try_into().unwrap()),
        }
    }

    #[test]
    fn only_the_configured_claim_grants_scopes() {
        let claims = json!({
            "scope": "openid notes:read",
            "scp": ["notes:admin"],
            "permissions": ["notes:write"],
            "cognito:groups": ["editors"],
            "https://api.example/roles": ["owner"],
            "a~b": "tilde",
            "app_metadata": { "roles": ["admin"], "level/1": "top" },
        });
        for (claim, granted) in [
            ("scope", "openid notes:read"),
            ("scp", "notes:admin"),
            ("permissions", "notes:write"),
            ("cognito:groups", "editors"),
            ("https://api.example/roles", "owner"),
            ("/https:~1~1api.example~1roles", "owner"),
            ("/a~0b", "tilde"),
            ("/app_metadata/roles", "admin"),
            ("/app_metadata/level~11", "top"),
            ("/app_metadata/missing", ""),
            ("missing", ""),
        ] {
            assert_eq!(permissions(claim, "").granted(&claims), granted, "{claim}");
        }
        assert_eq!(Permissions::default().granted(&claims), "openid notes:read");
    }

    #[test]
    fn values_of_another_type_grant_nothing() {
        for (value, granted) in [
            (json!("a  b "), "a b"),
            (json!(["a", "b"]), "a b"),
            (json!(["a notes:write", "", "b\n", "\"c", "d"]), "d"),
            (json!("a\nnotes:write b"), "b"),
            (json!(["a", 7, null, ["b"], { "c": "d" }, true]), "a"),
            (json!(7), ""),
            (json!(true), ""),
            (json!(null), ""),
            (json!({ "notes:write": true }), ""),
            (json!({ "0": "notes:write" }), ""),
            (json!([]), ""),
            (json!(""), ""),
        ] {
            assert_eq!(permissions("scope", "").granted(&json!({ "scope": value })), granted, "{value}");
        }
        for claims in [json!([{ "scope": "a" }]), json!("scope"), json!(null)] {
            assert_eq!(permissions("scope", "").granted(&claims), "");
        }
    }

    #[test]
    fn a_scope_map_grants_only_the_scopes_in_it() {
        let map = "admin=notes:write,https://api.example/notes:read=notes:read,Site Owner=notes:write,admin=notes:read";
        for (value, granted) in [
            (json!(["admin"]), "notes:write notes:read"),
            (json!("other admin"), "notes:write notes:read"),
            (json!(["https://api.example/notes:read"]), "notes:read"),
            (json!(["Site Owner"]), "notes:write"),
            (json!("Site Owner"), ""),
            (json!(["notes:write", "Admin", "admin ", "admin=notes:write", "site Owner"]), ""),
        ] {
            assert_eq!(permissions("roles", map).granted(&json!({ "roles": value })), granted, "{value}");
        }
    }

    #[test]
    fn rejects_claims_that_are_ambiguous_or_invalid() {
        for claim in
            ["", "app_metadata.roles", "scope permissions", "a/b", "/", "/a/", "//a", "/a~", "/a~2b", "https://", "a\n", "é"]
        {
            assert!(PermissionsClaim::try_from(claim.to_owned()).is_err(), "{claim}");
        }
    }

    #[test]
    fn rejects_invalid_scope_maps() {
        for map in ["admin", "=a", "a=", "a=b=c", "a=b,", ",a=b", " a=b", "a =b", "a= b", "a=b c", "a=\"b\"", "a\n=b"] {
            assert!(ScopeMap::try_from(map.to_owned()).is_err(), "{map}");
        }
    }
}
