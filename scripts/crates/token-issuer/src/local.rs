//! A token issuer for local stacks: one key pair in the checkout, its JWK Set, and the tokens signed with it.
//!
//! On AWS an identity provider (Cognito, Auth0, Clerk, Supabase …) does this. `authorize` treats both alike: it sees
//! a JWK Set and nothing else.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The `iss` of every token minted here: the template's `JwtIssuer` in samconfig.toml's `local` section.
pub const ISSUER: &str = "https://issuer.ferrite.local";
/// The `aud` of every token minted here: the template's `JwtAudience` in samconfig.toml's `local` section.
pub const AUDIENCE: &str = "ferrite";
/// The scope that makes a caller an admin.
pub const ADMIN_SCOPE: &str = "products:write";

const KEY_FILE: &str = "issuer-es256.pk8";

/// Why the issuer could not be opened or could not sign.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key's file or its folder could not be read or written.
    #[error("cannot use the issuer's key in {}: {source}", path.display())]
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
    /// The claims could not be signed.
    #[error("the token could not be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// An ES256 key pair and the tokens it signs.
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    jwk: Value,
}

impl fmt::Debug for Issuer {
    /// Names the key and does not show it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Issuer").field("key_id", &self.key_id).finish_non_exhaustive()
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
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new())
            .map_err(|_| IssuerError::NotAKey(path.clone()))?;
        // SEC 1, 2.3.3: an uncompressed point is 0x04, then x and y of 32 bytes each.
        let point = pair.public_key().as_ref();
        let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
            return Err(IssuerError::NotAKey(path));
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key_id = thumbprint(&x, &y);
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": key_id});
        Ok(Self { key: EncodingKey::from_ec_der(&pkcs8), key_id, jwk })
    }

    /// The JWK Set (RFC 7517) with this issuer's public key.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({"keys": [self.jwk]}).to_string()
    }

    /// A token for `subject` with `scopes`, valid from now for `lifetime`.
    ///
    /// # Errors
    /// When the claims cannot be signed.
    pub fn mint(&self, subject: &str, scopes: &[&str], lifetime: Duration) -> Result<String, IssuerError> {
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

    /// A token with exactly these claims: for tests of tokens that must be refused.
    ///
    /// # Errors
    /// When the claims cannot be signed.
    pub fn sign(&self, claims: &Value) -> Result<String, IssuerError> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.key_id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }

    /// The same, under a header that says whatever it likes: for tests of tokens that must be refused.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> Result<String, IssuerError> {
        let signed = unsigned(header, claims);
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256)?;
        Ok(format!("{signed}.{signature}"))
    }

    /// The public key, as in [`Self::jwks`].
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }
}

/// A token's header and claims as they are signed (RFC 7515, section 7.1), without a signature.
#[must_use]
pub fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
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

/// RFC 7638: the SHA-256 of the key's required members in lexicographic order.
fn thumbprint(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation};

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ferrite-issuer-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_token_verifies_against_the_jwks_and_carries_its_claims() {
        let folder = folder("verifies");
        let issuer = Issuer::open(&folder).unwrap();
        let token = issuer.mint("cus_1", &[ADMIN_SCOPE, "other"], Duration::from_secs(60)).unwrap();

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
