//! JWK Sets (RFC 7517). Supported keys: RSA and P-256 (RFC 7518), Ed25519 (RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

const MIN_RSA_BITS: usize = 2048;

/// The supported keys of a JWK Set.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Key>);

/// The document is not a JWK Set.
#[derive(Debug, Error)]
#[error("not a JWK Set")]
pub(crate) struct InvalidJwks(#[from] serde_json::Error);

impl KeySet {
    /// Parses a JWK Set. Keys that are malformed, too weak, or of an unsupported type or use are ignored (RFC 7517,
    /// section 5). The set may therefore be empty; it then verifies no signature.
    ///
    /// # Errors
    /// Returns an error if the document is not JSON or has no array `keys`.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, InvalidJwks> {
        #[derive(Deserialize)]
        struct JwkSet {
            keys: Vec<Value>,
        }
        let set: JwkSet = ferrite_core::json::from_slice(json)?;
        let supported_key = |jwk: Value| Jwk::deserialize(jwk).ok()?.into_key();
        Ok(Self(set.keys.into_iter().filter_map(supported_key).collect()))
    }

    /// The keys with the id `id`. RFC 7517, section 4.5, allows keys of several types to have the same id.
    pub(crate) fn with_id(&self, id: &str) -> Vec<&Key> {
        self.0.iter().filter(|key| key.id.as_deref() == Some(id)).collect()
    }

    /// The key of a set with exactly one key, which is the key of a token without a `kid`.
    pub(crate) fn single_key(&self) -> Option<&Key> {
        match self.0.as_slice() {
            [key] => Some(key),
            _ => None,
        }
    }
}

/// A public key for one algorithm.
#[derive(Debug)]
pub(crate) struct Key {
    id: Option<String>,
    public: PublicKey,
}

#[derive(Debug)]
enum PublicKey {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// The uncompressed point (SEC 1, section 2.3.3): 0x04, x, y.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Key {
    /// Returns whether `alg` is a name of the algorithm of this key's signatures. RFC 9864 deprecates `EdDSA` in favor of
    /// `Ed25519`. For an Ed25519 key, both names mean the same algorithm.
    pub(crate) fn is_for(&self, alg: &str) -> bool {
        match self.public {
            PublicKey::Rsa(_) => alg == "RS256",
            PublicKey::P256(_) => alg == "ES256",
            PublicKey::Ed25519(_) => matches!(alg, "Ed25519" | "EdDSA"),
        }
    }

    /// Returns whether `signature` is a valid signature of `message` by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            PublicKey::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            PublicKey::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            PublicKey::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
        }
        .is_ok()
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn into_key(self) -> Option<Key> {
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", None) => {
                PublicKey::Rsa(RsaPublicKeyComponents { n: modulus(&self.n?)?, e: unsigned_integer(&self.e?)? })
            }
            ("EC", Some("P-256")) => {
                PublicKey::P256([&[4], octets(&self.x?)?.as_slice(), octets(&self.y?)?.as_slice()].concat())
            }
            ("OKP", Some("Ed25519")) => PublicKey::Ed25519(octets(&self.x?)?),
            _ => return None,
        };
        let key = Key { id: self.kid, public };
        let is_for_signatures = self.usage.is_none_or(|usage| usage == "sig")
            && self.key_ops.is_none_or(|ops| ops.iter().any(|op| op == "verify"))
            && self.alg.is_none_or(|alg| key.is_for(&alg));
        is_for_signatures.then_some(key)
    }
}

/// Decodes a `Base64urlUInt` (RFC 7518, section 2). Strips leading zeros, which some issuers write and ring rejects.
fn unsigned_integer(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

fn modulus(text: &str) -> Option<Vec<u8>> {
    let bytes = unsigned_integer(text)?;
    let bits = bytes.len() * 8 - bytes.first()?.leading_zeros() as usize;
    (bits >= MIN_RSA_BITS).then_some(bytes)
}

/// Decodes a coordinate or key of 32 octets, the length for both supported curves.
fn octets(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use ferrite_token_issuer::signing_key::SigningKey;

    fn only_key(jwk: &Value) -> Option<Key> {
        let mut keys = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap().0;
        keys.pop()
    }

    /// `jwk` with `member` set to `value`.
    fn with(mut jwk: Value, member: &str, value: Value) -> Value {
        jwk[member] = value;
        jwk
    }

    fn verifies(jwk: &Value, signed: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        only_key(jwk).unwrap().verifies(signed.as_bytes(), &signature)
    }

    #[test]
    fn rfc_7515_a_2_rs256() {
        let jwk = SigningKey::rs256("a").jwk();
        let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        assert!(verifies(&jwk, signed, signature));
    }

    #[test]
    fn rfc_7515_a_3_es256() {
        let jwk = json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        assert!(verifies(&jwk, signed, signature));
    }

    #[test]
    fn rfc_8037_a_4_eddsa() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert!(verifies(&jwk, signed, signature));
    }

    #[test]
    fn ignores_unsupported_keys_in_a_set() {
        let keys = json!({ "keys": [
            { "kty": "oct", "kid": "a", "k": "c2VjcmV0" },
            { "kty": 7 },
            "not an object",
            SigningKey::es256("a").jwk(),
        ] });
        let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap();
        assert!(keys.with_id("a").iter().all(|key| key.is_for("ES256")) && keys.with_id("a").len() == 1);
    }

    #[test]
    fn ignores_keys_for_another_use() {
        let rsa = || SigningKey::rs256("a").jwk();
        let ec = || SigningKey::es256("a").jwk();
        for (case, jwk) in [
            ("encryption", with(rsa(), "use", json!("enc"))),
            ("signing only", with(rsa(), "key_ops", json!(["sign"]))),
            ("another algorithm of its type", with(rsa(), "alg", json!("PS256"))),
            ("an HMAC algorithm", with(rsa(), "alg", json!("HS256"))),
            ("another curve", with(ec(), "crv", json!("P-384"))),
            ("another curve of RFC 9864", with(SigningKey::eddsa("a").jwk(), "alg", json!("Ed448"))),
            ("key agreement", with(SigningKey::eddsa("a").jwk(), "crv", json!("X25519"))),
        ] {
            assert!(only_key(&jwk).is_none(), "{case}");
        }
        assert!(only_key(&with(rsa(), "key_ops", json!(["verify"]))).is_some());
    }

    #[test]
    fn ignores_malformed_keys() {
        let rsa = || SigningKey::rs256("a").jwk();
        let ec = || SigningKey::es256("a").jwk();
        for (case, jwk) in [
            ("no modulus", with(rsa(), "n", Value::Null)),
            ("an exponent of zero", with(rsa(), "e", json!("AA"))),
            ("padding", with(rsa(), "e", json!("AQ=="))),
            ("a short coordinate", with(ec(), "x", json!("AQAB"))),
            ("no coordinate", with(ec(), "y", Value::Null)),
        ] {
            assert!(only_key(&jwk).is_none(), "{case}");
        }
    }

    #[test]
    fn ignores_rsa_keys_under_2048_bits() {
        let modulus = |first: u8, bytes: usize| {
            let mut n = vec![0xff; bytes];
            n[0] = first;
            with(SigningKey::rs256("a").jwk(), "n", json!(URL_SAFE_NO_PAD.encode(n)))
        };
        assert!(only_key(&modulus(0x80, 256)).is_some());
        assert!(only_key(&modulus(0x7f, 256)).is_none());
        assert!(only_key(&modulus(0xff, 128)).is_none());
        assert!(only_key(&modulus(0x00, 256)).is_none());
    }

    #[test]
    fn accepts_a_modulus_with_leading_zeros() {
        let signer = SigningKey::rs256("a");
        let jwk = signer.jwk();
        let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
        let key = only_key(&with(jwk, "n", json!(URL_SAFE_NO_PAD.encode([vec![0], n].concat())))).unwrap();
        assert!(key.verifies(b"message", &signer.sign(b"message")));
    }

    #[test]
    fn rejects_documents_that_are_not_a_jwk_set() {
        for document in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
        }
    }
}
