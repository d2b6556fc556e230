//! Signature Version 4 for a single request.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4::{SigningParams, signing_params::BuildError};
use http::request::Parts;
use http::{HeaderValue, Request, header};

/// Credentials and scope of a signature ("Signature Version 4").
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key id.
    pub access_key: &'a str,
    /// The secret access key.
    pub secret_key: &'a str,
    /// The session token, which temporary keys come with.
    pub token: Option<&'a str>,
    /// The region that the request goes to.
    pub region: &'a str,
    /// The signing name of the service.
    pub service: &'a str,
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A parameter of the signature is missing.
    #[error(transparent)]
    Parameters(#[from] BuildError),
    /// Part of the request cannot be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl Signer<'_> {
    /// The head of a request with `body`, signed at `time`. Its host is in its URL or in its header `host`.
    ///
    /// # Errors
    /// When part of the request cannot be signed.
    pub fn sign(&self, mut head: Parts, body: &[u8], time: SystemTime) -> Result<Parts, SignError> {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        let token = self.token.map(str::to_owned);
        let identity = Credentials::new(self.access_key, self.secret_key, token, None, "ferrite").into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(time)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let url = match head.uri.authority() {
            Some(_) => head.uri.to_string(),
            // Of this one, only the path matters: the host that is signed is the header's.
            None => format!("http://localhost{}", head.uri),
        };
        let signable = SignableRequest::new(head.method.as_str(), url, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::from_parts(head, ());
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.into_parts().0)
    }
}
