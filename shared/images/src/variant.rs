//! Resizes a decoded image and encodes it as JPEG.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x2, U8x3, U8x4, U16, U16x2, U16x3, U16x4};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};
use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Primitive, Rgb, RgbImage, Rgba};
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
pub(super) fn on_white(mut image: DynamicImage) -> RgbImage {
    change_colors(&mut image, |color, opacity, max| (color * opacity + max * (max - opacity)) / max);
    image.into_rgb8()
}

/// Shrinks `image` to at most `side` pixels in width and height, keeping its aspect ratio and its pixel format.
///
/// `has_alpha` states whether the last of two or four channels is the opacity. The colors of transparent pixels must not
/// show in their neighbors.
pub(super) fn fit(mut image: DynamicImage, side: u32, has_alpha: bool) -> Result<DynamicImage, Rejection> {
    let (width, height) = (image.width(), image.height());
    let longer = width.max(height);
    if longer <= side {
        return Ok(image);
    }
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(side).max(1)
    };
    let size = (scaled(width), scaled(height));
    if has_alpha {
        // In place, because a copy of 50 million pixels would double the memory use.
        change_colors(&mut image, |color, opacity, max| (color * opacity + max / 2) / max);
    }
    let mut fitted = match &image {
        DynamicImage::ImageLuma8(_) => resize::<U8, Luma<u8>, _>(&image, size, |pixel| [pixel.0])?.into(),
        DynamicImage::ImageLumaA8(_) => resize::<U8x2, LumaA<u8>, _>(&image, size, |pixel| pixel.0)?.into(),
        DynamicImage::ImageRgba8(_) => resize::<U8x4, Rgba<u8>, _>(&image, size, |pixel| pixel.0)?.into(),
        DynamicImage::ImageLuma16(_) => resize::<U16, Luma<u16>, _>(&image, size, |pixel| [pixel.0])?.into(),
        DynamicImage::ImageLumaA16(_) => resize::<U16x2, LumaA<u16>, _>(&image, size, |pixel| pixel.0)?.into(),
        DynamicImage::ImageRgb16(_) => resize::<U16x3, Rgb<u16>, _>(&image, size, |pixel| pixel.0)?.into(),
        DynamicImage::ImageRgba16(_) => resize::<U16x4, Rgba<u16>, _>(&image, size, |pixel| pixel.0)?.into(),
        _ => resize::<U8x3, Rgb<u8>, _>(&image, size, |pixel| pixel.0)?.into(),
    };
    if has_alpha {
        change_colors(&mut fitted, |color, opacity, max| {
            (color * max + opacity / 2).checked_div(opacity).unwrap_or_default()
        });
    }
    Ok(fitted)
}

/// Resizes `image`, whose pixels have the format `From`.
fn resize<From: PixelTrait, To: Pixel, Samples: IntoIterator<Item = To::Subpixel>>(
    image: &DynamicImage,
    (width, height): (u32, u32),
    samples: impl Fn(From) -> Samples,
) -> Result<ImageBuffer<To, Vec<To::Subpixel>>, Rejection> {
    let from = TypedImageRef::<From>::from_buffer(image.width(), image.height(), image.as_bytes()).map_err(corrupt)?;
    let mut to = TypedImage::<From>::new(width, height);
    Resizer::new().resize_typed(&from, &mut to, &ResizeOptions::new().use_alpha(false)).map_err(corrupt)?;
    let samples = to.pixels().iter().copied().flat_map(samples).collect();
    ImageBuffer::from_raw(width, height, samples)
        .ok_or_else(|| Rejection::Corrupt { detail: "samples are missing".to_owned() })
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

/// Replaces each color sample with the result of `change`, whose arguments are the sample, the opacity of the pixel, and the
/// maximum of both. Does nothing if the pixels have no opacity.
fn change_colors(image: &mut DynamicImage, change: impl Fn(u64, u64, u64) -> u64) {
    match image {
        DynamicImage::ImageLumaA8(image) => change_samples(image, 2, change),
        DynamicImage::ImageRgba8(image) => change_samples(image, 4, change),
        DynamicImage::ImageLumaA16(image) => change_samples(image, 2, change),
        DynamicImage::ImageRgba16(image) => change_samples(image, 4, change),
        _opaque => {}
    }
}

fn change_samples<Sample>(samples: &mut [Sample], channels: usize, change: impl Fn(u64, u64, u64) -> u64)
where
    Sample: Primitive + TryFrom<u64>,
    u64: From<Sample>,
{
    let max = u64::from(Sample::DEFAULT_MAX_VALUE);
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((alpha, colors)) = pixel.split_last_mut() else {
            continue;
        };
        for color in colors {
            let changed = change(u64::from(*color), u64::from(*alpha), max);
            *color = Sample::try_from(changed).unwrap_or(Sample::DEFAULT_MAX_VALUE);
        }
    }
}
