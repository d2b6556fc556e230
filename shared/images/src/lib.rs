//! From an uploaded photograph to the JPEGs a shop shows. Bytes in, bytes out: no AWS, no I/O, and the same bytes
//! always give the same variants, so a repeated S3 event overwrites them with themselves.
//!
//! What a variant keeps is the picture: upright (EXIF orientation is applied), on white where it was transparent, and
//! without any metadata, as phones write the place a photograph was taken into it. Nothing else that a file holds gets
//! into a variant: what is appended to it, or hidden in it, is not copied. Colours are not converted: a colour profile
//! (ICC) is dropped with the rest, so a photograph in a wide gamut such as Display P3 looks slightly muted.

mod jpeg;
mod polyglot;
mod rejection;
mod structure;
mod variant;

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

pub use rejection::Rejection;
pub use variant::{QUALITY, Variant};

/// The most pixels an original may have. It bounds memory: see [`make_variants`].
pub const PIXEL_LIMIT: u64 = 50_000_000;

/// The side, in pixels, of the square that a thumbnail fits in.
pub const THUMBNAIL_SIDE: u32 = 320;

/// The side, in pixels, of the square that a display variant fits in.
pub const DISPLAY_SIDE: u32 = 1600;

/// 16-bit RGB with alpha, the largest that the decoders give.
const MAX_BYTES_PER_PIXEL: u64 = 8;

/// The formats an original may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Baseline or progressive; greyscale, YCbCr, RGB or CMYK.
    Jpeg,
    /// Any colour type and bit depth.
    Png,
    /// Lossy or lossless.
    WebP,
}

impl Format {
    /// The media type, as in a `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        self.codec().to_mime_type()
    }

    fn codec(self) -> ImageFormat {
        match self {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
            Format::WebP => ImageFormat::WebP,
        }
    }
}

/// The two sizes a product image is shown in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variants {
    /// Fits [`THUMBNAIL_SIDE`].
    pub thumbnail: Variant,
    /// Fits [`DISPLAY_SIDE`].
    pub display: Variant,
}

/// Makes the variants of `original`, which its uploader says is a `claimed`. Neither is ever larger than the original.
///
/// Memory is the decoded original and little else: 3 bytes a pixel for a usual photograph, 9 for a progressive JPEG
/// without chroma subsampling. The pixels are counted from the header, before any is decoded.
///
/// # Errors
/// A [`Rejection`] says what is wrong with the file. It is final: the same bytes are rejected again.
pub fn make_variants(original: &[u8], claimed: Format) -> Result<Variants, Rejection> {
    let (upright, orientation) = decode(original, claimed)?;
    // The boxes are square, so turning the small picture is the same as turning the large one, and far cheaper.
    let mut display = DynamicImage::from(variant::fit(variant::on_white(upright), DISPLAY_SIDE)?);
    display.apply_orientation(orientation);
    let display = display.into_rgb8();
    Ok(Variants {
        display: variant::encode(&display)?,
        thumbnail: variant::encode(&variant::fit(display, THUMBNAIL_SIDE)?)?,
    })
}

/// The picture as it is stored, and how to turn it upright.
fn decode(original: &[u8], claimed: Format) -> Result<(DynamicImage, Orientation), Rejection> {
    let actual = image::guess_format(original).map_err(|_| Rejection::NotAnImage)?;
    if actual != claimed.codec() {
        return Err(Rejection::FormatMismatch { claimed: claimed.content_type(), actual: actual.to_mime_type() });
    }

    if structure::is_animation(original, claimed) {
        return Err(Rejection::Animation);
    }

    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(PIXEL_LIMIT * MAX_BYTES_PER_PIXEL);
    let mut reader = ImageReader::with_format(Cursor::new(original), actual);
    reader.limits(limits.clone());

    let trailer = structure::trailer(original, claimed);
    let unreadable = |error: ImageError| match error {
        _ if trailer.is_none() => Rejection::Truncated,
        ImageError::Limits(_) => Rejection::TooLarge,
        ImageError::Unsupported(_) => Rejection::Unsupported { detail: error.to_string() },
        _ => Rejection::Corrupt { detail: error.to_string() },
    };

    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXEL_LIMIT {
        return Err(Rejection::TooManyPixels { width, height });
    }
    // Decoders fill what is missing with grey rather than fail.
    let trailer = trailer.ok_or(Rejection::Truncated)?;
    if let Some(other) = polyglot::besides_the_image(original, claimed, trailer) {
        return Err(Rejection::Polyglot { other });
    }
    if claimed == Format::Jpeg && jpeg::has_separate_scans(original) {
        return Err(Rejection::Unsupported { detail: "sequential JPEG with a scan for each colour".to_owned() });
    }
    decoder.set_limits(limits).map_err(unreadable)?;
    // Broken EXIF is no reason to refuse a good picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let stored = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    Ok((stored, orientation))
}
