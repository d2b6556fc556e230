//! The token issuer of local stacks: a key pair in the checkout, its JWK Set, and the tokens signed with it.
//!
//! On AWS an identity provider does this: Cognito, Auth0, Clerk, Supabase. `authorize` only sees a JWK Set.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::signing_key::SigningKey;

/// The `iss` of every token minted here: the template's `JwtIssuer` in samconfig.toml's `local` section.
pub const ISSUER: &str = "https://issuer.ferrite.local";
/// The `aud` of every token minted here: the template's `JwtAudience` in samconfig.toml's `local` section.
pub const AUDIENCE: &str = "ferrite";

const KEY_FILE: &str = "issuer-es256.pk8";

/// Why the issuer could not be opened or could not sign.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key's file or its folder could not be read or written.
    #[error("cannot use the issuer's key in {}", path.display())]
    KeyFile {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is there and holds no ES256 key.
    #[error("{} is not an ES256 key in PKCS #8 form: delete it, and a new one is made", .0.display())]
    NotAKey(PathBuf),
    /// No random numbers were to be had for a new key.
    #[error("a new key could not be generated")]
    Generate,
}

/// An ES256 key pair and the tokens it signs.
pub struct Issuer {
    key: SigningKey,
}

impl fmt::Debug for Issuer {
    /// Names the key and does not show it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Issuer").field("key_id", &self.key.id()).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Opens the issuer whose key lies in `folder`; the first time, generates the key (mode 0600).
    ///
    /// Several processes may do so at once: all end up with the same key.
    ///
    /// # Errors
    /// When the key's file cannot be read or written, or does not hold an ES256 key.
    pub fn open(folder: &Path) -> Result<Self, IssuerError> {
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            generate_key(folder, &path)?;
        }
        let pkcs8 = fs::read(&path).map_err(key_file(&path))?;
        let key = SigningKey::es256_from_pkcs8(&pkcs8).ok_or(IssuerError::NotAKey(path))?;
        Ok(Self { key })
    }

    /// The JWK Set (RFC 7517) with this issuer's public key.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({"keys": [self.jwk()]}).to_string()
    }

    /// A token for `subject` with `scopes`, valid from now for `lifetime`.
    #[must_use]
    pub fn mint(&self, subject: &str, scopes: &[&str], lifetime: Duration) -> String {
        let now = unix_now();
        self.sign(&json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "scope": scopes.join(" "),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime.as_secs(),
        }))
    }

    /// A token with exactly these claims, for tests of tokens that must be rejected.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.key.token(claims)
    }

    /// A token with exactly this header and these claims, for tests of tokens that must be rejected.
    #[must_use]
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        self.key.token_with(header, claims)
    }

    /// The public key, as in [`Self::jwks`].
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = self.key.jwk();
        (jwk["use"], jwk["alg"]) = (json!("sig"), json!("ES256"));
        jwk
    }
}

/// Now, in whole seconds since 1970: the unit of a token's `exp`, `nbf` and `iat`.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn generate_key(folder: &Path, path: &Path) -> Result<(), IssuerError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| IssuerError::Generate)?;
    fs::create_dir_all(folder).map_err(key_file(folder))?;
    // Written aside and linked into place: a reader never sees half a key, and of two writers the first wins.
    let draft = folder.join(format!("{KEY_FILE}.{}", std::process::id()));
    let written = write_private(&draft, pkcs8.as_ref()).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = fs::remove_file(&draft);
    written.map_err(key_file(path))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

fn key_file(path: &Path) -> impl FnOnce(io::Error) -> IssuerError + use<> {
    let path = path.to_owned();
    |source| IssuerError::KeyFile { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ferrite-issuer-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_token_verifies_against_the_jwks_and_carries_its_claims() {
        let folder = folder("verifies");
        let issuer = Issuer::open(&folder).unwrap();
        let token = issuer.mint("cus_1", &["products:write", "other"], Duration::from_secs(60));

        let keys: JwkSet = serde_json::from_str(&issuer.jwks()).unwrap();
        let key_id = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&key_id).unwrap()).unwrap();
        let mut expected = Validation::new(Algorithm::ES256);
        expected.set_issuer(&[ISSUER]);
        expected.set_audience(&[AUDIENCE]);
        expected.validate_nbf = true;
        let claims = jsonwebtoken::decode::<Value>(&token, &key, &expected).unwrap().claims;
        assert_eq!(claims["sub"], "cus_1");
        assert_eq!(claims["scope"], "products:write other");
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = folder("once");
        let first = Issuer::open(&folder).unwrap().jwks();
        assert_eq!(Issuer::open(&folder).unwrap().jwks(), first);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().flatten().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = files[0].metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = folder("garbage");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(KEY_FILE), "not a key").unwrap();
        let error = Issuer::open(&folder).err().unwrap().to_string();
        assert!(error.contains(KEY_FILE), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
