//! Object keys of image uploads and image variants.

use ferrite_domain::{ImageId, ProductId, VariantName};

/// Object key of an upload: `uploads/<product>/<image>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadKey {
    /// Product that the image belongs to.
    pub product: ProductId,
    /// Identifier of the image.
    pub image: ImageId,
}

impl UploadKey {
    /// Parses an object key. Returns `None` if it is not the key of an upload.
    pub fn parse(key: &str) -> Option<Self> {
        let (product, image) = key.strip_prefix("uploads/")?.split_once('/')?;
        Some(Self { product: product.parse().ok()?, image: image.parse().ok()? })
    }
}

impl std::fmt::Display for UploadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "uploads/{}/{}", self.product, self.image)
    }
}

pub(crate) fn variant_key(product: ProductId, image: ImageId, variant: VariantName) -> String {
    format!("images/{product}/{image}/{}.jpg", variant.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";
    const IMAGE: &str = "img_0192f0c1a2b37c4d8e5f60718293a4b5";

    #[test]
    fn round_trips_its_text_form() {
        let key = UploadKey::parse(&format!("uploads/{PRODUCT}/{IMAGE}")).unwrap();
        assert_eq!(key.to_string(), format!("uploads/{PRODUCT}/{IMAGE}"));
    }

    #[test]
    fn rejects_keys_of_other_objects() {
        for key in [
            "uploads/",
            "uploads/cat.jpg",
            &format!("images/{PRODUCT}/{IMAGE}"),
            &format!("uploads/{PRODUCT}/{IMAGE}/x"),
            &format!("uploads/{PRODUCT}/{IMAGE} copy"),
        ] {
            assert_eq!(UploadKey::parse(key), None, "{key}");
        }
    }
}
