//! Converts uploaded photographs into the JPEG variants that a shop displays.
//!
//! The functions map bytes to bytes, without AWS or I/O. They are deterministic: a repeated S3 event overwrites the
//! variants with identical files.
//!
//! A variant contains only the image: rotated upright (EXIF orientation is applied), with transparent areas on white,
//! and without metadata, because phones store the location of a photograph there. Data that is appended to a file or
//! hidden in it is not copied. Colors are converted to sRGB, which browsers assume for a file without a profile, with the
//! profile of the original:
//!
//! - JPEG and WebP: the ICC profile.
//! - PNG: the first of `cICP`, `iCCP`, `sRGB`, and `gAMA` with `cHRM`, as in W3C PNG, section 4.3. A `gAMA` of 1/2.2 without
//!   other primaries means sRGB, because encoders write it for that. HDR code points (PQ and HLG) are rejected.
//! - CMYK: without an ICC profile, each ink absorbs its share of the light.
//!
//! An original without a profile, or with a damaged or unsuitable one, is treated as sRGB.

mod color;
mod decode;
mod jpeg;
mod polyglot;
mod rejection;
mod structure;
mod variant;
mod webp_lossless;

use image::{DynamicImage, ImageFormat};

pub use rejection::Rejection;
pub use variant::{QUALITY, Variant};

/// Maximum number of pixels of an original: that of phones with 50-megapixel cameras. Limits memory use; see
/// [`make_variants`].
pub const PIXEL_LIMIT: u64 = 8192 * 6144;

/// Maximum width and height of an original, in pixels: that of JPEG. The PNG decoder keeps several rows in memory.
pub const SIDE_LIMIT: u32 = 65_535;

/// Maximum width and height of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 320;

/// Maximum width and height of a display variant, in pixels.
pub const DISPLAY_SIDE: u32 = 1600;

/// Supported formats of an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Baseline or progressive, Huffman-coded, 8 bits per sample; grayscale, YCbCr, RGB or CMYK.
    Jpeg,
    /// Any color type and bit depth.
    Png,
    /// Lossy or lossless.
    WebP,
}

impl Format {
    /// Returns the media type for a `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        self.image_format().to_mime_type()
    }

    fn image_format(self) -> ImageFormat {
        match self {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
            Format::WebP => ImageFormat::WebP,
        }
    }
}

/// The two variants of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variants {
    /// At most [`THUMBNAIL_SIDE`] pixels wide and high.
    pub thumbnail: Variant,
    /// At most [`DISPLAY_SIDE`] pixels wide and high.
    pub display: Variant,
}

/// Creates the variants of `original`, whose declared format is `declared`. A variant is never larger than the
/// original.
///
/// Memory use is little more than what decoding the original requires. Per pixel, it is 3 bytes for a typical photograph,
/// 9 for a progressive JPEG without chroma subsampling, whose coefficients the decoder also keeps in memory, and 12 if it
/// is also CMYK, or for a WebP animation with a single frame. The chunks of a PNG and one of its rows add at most 64 MiB,
/// and the prefix codes of a lossless WebP 128 MiB; files beyond these limits are rejected. The number of pixels is
/// checked in the header, before decoding.
///
/// # Errors
/// Returns a [`Rejection`] with the reason if the file cannot be used. The same bytes are always rejected again.
pub fn make_variants(original: &[u8], declared: Format) -> Result<Variants, Rejection> {
    let decode::Decoded { image, inks, profile, orientation } = decode::decode(original, declared)?;
    // Colors are converted after shrinking, because that is a small part of the pixels. The size limits are square, so
    // rotating the resized image gives the same result as rotating the original, at less cost.
    let image = variant::fit(image, DISPLAY_SIDE, inks.is_none())?;
    let mut display = DynamicImage::from(color::to_srgb(image, inks, profile.as_ref()));
    display.apply_orientation(orientation);
    let thumbnail = variant::fit(display.clone(), THUMBNAIL_SIDE, false)?;
    Ok(Variants { thumbnail: variant::encode(&thumbnail.into_rgb8())?, display: variant::encode(&display.into_rgb8())? })
}
