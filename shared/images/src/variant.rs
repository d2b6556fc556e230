//! Resizes a decoded image and encodes it as JPEG.

use fast_image_resize::Resizer;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use image::{DynamicImage, Primitive, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::Rejection;

/// JPEG quality of the variants, on the scale from 1 to 100.
///
/// With chroma at half the resolution, the difference from the original is hard to see. A quality 10 higher would make
/// the files at least 50% larger.
pub const QUALITY: u8 = 82;

/// A resized image, ready to be served as `image/jpeg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// A baseline JPEG of quality [`QUALITY`] in sRGB, without metadata.
    pub bytes: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Puts `image` on a white background and converts it to 8-bit RGB.
///
/// Using one pixel format from here on avoids compiling the resizer for the others. A typical photograph is already in
/// this format and is not copied.
pub(super) fn on_white(mut image: DynamicImage) -> RgbImage {
    flatten_on_white(&mut image);
    image.into_rgb8()
}

/// Shrinks `image` to at most `side` pixels in width and height, keeping its aspect ratio.
pub(super) fn fit(image: RgbImage, side: u32) -> Result<RgbImage, Rejection> {
    let (width, height) = image.dimensions();
    let longer = width.max(height);
    if longer <= side {
        return Ok(image);
    }
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(side).max(1)
    };
    let mut fitted = RgbImage::new(scaled(width), scaled(height));
    let (to_width, to_height) = fitted.dimensions();
    let from = TypedImageRef::<U8x3>::from_buffer(width, height, image.as_raw()).map_err(corrupt)?;
    let mut to = TypedImage::<U8x3>::from_buffer(to_width, to_height, &mut fitted).map_err(corrupt)?;
    Resizer::new().resize_typed(&from, &mut to, None).map_err(corrupt)?;
    Ok(fitted)
}

/// Encodes `image` as JPEG.
pub(super) fn encode(image: &RgbImage) -> Result<Variant, Rejection> {
    let (width, height) = image.dimensions();
    let (Ok(columns), Ok(rows)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(Rejection::TooManyPixels { width, height });
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(image.as_raw(), columns, rows, ColorType::Rgb).map_err(corrupt)?;
    Ok(Variant { bytes, width, height })
}

fn corrupt(error: impl std::error::Error) -> Rejection {
    Rejection::Corrupt { detail: error.to_string() }
}

/// Blends transparent pixels with white, in place: a copy of 50 million pixels would double the memory use.
fn flatten_on_white(image: &mut DynamicImage) {
    match image {
        DynamicImage::ImageLumaA8(image) => flatten(image, 2),
        DynamicImage::ImageRgba8(image) => flatten(image, 4),
        DynamicImage::ImageLumaA16(image) => flatten(image, 2),
        DynamicImage::ImageRgba16(image) => flatten(image, 4),
        _opaque => {}
    }
}

fn flatten<Sample>(samples: &mut [Sample], channels: usize)
where
    Sample: Primitive + TryFrom<u32>,
    u32: From<Sample>,
{
    let white = u32::from(Sample::DEFAULT_MAX_VALUE);
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((alpha, colors)) = pixel.split_last_mut() else {
            continue;
        };
        let opacity = u32::from(*alpha);
        for color in colors {
            let blended = (u32::from(*color) * opacity + white * (white - opacity)) / white;
            *color = Sample::try_from(blended).unwrap_or(Sample::DEFAULT_MAX_VALUE);
        }
        *alpha = Sample::DEFAULT_MAX_VALUE;
    }
}
