//! Shrinking a decoded picture and writing it as JPEG.

use fast_image_resize::Resizer;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use image::{DynamicImage, Primitive, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::Rejection;

/// Of JPEG's 1 to 100. With the chroma at half the resolution, the difference to the original is hard to see; ten more
/// points would cost at least half as many bytes again.
pub const QUALITY: u8 = 82;

/// One picture, ready to be served as `image/jpeg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// A baseline JPEG of quality [`QUALITY`] in sRGB, without metadata.
    pub bytes: Vec<u8>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// `picture` on white, as the encoder takes it.
///
/// In one pixel format from here on: the resizer's code for every other would be compiled and shipped for nothing. A usual
/// photograph is in it already, and is not copied.
pub(super) fn on_white(mut picture: DynamicImage) -> RgbImage {
    flatten_on_white(&mut picture);
    picture.into_rgb8()
}

/// `picture`, no larger than a square of `side` pixels, its aspect kept.
pub(super) fn fit(picture: RgbImage, side: u32) -> Result<RgbImage, Rejection> {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= side {
        return Ok(picture);
    }
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(side).max(1)
    };
    let mut fitted = RgbImage::new(scaled(width), scaled(height));
    let (to_width, to_height) = fitted.dimensions();
    let from = TypedImageRef::<U8x3>::from_buffer(width, height, picture.as_raw()).map_err(undecodable)?;
    let mut to = TypedImage::<U8x3>::from_buffer(to_width, to_height, &mut fitted).map_err(undecodable)?;
    Resizer::new().resize_typed(&from, &mut to, None).map_err(undecodable)?;
    Ok(fitted)
}

pub(super) fn encode(picture: &RgbImage) -> Result<Variant, Rejection> {
    let (width, height) = picture.dimensions();
    let (Ok(columns), Ok(rows)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(Rejection::TooManyPixels { width, height });
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(picture.as_raw(), columns, rows, ColorType::Rgb).map_err(undecodable)?;
    Ok(Variant { bytes, width, height })
}

fn undecodable(error: impl std::error::Error) -> Rejection {
    Rejection::Corrupt { detail: error.to_string() }
}

/// In place, as a copy of 50 million pixels would double the memory.
fn flatten_on_white(picture: &mut DynamicImage) {
    match picture {
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
        let Some((alpha, colours)) = pixel.split_last_mut() else {
            continue;
        };
        let opacity = u32::from(*alpha);
        for colour in colours {
            let blended = (u32::from(*colour) * opacity + white * (white - opacity)) / white;
            *colour = Sample::try_from(blended).unwrap_or(Sample::DEFAULT_MAX_VALUE);
        }
        *alpha = Sample::DEFAULT_MAX_VALUE;
    }
}
