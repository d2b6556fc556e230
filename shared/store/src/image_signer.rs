//! Presigned URLs, with which clients send requests to S3 without AWS credentials.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferrite_aws::UrlSigner;
use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{SignImageUrl, SignUpload, SignedRequest};
use ferrite_domain::{ImageId, ImageUpload, ProductId, UPLOAD_LIFETIME_SECONDS, VariantName};
use lru::LruCache;

use crate::image_keys::{UploadKey, variant_key};

const UPLOAD_LIFETIME: Duration = Duration::from_secs(UPLOAD_LIFETIME_SECONDS.unsigned_abs());

/// The signing time of image URLs is the start of the current hour, and the URLs expire two hours after it. A URL is
/// therefore valid for at least one hour, unless the function's credentials expire earlier, and an execution environment
/// returns the same URL for an hour.
const IMAGE_WINDOW_SECONDS: i64 = 3600;
const IMAGE_LIFETIME: Duration = Duration::from_secs(2 * 3600);

/// Maximum number of cached URLs. They are cached because signing the URLs of a page takes longer than all other work
/// of the request. A URL with a session token has about 1,500 bytes, so the cache uses less than half a megabyte.
const CACHED_URLS: NonZeroUsize = NonZeroUsize::new(300).unwrap();

/// The most recently used URLs, by image variant and signing time.
type UrlCache = LruCache<(ProductId, ImageId, VariantName, Timestamp), String>;

/// Creates presigned URLs for the objects of the image bucket.
#[derive(Debug)]
pub struct ImageSigner {
    signer: UrlSigner,
    urls: Mutex<UrlCache>,
}

impl ImageSigner {
    /// Creates a signer for the bucket `bucket` with the current credentials; see [`UrlSigner::new`].
    ///
    /// # Errors
    /// Returns an error if the configuration has no credentials or no Region.
    pub async fn new(config: &aws_types::SdkConfig, bucket: &str) -> Result<Self, PortError> {
        Ok(Self { signer: UrlSigner::new(config, bucket).await?, urls: LruCache::new(CACHED_URLS).into() })
    }
}

impl SignUpload for ImageSigner {
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, PortError> {
        let key = UploadKey { product: upload.product, image: upload.image }.to_string();
        // The signature covers these headers, so S3 rejects uploads with another content type or size, and a second
        // upload to the same key ("Prevent object overwrites with conditional writes").
        let headers = vec![
            ("content-type", upload.content_type.as_str().to_owned()),
            ("content-length", upload.size.bytes().to_string()),
            ("if-none-match", "*".to_owned()),
        ];
        let url = self.signer.sign("PUT", &key, &headers, now, UPLOAD_LIFETIME)?;
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
    ) -> Result<String, PortError> {
        let from = self.signed_as_of(now);
        let sign = || self.signer.sign("GET", &variant_key(product, image, variant), &[], from, IMAGE_LIFETIME);
        let mut urls = self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        urls.try_get_or_insert((product, image, variant, from), sign).cloned()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::{Credentials, Region, SharedCredentialsProvider};
    use aws_types::SdkConfig;
    use ferrite_domain::{ContentType, UploadSize};

    use super::*;

    const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";
    const IMAGE: &str = "img_0192f0c1a2b37c4d8e5f60718293a4b5";

    async fn signer() -> ImageSigner {
        let config = SdkConfig::builder()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKID", "secret", None, None, "test")))
            .build();
        ImageSigner::new(&config, "shop").await.unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_384_800_000 + seconds * 1000)
    }

    #[tokio::test]
    async fn signs_the_content_type_and_size_of_an_upload() {
        let upload = ImageUpload {
            product: PRODUCT.parse().unwrap(),
            image: IMAGE.parse().unwrap(),
            content_type: ContentType::Png,
            size: UploadSize::try_from(2048).unwrap(),
        };
        let request = signer().await.sign_upload(&upload, at(0)).unwrap();
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

    #[tokio::test]
    async fn returns_the_same_url_within_an_hour_with_two_hours_of_validity() {
        let signer = signer().await;
        let url = |seconds| {
            signer
                .sign_image_url(PRODUCT.parse().unwrap(), IMAGE.parse().unwrap(), VariantName::Thumbnail, at(seconds))
                .unwrap()
        };
        assert_eq!(url(0), url(3599));
        assert_ne!(url(0), url(3600));
        assert!(url(0).contains("X-Amz-Expires=7200") && url(0).contains("/thumbnail.jpg?"));
    }

    #[tokio::test]
    async fn signs_a_url_once_per_hour() {
        let signer = signer().await;
        let product = PRODUCT.parse().unwrap();
        let image = IMAGE.parse().unwrap();
        let url_at = |variant, seconds| signer.sign_image_url(product, image, variant, at(seconds)).unwrap();
        url_at(VariantName::Thumbnail, 0);
        for (_, url) in signer.urls.lock().unwrap().iter_mut() {
            "cached".clone_into(url);
        }
        assert_eq!(url_at(VariantName::Thumbnail, 3599), "cached");
        assert_ne!(url_at(VariantName::Thumbnail, 3600), "cached");
        assert_ne!(url_at(VariantName::Display, 0), "cached");
    }
}
