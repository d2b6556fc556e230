//! The token issuer of local stacks: a key pair in the checkout, its JWK Set, and the tokens signed with it.
//!
//! On AWS, an identity provider such as Cognito, Auth0, Clerk or Supabase has this role. `authorize` needs only its JWK
//! Set.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::signing_key::SigningKey;

/// The `iss` claim of the tokens. It equals the parameter `JwtIssuer` in the `local` section of samconfig.toml.
pub const ISSUER: &str = "https://issuer.ferrite.local";
/// The `aud` claim of the tokens. It equals the parameter `JwtAudience` in the `local` section of samconfig.toml.
pub const AUDIENCE: &str = "ferrite";

const KEY_FILE: &str = "issuer-es256.pk8";

/// Error returned when the issuer's key cannot be loaded or created.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key file or its folder could not be read or written.
    #[error("cannot read or write the issuer's key in {}", path.display())]
    KeyFile {
        /// Path of the file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The key file does not contain an ES256 key.
    #[error("{} does not contain an ES256 key in PKCS #8 format; delete the file to generate a new key", .0.display())]
    InvalidKey(PathBuf),
    /// The system's random number generator failed.
    #[error("cannot generate a new key")]
    KeyGeneration,
}

/// A token issuer with an ES256 key pair.
pub struct Issuer {
    key: SigningKey,
}

impl fmt::Debug for Issuer {
    /// Shows the ID of the key but not the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Issuer").field("key_id", &self.key.id()).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Opens the issuer whose key is in `folder`. If there is no key yet, generates one and stores it with file mode
    /// 0600.
    ///
    /// Several processes can call this at the same time, and all of them get the same key.
    ///
    /// # Errors
    /// Returns an error if the key file cannot be read or written, or does not contain an ES256 key.
    pub fn open(folder: &Path) -> Result<Self, IssuerError> {
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            generate_key(folder, &path)?;
        }
        let pkcs8 = fs::read(&path).map_err(key_file(&path))?;
        let key = SigningKey::es256_from_pkcs8(&pkcs8).ok_or(IssuerError::InvalidKey(path))?;
        Ok(Self { key })
    }

    /// Returns the JWK Set (RFC 7517) with this issuer's public key.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({"keys": [self.jwk()]}).to_string()
    }

    /// Mints a token for `subject` with `scopes`, which is valid from now for `lifetime`.
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

    /// Signs a token with exactly these claims, for tests of tokens that must be rejected.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.key.token(claims)
    }

    /// Signs a token with exactly this header and these claims, for tests of tokens that must be rejected.
    #[must_use]
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        self.key.token_with(header, claims)
    }

    /// Returns the public key as a JWK, as it appears in [`Self::jwks`].
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = self.key.jwk();
        jwk["use"] = json!("sig");
        jwk["alg"] = json!("ES256");
        jwk
    }
}

/// Returns the current time in seconds since the Unix epoch, the format of the claims `exp`, `nbf` and `iat`.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn generate_key(folder: &Path, path: &Path) -> Result<(), IssuerError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| IssuerError::KeyGeneration)?;
    fs::create_dir_all(folder).map_err(key_file(folder))?;
    // Write a temporary file and link it to its final path, which is atomic: readers never get a partial key, and the
    // first of several writers wins.
    let temporary = folder.join(format!("{KEY_FILE}.{}", std::process::id()));
    let result = write_private(&temporary, pkcs8.as_ref()).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = fs::remove_file(&temporary);
    result.map_err(key_file(path))
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
    fn mints_tokens_that_verify_against_the_jwk_set() {
        let folder = folder("verifies");
        let issuer = Issuer::open(&folder).unwrap();
        let token = issuer.mint("user_1", &["items:write", "other"], Duration::from_secs(60));

        let keys: JwkSet = serde_json::from_str(&issuer.jwks()).unwrap();
        let key_id = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&key_id).unwrap()).unwrap();
        let mut expected = Validation::new(Algorithm::ES256);
        expected.set_issuer(&[ISSUER]);
        expected.set_audience(&[AUDIENCE]);
        expected.validate_nbf = true;
        let claims = jsonwebtoken::decode::<Value>(&token, &key, &expected).unwrap().claims;
        assert_eq!(claims["sub"], "user_1");
        assert_eq!(claims["scope"], "items:write other");
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn generates_the_key_once_and_makes_it_readable_by_the_owner_only() {
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
    fn error_names_a_file_that_does_not_contain_a_key() {
        let folder = folder("invalid");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(KEY_FILE), "not a key").unwrap();
        let error = Issuer::open(&folder).err().unwrap().to_string();
        assert!(error.contains(KEY_FILE), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
