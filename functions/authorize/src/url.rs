//! Fetches the JWK Set from a URL, such as the `jwks_uri` of an OpenID provider.

use std::net::IpAddr;
use std::str::FromStr;

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use thiserror::Error;

use crate::key_cache::{FetchError, FetchJwks};

/// Maximum size of a JWK Set. Real ones are a few KiB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A URL whose response is authenticated: https, or http to a loopback host.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct JwksUrl(Uri);

impl TryFrom<String> for JwksUrl {
    type Error = JwksUrlError;

    fn try_from(url: String) -> Result<Self, JwksUrlError> {
        url.parse()
    }
}

/// The reason why a URL is rejected as a source of keys.
#[derive(Debug, Error)]
pub(crate) enum JwksUrlError {
    #[error("not a URL")]
    Invalid,
    #[error("not https; http is allowed only for loopback hosts")]
    Insecure,
}

impl FromStr for JwksUrl {
    type Err = JwksUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let uri: Uri = url.parse().map_err(|_| JwksUrlError::Invalid)?;
        let authority = uri.authority().ok_or(JwksUrlError::Invalid)?;
        // A JWKS URL needs no user name, and `http://localhost@elsewhere.example` only looks like a loopback URL.
        if authority.as_str().contains('@') {
            return Err(JwksUrlError::Invalid);
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_loopback(authority.host()) => Ok(Self(uri)),
            _ => Err(JwksUrlError::Insecure),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Fetches the JWK Set from the configured URL. Does not follow redirects.
pub(crate) struct JwksEndpoint {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    uri: Uri,
}

impl JwksEndpoint {
    /// Creates a client that trusts the compiled-in Mozilla root certificates. Identity providers use many certificate
    /// authorities, and reading the system's certificate files would take longer than everything else in the init
    /// phase.
    ///
    /// # Errors
    /// Returns an error if the TLS provider supports none of the configured protocol versions.
    pub(crate) fn new(JwksUrl(uri): JwksUrl) -> Result<Self, rustls::Error> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            // The next fetch is minutes later, when the server has closed an idle connection.
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self { client, uri })
    }
}

impl FetchJwks for JwksEndpoint {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        let request = Request::get(&self.uri)
            .header(header::ACCEPT, "application/json")
            // Some providers' firewalls block requests without a User-Agent.
            .header(header::USER_AGENT, concat!("ferrite-authorize/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(FetchError::unreachable)?;
        let response = self.client.request(request).await.map_err(FetchError::unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        match Limited::new(response.into_body(), MAX_BODY_BYTES).collect().await {
            Ok(body) => Ok(body.to_bytes().into()),
            Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLarge),
            Err(error) => Err(FetchError::Unreachable(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Starts a server that sends the bytes of `response` to one request. Returns the server's address.
    async fn serve_once(response: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap() > 0 {}
            // The client closes the connection early if the response is too long.
            let _ = stream.write_all(&response).await;
        });
        address.to_string()
    }

    async fn fetch(url: &str) -> Result<Vec<u8>, FetchError> {
        JwksEndpoint::new(url.parse().unwrap()).unwrap().fetch().await
    }

    fn http_response(status: &str, headers: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
    }

    #[tokio::test]
    async fn returns_the_body_unchanged() {
        let server = serve_once(http_response("200 OK", "", r#"{"keys":[]}"#)).await;
        let body = fetch(&format!("http://{server}/keys")).await.unwrap();
        assert_eq!(body, br#"{"keys":[]}"#);
    }

    #[tokio::test]
    async fn rejects_responses_other_than_200() {
        let redirect_target = serve_once(http_response("200 OK", "", r#"{"keys":[]}"#)).await;
        let redirect = format!("location: http://{redirect_target}/\r\n");
        for (status, headers, code) in
            [("302 Found", redirect.as_str(), 302), ("404 Not Found", "", 404), ("503 Unavailable", "", 503)]
        {
            let server = serve_once(http_response(status, headers, "")).await;
            let error = fetch(&format!("http://{server}/keys")).await.unwrap_err();
            assert!(matches!(error, FetchError::Status(actual) if actual == code), "{error}");
        }
    }

    #[tokio::test]
    async fn rejects_a_body_over_the_limit() {
        for (spaces, fits) in [(MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
            let server = serve_once(http_response("200 OK", "", &" ".repeat(spaces))).await;
            let fetched = fetch(&format!("http://{server}/keys")).await;
            assert_eq!(fetched.is_ok(), fits, "{spaces} bytes");
        }
    }

    #[tokio::test]
    async fn starts_a_tls_handshake_for_an_https_url() {
        const TLS_HANDSHAKE_RECORD: u8 = 22; // RFC 8446, section 5.1
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/keys", listener.local_addr().unwrap());
        let first_byte = tokio::spawn(async move { listener.accept().await.unwrap().0.read_u8().await.unwrap() });

        let error = fetch(&url).await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
        assert_eq!(first_byte.await.unwrap(), TLS_HANDSHAKE_RECORD);
    }

    #[test]
    fn allows_http_only_for_loopback_hosts() {
        for allowed in [
            "https://issuer.example/.well-known/jwks.json",
            "http://localhost:4566/keys",
            "http://127.0.0.1/keys",
            "http://[::1]:8080/keys",
        ] {
            assert!(allowed.parse::<JwksUrl>().is_ok(), "{allowed}");
        }
        for rejected in [
            "http://issuer.example/keys",
            "http://127.0.0.1.issuer.example/keys",
            "http://localhost@issuer.example/keys",
            "http://10.0.0.1/keys",
            "ftp://localhost/keys",
            "issuer.example/keys",
            "/keys",
            "",
        ] {
            assert!(rejected.parse::<JwksUrl>().is_err(), "{rejected}");
        }
    }
}
