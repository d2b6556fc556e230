//! S3 presigned URLs ("Authenticating Requests: Using Query Parameters").
//!
//! They are signed with `aws-sigv4` directly. The S3 client could also do it, but would increase the size of every
//! function that returns a presigned URL.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;

use crate::partition::dns_suffix;

/// Creates presigned URLs for objects of one bucket with the function's credentials. A URL grants only permissions that
/// the function's role has.
#[derive(Debug)]
pub struct UrlSigner {
    credentials: Credentials,
    region: String,
    bucket_url: String,
}

impl UrlSigner {
    /// Creates a signer for `bucket` with the current credentials.
    ///
    /// Credentials in Lambda's environment variables are valid longer than the execution environment lives. Credentials
    /// from an endpoint (SnapStart) expire, and URLs that were signed with them expire too.
    ///
    /// # Errors
    /// Returns an error if the configuration has no credentials or no Region.
    pub async fn new(config: &aws_types::SdkConfig, bucket: &str) -> Result<Self, PortError> {
        let missing = |what: &'static str| PortError::new("signing", what);
        let provider = config.credentials_provider().ok_or_else(|| missing("no credentials are configured"))?;
        let credentials = provider.provide_credentials().await.map_err(signing_error)?;
        let region = config.region().ok_or_else(|| missing("no Region is configured"))?.to_string();
        let bucket_url = match config.endpoint_url() {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{region}.{}", dns_suffix(&region)),
        };
        Ok(Self { credentials, region, bucket_url })
    }

    /// Returns a presigned URL for a `method` request for the object `key`. It is valid from `from` for `lifetime`. The
    /// request must have exactly these headers.
    ///
    /// # Errors
    /// Returns an error if the request could not be signed.
    pub fn sign(
        &self,
        method: &'static str,
        key: &str,
        headers: &[(&'static str, String)],
        from: Timestamp,
        lifetime: Duration,
    ) -> Result<String, PortError> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lifetime);
        // Unlike other AWS services, S3 does not normalize the path or encode it twice.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.excluded_headers = None;

        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(from.unix_seconds().unsigned_abs()))
            .settings(settings)
            .build()
            .map_err(signing_error)?
            .into();

        let url = format!("{}/{key}", self.bucket_url);
        let signed_headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request =
            SignableRequest::new(method, &url, signed_headers, SignableBody::UnsignedPayload).map_err(signing_error)?;
        let (instructions, _) = sign(request, &params).map_err(signing_error)?.into_parts();
        let mut signed = http::Request::builder().uri(&url).body(()).map_err(signing_error)?;
        instructions.apply_to_request_http1x(&mut signed);
        Ok(signed.uri().to_string())
    }
}

fn signing_error(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new("signing", cause)
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_types::SdkConfig;
    use aws_types::region::Region;

    use super::*;

    #[tokio::test]
    async fn signs_urls_of_the_partition_of_the_region() {
        for (region, host) in [
            ("eu-west-1", "notes.s3.eu-west-1.amazonaws.com"),
            ("us-gov-west-1", "notes.s3.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "notes.s3.cn-north-1.amazonaws.com.cn"),
        ] {
            let credentials = Credentials::new("AKID", "secret", None, None, "test");
            let config = SdkConfig::builder()
                .region(Region::new(region))
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .build();
            let signer = UrlSigner::new(&config, "notes").await.unwrap();
            let from = Timestamp::from_unix_millis(1_795_384_800_000);
            let url = signer.sign("PUT", "uploads/a", &[], from, Duration::from_secs(900)).unwrap();
            assert!(url.starts_with(&format!("https://{host}/uploads/a?")), "{url}");
        }
    }

    #[test]
    fn includes_the_signed_headers_and_the_lifetime() {
        let signer = UrlSigner {
            credentials: Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test"),
            region: "eu-west-1".to_owned(),
            bucket_url: "https://notes.s3.eu-west-1.amazonaws.com".to_owned(),
        };
        let headers = [("content-length", "2048".to_owned()), ("if-none-match", "*".to_owned())];
        let from = Timestamp::from_unix_millis(1_795_384_800_000);
        let url = signer.sign("PUT", "uploads/a", &headers, from, Duration::from_secs(900)).unwrap();
        assert!(url.starts_with("https://notes.s3.eu-west-1.amazonaws.com/uploads/a?"), "{url}");
        assert!(url.contains("X-Amz-SignedHeaders=content-length%3Bhost%3Bif-none-match"), "{url}");
        assert!(url.contains("X-Amz-Expires=900"), "{url}");
    }
}
