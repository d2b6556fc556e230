//! The functions of a stack, known by the keys that the emulator gives them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4::{SigningParams, signing_params::BuildError};
use http::request::Parts;
use http::{HeaderValue, Request, header};
use sha2::{Digest as _, Sha256};

use crate::call::Scope;

const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";

/// Which function has which access key.
#[derive(Debug, Clone, Default)]
pub struct Functions(BTreeMap<String, Function>);

/// A function, and what it signs with.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    secret_key: String,
}

impl Functions {
    /// With the function called `name` among them, which runs as `role_arn`. The keys are the ones that MiniStack
    /// derives from the two ARNs.
    pub fn insert(&mut self, name: &str, function_arn: &str, role_arn: &str) {
        let digest = hex_sha256(&format!("{function_arn}:{role_arn}"));
        let access_key = format!("ASIA{}", digest[..16].to_uppercase());
        let secret_key = hex_sha256(&format!("secret:{digest}"));
        self.0.insert(access_key, Function { name: name.to_owned(), secret_key });
    }

    /// Whoever signed a request.
    pub(crate) fn caller(&self, head: &Parts) -> Option<&Function> {
        self.0.get(Scope::of(&head.headers)?.access_key)
    }
}

fn hex_sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// It was not signed in the first place.
    #[error("the request has no signature")]
    Unsigned,
    /// It is not signed with Signature Version 4.
    #[error(transparent)]
    Parameters(#[from] BuildError),
    /// Something in it cannot be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl Function {
    /// The head of a request that is to have another `body`, signed at `time` as the function itself would ("Signature
    /// Version 4"): with its own keys, so that its role still decides.
    ///
    /// # Errors
    /// When the request was not signed, or cannot be.
    pub(crate) fn resign(&self, mut head: Parts, body: &[u8], time: SystemTime) -> Result<Parts, SignError> {
        let signed = head.headers.clone();
        let Scope { access_key, region, service } = Scope::of(&signed).ok_or(SignError::Unsigned)?;
        let token = signed.get(TOKEN).and_then(|token| token.to_str().ok());
        for stale in [header::AUTHORIZATION.as_str(), DATE, TOKEN] {
            head.headers.remove(stale);
        }
        Signer { access_key, secret_key: &self.secret_key, token, region, service }.sign(head, body, time)
    }
}

/// Who signs, and for what ("Signature Version 4").
pub(crate) struct Signer<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl Signer<'_> {
    /// The head of a request with `body`, signed at `time`. It has its `host` already.
    ///
    /// # Errors
    /// When something in it cannot be signed.
    pub(crate) fn sign(&self, mut head: Parts, body: &[u8], time: SystemTime) -> Result<Parts, SignError> {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        let token = self.token.map(str::to_owned);
        let identity = Credentials::new(self.access_key, self.secret_key, token, None, "chaos").into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(time)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        // Of the URL, only the path matters: the host that is signed is the header's.
        let url = format!("http://localhost{}", head.uri.path());
        let signable = SignableRequest::new(head.method.as_str(), url, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::from_parts(head, ());
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.into_parts().0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:relay-events";
    const ROLE: &str = "arn:aws:iam::000000000000:role/relay-events";

    fn signed_by(access_key: &str) -> Parts {
        let credential = format!("{access_key}/20261101/us-east-1/events/aws4_request");
        let request = Request::post("http://127.0.0.1:4566/")
            .header("host", "127.0.0.1:4567")
            .header("content-type", "application/x-amz-json-1.1")
            .header("content-length", "100")
            .header("x-amz-target", "AWSEvents.PutEvents")
            .header("x-amz-date", "20261101T000000Z")
            .header("x-amz-security-token", "a-session")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"));
        request.body(()).unwrap().into_parts().0
    }

    fn stack() -> Functions {
        let mut functions = Functions::default();
        functions.insert("relay-events", FUNCTION, ROLE);
        functions
    }

    #[test]
    fn a_function_is_known_by_the_key_that_ministack_gives_it() {
        let functions = stack();
        assert_eq!(functions.caller(&signed_by("ASIA5FEA4F669E564881")).unwrap().name, "relay-events");
        assert!(functions.caller(&signed_by("test")).is_none());
    }

    // hashlib and MiniStack's own `calculate_signature` gave the keys and the signature.
    #[test]
    fn another_body_is_signed_as_the_function_would() {
        let functions = stack();
        let head = signed_by("ASIA5FEA4F669E564881");
        let function = functions.caller(&head).unwrap();
        let head =
            function.resign(head.clone(), br#"{"Entries":[]}"#, UNIX_EPOCH + Duration::from_secs(1_793_534_400)).unwrap();
        let value = |name: &str| head.headers[name].to_str().unwrap();
        assert_eq!(value("content-length"), "14");
        assert_eq!(value("x-amz-security-token"), "a-session");
        assert_eq!(
            value("authorization"),
            "AWS4-HMAC-SHA256 Credential=ASIA5FEA4F669E564881/20261101/us-east-1/events/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=db106943eeff8038bb824224d9ba0e78fd8df296b0436893942ff18c82d3384b"
        );
    }
}
