//! Signed links: requests that a client sends to S3 without credentials.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferrite_aws::UrlSigner;
use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;
use ferrite_domain::ports::{SignImageUrl, SignUpload, SignedRequest};
use ferrite_domain::{ImageId, ImageUpload, ProductId, UPLOAD_LIFETIME_SECONDS, VariantName};
use lru::LruCache;

use crate::image_bucket::{UploadKey, variant_key};

const UPLOAD_LIFETIME: Duration = Duration::from_secs(UPLOAD_LIFETIME_SECONDS.unsigned_abs());

/// Links to images are signed as of the last full hour and for two hours. Each therefore works for at least one hour, if
/// the function's credentials do, and one execution environment returns the same link for an hour.
const IMAGE_WINDOW_SECONDS: i64 = 3600;
const IMAGE_LIFETIME: Duration = Duration::from_secs(2 * 3600);

/// How many links are cached, because signing the links of a page takes longer than the rest of the request. A link with a
/// role's session token has about 1,500 bytes, so these take less than half a megabyte.
const CACHED_LINKS: NonZeroUsize = NonZeroUsize::new(300).unwrap();

/// The most recently used links, by their image and the time as of which they are signed.
type Links = LruCache<(ProductId, ImageId, VariantName, Timestamp), String>;

/// Signs links to the objects of the image bucket.
#[derive(Debug)]
pub struct ImageSigner {
    signer: UrlSigner,
    links: Mutex<Links>,
}

impl ImageSigner {
    /// A signer for the bucket called `bucket`, with the current credentials: see [`UrlSigner::new`].
    ///
    /// # Errors
    /// The configuration has no credentials or no region.
    pub async fn new(config: &aws_types::SdkConfig, bucket: &str) -> Result<Self, PortError> {
        Ok(Self { signer: UrlSigner::new(config, bucket).await?, links: LruCache::new(CACHED_LINKS).into() })
    }
}

impl SignUpload for ImageSigner {
    fn sign_upload(&self, upload: &ImageUpload, now: Timestamp) -> Result<SignedRequest, PortError> {
        let key = UploadKey { product: upload.product, image: upload.image }.to_string();
        // The signature covers all of them, so S3 itself rejects another type, another size, and a second upload to the same
        // key ("Prevent object overwrites with conditional writes").
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
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.try_get_or_insert((product, image, variant, from), sign).cloned()
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
    async fn binds_an_upload_to_its_type_and_size() {
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
    async fn returns_the_same_link_for_an_hour_which_works_for_one_more() {
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
    async fn signs_a_link_once_per_hour() {
        let signer = signer().await;
        let (product, image) = (PRODUCT.parse().unwrap(), IMAGE.parse().unwrap());
        let link = |variant, seconds| signer.sign_image_url(product, image, variant, at(seconds)).unwrap();
        link(VariantName::Thumbnail, 0);
        for (_, url) in signer.links.lock().unwrap().iter_mut() {
            "cached".clone_into(url);
        }
        assert_eq!(link(VariantName::Thumbnail, 3599), "cached");
        assert_ne!(link(VariantName::Thumbnail, 3600), "cached");
        assert_ne!(link(VariantName::Display, 0), "cached");
    }
}
