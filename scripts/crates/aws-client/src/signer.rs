//! Signs a single request with AWS Signature Version 4.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4::{SigningParams, signing_params::BuildError};
use http::request::Parts;
use http::{HeaderValue, Request, header};

/// Credentials and credential scope of a signature (IAM, "AWS Signature Version 4 for API requests").
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// Access key ID.
    pub access_key: &'a str,
    /// Secret access key.
    pub secret_key: &'a str,
    /// Session token of temporary credentials.
    pub token: Option<&'a str>,
    /// Region of the service.
    pub region: &'a str,
    /// Signing name of the service.
    pub service: &'a str,
}

/// Error returned when a request cannot be signed.
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
    /// Signs a request with the given head and body, and returns the head with the signature headers.
    ///
    /// The host is taken from the URL or, if the URL has none, from the `host` header.
    ///
    /// # Errors
    /// Returns an error if part of the request cannot be signed.
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
            // Only the path of this URL is signed: the signed host is that of the `host` header.
            None => format!("http://localhost{}", head.uri),
        };
        let signable = SignableRequest::new(head.method.as_str(), url, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::from_parts(head, ());
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.into_parts().0)
    }
}
