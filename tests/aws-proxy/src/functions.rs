//! Identifies the functions of a stack by the access keys that MiniStack assigns to them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use ferrite_aws_client::function_keys::FunctionKeys;
use ferrite_aws_client::signer::{SignError, Signer};
use http::header;
use http::request::Parts;

use crate::call::Scope;

const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";

/// The functions of a stack by access key ID.
#[derive(Debug, Clone, Default)]
pub struct Functions(BTreeMap<String, Function>);

/// A function, with the keys that it signs requests with.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name of the function.
    pub name: String,
    pub(crate) partition: String,
    pub(crate) account: String,
    secret_key: String,
}

impl Functions {
    /// Adds the function `name` with the execution role `role_arn`.
    pub fn insert(&mut self, name: &str, function_arn: &str, role_arn: &str) {
        let FunctionKeys { access_key, secret_key } = FunctionKeys::derived(function_arn, role_arn);
        let mut parts = function_arn.split(':').map(str::to_owned);
        let partition = parts.nth(1).unwrap_or_default();
        let account = parts.nth(2).unwrap_or_default();
        self.0.insert(access_key, Function { name: name.to_owned(), partition, account, secret_key });
    }

    /// Returns the function that signed a request; `None` if the signer is unknown.
    #[must_use]
    pub fn caller(&self, head: &Parts) -> Option<&Function> {
        self.with_key(Scope::of(&head.headers)?.access_key)
    }

    /// Returns the function with this access key ID.
    pub(crate) fn with_key(&self, access_key: &str) -> Option<&Function> {
        self.0.get(access_key)
    }
}

/// An error that prevents signing a request again.
#[derive(Debug, thiserror::Error)]
pub enum ResignError {
    /// The original request has no signature.
    #[error("the request has no signature")]
    Unsigned,
    /// The new request cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Function {
    /// Signs the head of a request again after its body was replaced, and returns the new head. The signature uses the
    /// function's own keys, so that its execution role still applies. `time` is the time of the signature.
    ///
    /// # Errors
    /// Returns an error if the original request has no signature, or the new one cannot be signed.
    pub fn resign(&self, mut head: Parts, body: &[u8], time: SystemTime) -> Result<Parts, ResignError> {
        let original = head.headers.clone();
        let Scope { access_key, region, service } = Scope::of(&original).ok_or(ResignError::Unsigned)?;
        let token = original.get(TOKEN).and_then(|token| token.to_str().ok());
        for stale in [header::AUTHORIZATION.as_str(), DATE, TOKEN] {
            head.headers.remove(stale);
        }
        Ok(Signer { access_key, secret_key: &self.secret_key, token, region, service }.sign(head, body, time)?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::Request;

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
    fn finds_a_function_by_its_ministack_access_key() {
        let functions = stack();
        assert_eq!(functions.caller(&signed_by("ASIA5FEA4F669E564881")).unwrap().name, "relay-events");
        assert!(functions.caller(&signed_by("test")).is_none());
    }

    // The expected keys were computed with hashlib, and the signature with MiniStack's `calculate_signature`.
    #[test]
    fn signs_a_replaced_body_with_the_keys_of_the_function() {
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
