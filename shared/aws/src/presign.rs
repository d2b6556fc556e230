//! Signed links: requests that a client sends to S3 by itself ("Authenticating Requests: Using Query Parameters").
//!
//! They are signed by `aws-sigv4` alone. The S3 client could do it too, but it would put itself into every function
//! that shows an image.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use ferrite_domain::ports::{SignImageUrl, SignUpload, SignedRequest, StoreError};
use ferrite_domain::{ImageId, ImageUpload, ProductId, Timestamp, UPLOAD_LIFETIME_SECONDS, VariantName};
use lru::LruCache;

use crate::image_bucket::{UploadKey, variant_key};

const UPLOAD_LIFETIME: Duration = Duration::from_secs(UPLOAD_LIFETIME_SECONDS.unsigned_abs());

/// Links to images are signed as of the last full hour and for two, so each works for one hour at least (if the function's
/// credentials live as long) and one execution environment makes the same link for as long.
const IMAGE_WINDOW_SECONDS: i64 = 3600;
const IMAGE_LIFETIME: Duration = Duration::from_secs(2 * 3600);

/// How many links to images are kept, because to sign those of a page takes longer than everything else about it. One has
/// some 1,500 bytes with a role's session token, so these are under half a megabyte.
const KEPT_LINKS: NonZeroUsize = NonZeroUsize::new(300).unwrap();

/// The links that were used last, by what they lead to and when they are signed as of.
type Links = LruCache<(ProductId, ImageId, VariantName, Timestamp), String>;

/// Signs links to objects of one bucket with the function's own credentials: what its role may not do, its links cannot.
#[derive(Debug)]
pub struct ImageSigner {
    credentials: Credentials,
    region: String,
    bucket_url: String,
    links: Mutex<Links>,
}

impl ImageSigner {
    /// A signer for the bucket called `bucket`, with the credentials of this moment. Those that Lambda sets outlive the
    /// execution environment; those of a credentials endpoint do not, and neither do links that they have signed.
    ///
    /// # Errors
    /// The configuration has no credentials or no region.
    pub async fn new(config: &aws_types::SdkConfig, bucket: &str) -> Result<Self, StoreError> {
        let failed = |why: &'static str| StoreError::new("signing", why);
        let provider = config.credentials_provider().ok_or_else(|| failed("no credentials are configured"))?;
        let credentials = provider.provide_credentials().await.map_err(|error| StoreError::new("signing", error))?;
        let region = config.region().ok_or_else(|| failed("no region is configured"))?.to_string();
        let bucket_url = match config.endpoint_url() {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        Ok(Self { credentials, region, bucket_url, links: LruCache::new(KEPT_LINKS).into() })
    }

    fn signed_url(
        &self,
        method: &'static str,
        key: &str,
        headers: &[(&'static str, String)],
        from: Timestamp,
        lifetime: Duration,
    ) -> Result<String, StoreError> {
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| StoreError::new("signing", cause);
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lifetime);
        // S3 takes the path as it is sent, unlike every other service.
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
            .map_err(|error| failed(error.into()))?
            .into();

        let url = format!("{}/{key}", self.bucket_url);
        let signed_headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new(method, &url, signed_headers, SignableBody::UnsignedPayload)
            .map_err(|error| failed(error.into()))?;
        let (instructions, _) = sign(request, &params).map_err(|error| failed(error.into()))?.into_parts();
        let mut signed = http::Request::builder().uri(&url).body(()).map_err(|error| failed(error.into()))?;
        instructions.apply_to_request_http1x(&mut signed);
        Ok(signed.uri().to_string())
    }
}

impl SignUpload for ImageSigner {
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, StoreError> {
        let key = UploadKey { product: upload.product, image: upload.image }.to_string();
        // All are under the signature, so S3 itself refuses another type, another size, and a second upload to the same key
        // ("Prevent object overwrites with conditional writes").
        let headers = vec![
            ("content-type", upload.content_type.as_str().to_owned()),
            ("content-length", upload.size.bytes().to_string()),
            ("if-none-match", "*".to_owned()),
        ];
        let url = self.signed_url("PUT", &key, &headers, now, UPLOAD_LIFETIME)?;
        let expires = (now.unix_seconds() + UPLOAD_LIFETIME_SECONDS) * 1000;
        Ok(SignedRequest { method: "PUT", url, headers, expires_at: Timestamp::from_unix_millis(expires) })
    }
}

impl SignImageUrl for ImageSigner {
    fn signed_as_of(&self, now: Timestamp) -> Timestamp {
        let hour = now.unix_seconds().div_euclid(IMAGE_WINDOW_SECONDS) * IMAGE_WINDOW_SECONDS;
        Timestamp::from_unix_millis(hour * 1000)
    }

    fn sign_image_url(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let from = self.signed_as_of(now);
        let sign = || self.signed_url("GET", &variant_key(product, image, variant), &[], from, IMAGE_LIFETIME);
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.try_get_or_insert((product, image, variant, from), sign).cloned()
    }
}

#[cfg(test)]
mod tests {
    use ferrite_domain::{ContentType, UploadSize};

    use super::*;

    const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";
    const IMAGE: &str = "img_0192f0c1a2b37c4d8e5f60718293a4b5";

    fn signer() -> ImageSigner {
        ImageSigner {
            credentials: Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test"),
            region: "eu-west-1".to_owned(),
            bucket_url: "https://shop.s3.eu-west-1.amazonaws.com".to_owned(),
            links: LruCache::new(KEPT_LINKS).into(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_384_800_000 + seconds * 1000)
    }

    #[test]
    fn an_upload_is_bound_to_its_type_and_size() {
        let upload = ImageUpload {
            product: PRODUCT.parse().unwrap(),
            image: IMAGE.parse().unwrap(),
            content_type: ContentType::Png,
            size: UploadSize::try_from(2048).unwrap(),
        };
        let request = signer().sign_upload(&upload, at(0)).unwrap();
        assert!(request.url.starts_with(&format!("https://shop.s3.eu-west-1.amazonaws.com/uploads/{PRODUCT}/{IMAGE}?")));
        assert!(
            request.url.contains("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match"),
            "{}",
            request.url
        );
        assert!(request.url.contains("X-Amz-Expires=900"));
        assert_eq!(request.expires_at, at(900));
        assert_eq!(request.headers[1], ("content-length", "2048".to_owned()));
    }

    #[test]
    fn a_link_to_an_image_stays_the_same_for_an_hour_and_works_for_one_more() {
        let signer = signer();
        let url = |seconds| {
            signer
                .sign_image_url(PRODUCT.parse().unwrap(), IMAGE.parse().unwrap(), VariantName::Thumbnail, at(seconds))
                .unwrap()
        };
        assert_eq!(url(0), url(3599));
        assert_ne!(url(0), url(3600));
        assert!(url(0).contains("X-Amz-Expires=7200") && url(0).contains("/thumbnail.jpg?"));
    }
    /// Else a page would be signed anew for each request.
    #[test]
    fn a_link_is_signed_once_in_its_hour() {
        let signer = signer();
        let (product, image) = (PRODUCT.parse().unwrap(), IMAGE.parse().unwrap());
        let link = |variant, seconds| signer.sign_image_url(product, image, variant, at(seconds)).unwrap();
        link(VariantName::Thumbnail, 0);
        for (_, url) in signer.links.lock().unwrap().iter_mut() {
            "kept".clone_into(url);
        }
        assert_eq!(link(VariantName::Thumbnail, 3599), "kept");
        assert_ne!(link(VariantName::Thumbnail, 3600), "kept");
        assert_ne!(link(VariantName::Display, 0), "kept");
    }
}
