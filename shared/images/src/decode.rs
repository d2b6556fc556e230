//! Decodes a file after checking its structure.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, Limits, RgbImage, RgbaImage};
use moxcms::ColorProfile;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::color::{self, Inks};
use super::structure::PngColors;
use super::webp_lossless::{self, Size};
use super::{Format, PIXEL_LIMIT, Rejection, SIDE_LIMIT, jpeg, polyglot, structure};

/// 16-bit RGBA, the largest pixel format of the decoders.
const MAX_BYTES_PER_PIXEL: u64 = 8;

/// Maximum number of bytes that the PNG decoder allocates for chunks and one row. The chunks of the largest
/// upload fit: the buffer for reading them grows to 32 MiB, and the decoder copies texts. Compressed profiles could
/// otherwise expand to a thousand times their size.
const PNG_CHUNKS_LIMIT: u64 = 64 * 1024 * 1024;

/// A decoded file.
pub(super) struct Decoded {
    /// The pixels as they are stored, without the orientation. RGBA with 8 bits if there are `inks`.
    pub(super) image: DynamicImage,
    /// The meaning of the four channels, if they are not RGB and alpha.
    pub(super) inks: Option<Inks>,
    /// The colors of the samples. `None` means sRGB.
    pub(super) profile: Option<ColorProfile>,
    /// How to turn the pixels upright.
    pub(super) orientation: Orientation,
}

/// Decodes the original.
pub(super) fn decode(original: &[u8], declared: Format) -> Result<Decoded, Rejection> {
    let actual = image::guess_format(original).map_err(|_| Rejection::NotAnImage)?;
    if actual != declared.image_format() {
        return Err(Rejection::FormatMismatch { declared: declared.content_type(), actual: actual.to_mime_type() });
    }
    if structure::is_animation(original, declared) {
        return Err(Rejection::Animation);
    }
    match declared {
        Format::Jpeg => decode_jpeg(original),
        Format::Png | Format::WebP => decode_png_or_webp(original, declared),
    }
}

/// Uses zune-jpeg without the wrapper of `image`, which copies the file.
fn decode_jpeg(original: &[u8]) -> Result<Decoded, Rejection> {
    let structure = jpeg::Structure::read(original);
    if let Some(feature) = structure.unsupported_feature() {
        return Err(Rejection::Unsupported { detail: feature.to_owned() });
    }
    let rejection = |error: DecodeErrors| match structure.trailer {
        None => Rejection::Truncated,
        Some(_) => Rejection::Corrupt { detail: error.to_string() },
    };
    // Real files often break the rules that the strict mode enforces. The checks of dimensions are below.
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(original), options);
    decoder.decode_headers().map_err(rejection)?;
    let info = decoder.info().ok_or(Rejection::Truncated)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    check_pixels(width, height)?;
    check_end(original, Format::Jpeg, structure.trailer)?;

    let (color_space, inks) = match (info.components, decoder.input_colorspace()) {
        (1, _) => (ColorSpace::Luma, None),
        (3, _) => (ColorSpace::RGB, None),
        (4, Some(stored @ (ColorSpace::CMYK | ColorSpace::YCCK))) => {
            (stored, Some(Inks { is_ycck: stored == ColorSpace::YCCK, is_inverted: structure.is_from_adobe }))
        }
        _ => return Err(Rejection::Unsupported { detail: "an unusual color model in a JPEG".to_owned() }),
    };
    let profile = decoder.icc_profile().and_then(|icc| color::parse_profile(&icc));
    decoder.set_options(options.jpeg_set_out_colorspace(color_space));
    let mut samples = vec![0; usize::from(info.width) * usize::from(info.height) * color_space.num_components()];
    decoder.decode_into(&mut samples).map_err(rejection)?;
    let image = match color_space {
        ColorSpace::Luma => GrayImage::from_raw(width, height, samples).map(DynamicImage::from),
        ColorSpace::RGB => RgbImage::from_raw(width, height, samples).map(DynamicImage::from),
        _inks => RgbaImage::from_raw(width, height, samples).map(DynamicImage::from),
    };
    let image = image.ok_or_else(|| Rejection::Corrupt { detail: "samples are missing".to_owned() })?;
    Ok(Decoded { image, inks, profile, orientation: orientation(info.exif_data.as_deref()) })
}

fn decode_png_or_webp(original: &[u8], format: Format) -> Result<Decoded, Rejection> {
    let limits = {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(PIXEL_LIMIT * MAX_BYTES_PER_PIXEL);
        limits
    };
    let trailer = structure::trailer(original, format);
    let rejection = |error: ImageError| match error {
        _ if trailer.is_none() => Rejection::Truncated,
        ImageError::Limits(_) => Rejection::TooLarge,
        ImageError::Unsupported(_) => Rejection::Unsupported { detail: format!("a rare feature of its format ({error})") },
        _ => Rejection::Corrupt { detail: error.to_string() },
    };
    let file = Cursor::new(original);
    let mut decoder: Box<dyn ImageDecoder + '_> = match format {
        Format::Png => {
            // The decoder allocates rows when it is created.
            if let Some((width, height)) = structure::png_size(original) {
                check_pixels(width, height)?;
            }
            let mut limits = Limits::no_limits();
            limits.max_alloc = Some(PNG_CHUNKS_LIMIT);
            Box::new(PngDecoder::with_limits(file, limits).map_err(rejection)?)
        }
        _ => Box::new(WebPDecoder::new(file).map_err(rejection)?),
    };
    let (width, height) = decoder.dimensions();
    check_pixels(width, height)?;
    check_end(original, format, trailer)?;
    if format == Format::WebP {
        webp_lossless::check(original, Size { width, height })?;
    }
    decoder.set_limits(limits).map_err(rejection)?;
    let orientation = orientation(decoder.exif_metadata().unwrap_or_default().as_deref());
    let icc = decoder.icc_profile().unwrap_or_default();
    let profile = match format {
        Format::Png => png_profile(original, icc)?,
        _ => icc.and_then(|icc| color::parse_profile(&icc)),
    };
    let image = DynamicImage::from_decoder(decoder).map_err(rejection)?;
    Ok(Decoded { image, inks: None, profile, orientation })
}

/// Returns the profile of a PNG file, with the priorities of W3C PNG, section 4.3. `None` means sRGB.
fn png_profile(original: &[u8], icc: Option<Vec<u8>>) -> Result<Option<ColorProfile>, Rejection> {
    // H.273: the matrix of RGB, and samples that use the full range.
    const RGB: u8 = 0;
    const FULL_RANGE: u8 = 1;
    const PQ: u8 = 16;
    const HLG: u8 = 18;
    let PngColors { code_points, is_srgb, gamma, chromaticities } = structure::png_colors(original);
    if let Some([primaries, transfer, RGB, FULL_RANGE]) = code_points {
        if let PQ | HLG = transfer {
            return Err(Rejection::Unsupported { detail: "HDR colors".to_owned() });
        }
        if let Some(profile) = color::cicp_profile(primaries, transfer) {
            return Ok(Some(profile));
        }
    }
    if let Some(profile) = icc.and_then(|icc| color::parse_profile(&icc)) {
        return Ok(Some(profile));
    }
    Ok(if is_srgb { None } else { gamma.and_then(|gamma| color::gamma_profile(gamma, chromaticities)) })
}

fn check_pixels(width: u32, height: u32) -> Result<(), Rejection> {
    if u64::from(width) * u64::from(height) > PIXEL_LIMIT || width.max(height) > SIDE_LIMIT {
        return Err(Rejection::TooManyPixels { width, height });
    }
    Ok(())
}

/// Checks that the file is complete and not also of another kind.
///
/// Decoders do not fail if pixels are missing but fill them with gray.
fn check_end(original: &[u8], format: Format, trailer: Option<&[u8]>) -> Result<(), Rejection> {
    let trailer = trailer.ok_or(Rejection::Truncated)?;
    match polyglot::detect(original, format, trailer) {
        Some(other) => Err(Rejection::Polyglot { other }),
        None => Ok(()),
    }
}

/// Invalid EXIF data does not make an image unusable.
fn orientation(exif: Option<&[u8]>) -> Orientation {
    // In a JPEG, a prefix identifies the segment. Some phones and editors also write it in a WebP or PNG chunk.
    let exif = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    /// The name and content of every file in an archive; see tests/samplings/README.md.
    fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
        let mut files = Vec::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.push((entry.name().unwrap().into_owned(), content));
        }
        files
    }

    fn assert_difference(name: &str, actual: &[u8], expected: &[u8]) {
        assert_eq!(actual.len(), expected.len());
        let difference = actual.iter().zip(expected).map(|(actual, expected)| actual.abs_diff(*expected)).max();
        assert!(difference <= Some(4), "{name} differs by {difference:?}");
    }

    #[test]
    fn decodes_every_accepted_sampling_of_four_components_like_libjpeg() {
        let files = files(include_bytes!("../tests/samplings/four-components.zip"));
        let mut compared = 0;
        for (name, jpeg) in files.iter().filter(|(name, _)| name.ends_with(".jpg")) {
            let raw = name.replace(".jpg", ".raw");
            let (_, expected) = files.iter().find(|(name, _)| *name == raw).unwrap();
            let decoded = decode(jpeg, Format::Jpeg).unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
            let inks = decoded.inks.unwrap();
            assert_eq!((inks.is_ycck, inks.is_inverted), (name.ends_with("ycck.jpg"), true), "{name}");
            // libjpeg does not invert.
            let inks = Inks { is_inverted: false, ..inks };
            let actual: Vec<u8> = decoded.image.into_rgba8().pixels().flat_map(|pixel| inks.amounts(pixel.0)).collect();
            assert_difference(name, &actual, expected);
            compared += 1;
        }
        assert_eq!(compared, 2 * 66);
    }

    #[test]
    fn decodes_every_accepted_sampling_like_libjpeg() {
        let files = files(include_bytes!("../tests/samplings/samplings.zip"));
        let mut compared = 0;
        for (name, jpeg) in files.iter().filter(|(name, _)| name.ends_with(".jpg")) {
            let (sampling, _mode) = name.split_once(' ').unwrap();
            let (_, png) = files.iter().find(|(name, _)| *name == format!("{sampling}.png")).unwrap();
            let expected = image::load_from_memory(png).unwrap().into_rgb8();
            let decoded = decode(jpeg, Format::Jpeg).unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
            assert_difference(name, &decoded.image.into_rgb8(), &expected);
            compared += 1;
        }
        assert_eq!(compared, 4 * 42);
    }
}
