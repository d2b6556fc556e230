//! Converts the colors of an image to sRGB.
//!
//! The result is what LittleCMS computes for the perceptual intent: black point compensation applies to profiles with
//! tables. A damaged or unsuitable profile is ignored, as browsers do, because the image is then still usable.

use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use moxcms::{
    BarycentricWeightScale, Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    InterpolationMethod, Layout, MatrixCoefficients, ProfileVersion, RenderingIntent, TransferCharacteristics,
    Transform16BitExecutor, TransformOptions, curve_from_gamma,
};

use super::variant;

/// The black point of the perceptual intent in version 4 profiles, as a luminance (ISO 15076-1, section 6.3.4.3).
const PERCEPTUAL_BLACK: f32 = 0.003_473_1;

/// LittleCMS limits a measured black point to a lightness of 50, which is this luminance.
const MAX_BLACK: f32 = 0.184_187;

/// The tags of an ICC profile that define its colors.
const COLOR_TAGS: [&[u8; 4]; 10] =
    [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"chad", b"A2B0"];

/// The meaning of samples in four channels that are not RGB and alpha.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inks {
    /// The first three channels are YCbCr, to be converted to the inverse of CMY (ITU-T T.872, section 6.5.3).
    pub(super) is_ycck: bool,
    /// The maximum means no ink, as Adobe writes it.
    pub(super) is_inverted: bool,
}

/// Reads an ICC profile. Returns `None` if it is invalid.
///
/// Only the first occurrence of each tag that defines colors is parsed. A profile could otherwise list a large tag
/// thousands of times, or strings that overlap, which the parser copies.
pub(super) fn parse_profile(icc: &[u8]) -> Option<ColorProfile> {
    const HEADER_LENGTH: usize = 128;
    const MAX_TAGS: usize = 100;
    // moxcms rejects larger profiles, too, but only after the copy below.
    const MAX_LENGTH: usize = 10 * 1024 * 1024;
    if icc.len() > MAX_LENGTH {
        return None;
    }
    let (header, tags) = icc.split_at_checked(HEADER_LENGTH)?;
    let (count, tags) = tags.split_first_chunk()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok().filter(|&count| count <= MAX_TAGS)?;
    let entries: Vec<&[u8]> = tags.get(..12 * count)?.chunks_exact(12).collect();
    let wanted: Vec<&[u8]> =
        COLOR_TAGS.iter().filter_map(|tag| entries.iter().copied().find(|entry| entry.starts_with(*tag))).collect();

    let mut profile = header.to_vec();
    profile.extend(u32::try_from(wanted.len()).ok()?.to_be_bytes());
    profile.extend(wanted.concat());
    profile.extend(icc.get(profile.len()..)?);
    ColorProfile::new_from_slice(&profile).ok()
}

/// Returns the profile for the code points of a PNG (ITU-T H.273), or `None` if it has no chromaticities or no curve.
pub(super) fn cicp_profile(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
        transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.is_matrix_shaper().then_some(profile)
}

/// Returns the profile for the gamma of a PNG, and for the chromaticities of white, red, green and blue, both times 100,000.
/// Returns `None` if they mean sRGB or are invalid.
pub(super) fn gamma_profile(gamma: u32, chromaticities: Option<[u32; 8]>) -> Option<ColorProfile> {
    const ONE: f32 = 100_000.0;
    /// What encoders write for sRGB.
    const SRGB_GAMMA: std::ops::RangeInclusive<u32> = 45_000..=46_000;
    const SRGB: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];

    let has_srgb_primaries =
        chromaticities.is_none_or(|numbers| numbers.iter().zip(SRGB).all(|(number, srgb)| number.abs_diff(srgb) <= 100));
    if gamma == 0 || SRGB_GAMMA.contains(&gamma) && has_srgb_primaries {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    if let Some(numbers) = chromaticities.filter(|_| !has_srgb_primaries) {
        let [white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y] = numbers.map(|number| number as f32 / ONE);
        let primaries = ColorPrimaries {
            red: Chromaticity::new(red_x, red_y),
            green: Chromaticity::new(green_x, green_y),
            blue: Chromaticity::new(blue_x, blue_y),
        };
        profile.update_rgb_colorimetry(Chromaticity::new(white_x, white_y).to_xyyb(), primaries);
        let colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
        if colorants.iter().any(|color| !(color.x.is_finite() && color.y.is_finite() && color.z.is_finite())) {
            return None;
        }
    }
    let curve = curve_from_gamma(ONE / gamma as f32);
    (profile.red_trc, profile.green_trc, profile.blue_trc) = (Some(curve.clone()), Some(curve.clone()), Some(curve));
    Some(profile)
}

/// Converts `image` to sRGB on white.
pub(super) fn to_srgb(image: DynamicImage, inks: Option<Inks>, profile: Option<&ColorProfile>) -> RgbImage {
    if let (Some(inks), DynamicImage::ImageRgba8(stored)) = (inks, &image) {
        return inks_to_srgb(stored, inks, profile);
    }
    let converted = profile.and_then(|profile| match profile.color_space {
        DataColorSpace::Gray if !image.color().has_color() => gray_to_srgb(&image, profile),
        DataColorSpace::Rgb if profile.lut_a_to_b_perceptual.is_some() || bits(&image) == 16 => {
            rgb_to_srgb_16(&image, profile)
        }
        DataColorSpace::Rgb => rgb_to_srgb(&image, profile),
        _unsuitable => None,
    });
    variant::on_white(converted.unwrap_or(image))
}

fn bits(image: &DynamicImage) -> u16 {
    8 * u16::from(image.color().bytes_per_pixel()) / u16::from(image.color().channel_count())
}

const OPTIONS: TransformOptions = TransformOptions {
    rendering_intent: RenderingIntent::Perceptual,
    // LittleCMS and the browsers use the curves of a profile.
    allow_use_cicp_transfer: false,
    prefer_fixed_point: true,
    interpolation_method: InterpolationMethod::Linear,
    barycentric_weight_scale: BarycentricWeightScale::Low,
};

fn rgb_to_srgb(image: &DynamicImage, profile: &ColorProfile) -> Option<DynamicImage> {
    let layout = if image.color().has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let transform = profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), layout, OPTIONS).ok()?;
    if image.color().has_alpha() {
        let source = image.to_rgba8();
        let mut converted = RgbaImage::new(source.width(), source.height());
        transform.transform(&source, &mut converted).ok()?;
        Some(converted.into())
    } else {
        let source = image.to_rgb8();
        let mut converted = RgbImage::new(source.width(), source.height());
        transform.transform(&source, &mut converted).ok()?;
        Some(converted.into())
    }
}

/// Converts with 16 bits per sample, which are necessary for the black point compensation, too.
fn rgb_to_srgb_16(image: &DynamicImage, profile: &ColorProfile) -> Option<DynamicImage> {
    let layout = if image.color().has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let transform = profile.create_transform_16bit(layout, &ColorProfile::new_srgb(), layout, OPTIONS).ok()?;
    let black = [0, 0, 0, u16::MAX];
    let levels = levels(profile, &*transform, &black[..layout.channels()])?;
    let level = |sample: u16| levels.get(usize::from(sample)).copied().unwrap_or_default();
    if image.color().has_alpha() {
        let source = image.to_rgba16();
        let mut converted = vec![0; source.len()];
        transform.transform(&source, &mut converted).ok()?;
        let samples = converted.chunks_exact(4).flat_map(|pixel| match *pixel {
            [red, green, blue, alpha] => [level(red), level(green), level(blue), to_8_bits(alpha)],
            _ => [0; 4],
        });
        Some(RgbaImage::from_raw(source.width(), source.height(), samples.collect())?.into())
    } else {
        let source = image.to_rgb16();
        let mut converted = vec![0; source.len()];
        transform.transform(&source, &mut converted).ok()?;
        let samples = converted.into_iter().map(level).collect();
        Some(RgbImage::from_raw(source.width(), source.height(), samples)?.into())
    }
}

/// Converts samples of ink to sRGB. Without a suitable profile, it multiplies the light that each ink lets through.
fn inks_to_srgb(stored: &RgbaImage, inks: Inks, profile: Option<&ColorProfile>) -> RgbImage {
    let cmyk = || stored.pixels().map(|pixel| inks.amounts(pixel.0));
    let convert = |profile: &ColorProfile| {
        let srgb = ColorProfile::new_srgb();
        let transform = profile.create_transform_16bit(Layout::Rgba, &srgb, Layout::Rgb, OPTIONS).ok()?;
        let levels = levels(profile, &*transform, &[u16::MAX; 4])?;
        let source: Vec<u16> = cmyk().flatten().map(|amount| u16::from(amount) * 257).collect();
        let mut converted = vec![0; source.len() / 4 * 3];
        transform.transform(&source, &mut converted).ok()?;
        let samples = converted.into_iter().map(|sample| levels.get(usize::from(sample)).copied().unwrap_or_default());
        RgbImage::from_raw(stored.width(), stored.height(), samples.collect())
    };
    let profile = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk);
    profile.and_then(convert).unwrap_or_else(|| {
        let mut converted = RgbImage::new(stored.width(), stored.height());
        for (pixel, [cyan, magenta, yellow, black]) in converted.pixels_mut().zip(cmyk()) {
            let light = |ink: u8| multiply(u8::MAX - ink, u8::MAX - black);
            pixel.0 = [light(cyan), light(magenta), light(yellow)];
        }
        converted
    })
}

/// The product of two fractions of 255.
fn multiply(a: u8, b: u8) -> u8 {
    let product = (u16::from(a) * u16::from(b) + 127) / 255;
    u8::try_from(product).unwrap_or(u8::MAX)
}

impl Inks {
    /// The amounts of cyan, magenta, yellow and black. 0 means no ink.
    pub(super) fn amounts(self, stored: [u8; 4]) -> [u8; 4] {
        let [c, m, y, k] = stored;
        let [c, m, y] = if self.is_ycck { ycc_to_rgb([c, m, y]).map(|sample| u8::MAX - sample) } else { [c, m, y] };
        if self.is_inverted { [c, m, y, k].map(|sample| u8::MAX - sample) } else { [c, m, y, k] }
    }
}

/// ITU-T T.871, section 7.
fn ycc_to_rgb(ycc: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = ycc.map(f32::from);
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|sample| to_level(sample / 255.0))
}

/// Converts each gray value with the curve of `profile`.
fn gray_to_srgb(image: &DynamicImage, profile: &ColorProfile) -> Option<DynamicImage> {
    let curve = profile.gray_trc.as_ref()?.make_linear_evaluator().ok()?;
    let levels: Vec<u8> = (0..=u16::MAX)
        .map(|gray| {
            let value = curve.evaluate_value(f32::from(gray) / f32::from(u16::MAX));
            let luminance = if profile.pcs == DataColorSpace::Lab { lightness_to_luminance(100.0 * value) } else { value };
            to_level(encode(luminance))
        })
        .collect();
    let level = |gray: u16| levels.get(usize::from(gray)).copied().unwrap_or_default();
    let (width, height) = (image.width(), image.height());
    if image.color().has_alpha() {
        let source = image.to_luma_alpha16();
        let samples = source.pixels().flat_map(|pixel| [level(pixel.0[0]), to_8_bits(pixel.0[1])]);
        Some(GrayAlphaImage::from_raw(width, height, samples.collect())?.into())
    } else {
        let samples = image.to_luma16().iter().map(|&gray| level(gray)).collect();
        Some(GrayImage::from_raw(width, height, samples)?.into())
    }
}

/// The 8-bit level of each 16-bit sample in sRGB, after black point compensation.
fn levels(profile: &ColorProfile, transform: &Transform16BitExecutor, darkest: &[u16]) -> Option<Vec<u8>> {
    let black = if profile.lut_a_to_b_perceptual.is_none() {
        0.0
    } else if profile.version() >= ProfileVersion::V4_0 {
        PERCEPTUAL_BLACK
    } else {
        let mut converted = vec![0; if darkest.len() == 4 && profile.color_space == DataColorSpace::Rgb { 4 } else { 3 }];
        transform.transform(darkest, &mut converted).ok()?;
        let weights = [0.2126, 0.7152, 0.0722];
        let luminance: f32 = converted.iter().zip(weights).map(|(&sample, weight)| weight * decode(sample)).sum();
        luminance.min(MAX_BLACK)
    };
    let compensated = |sample| encode((decode(sample) - black) / (1.0 - black));
    Some((0..=u16::MAX).map(|sample| to_level(compensated(sample))).collect())
}

/// The light of a sample in sRGB (IEC 61966-2-1).
fn decode(sample: u16) -> f32 {
    let encoded = f32::from(sample) / f32::from(u16::MAX);
    if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

/// The inverse of [`decode`].
fn encode(light: f32) -> f32 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

/// The luminance of a lightness in CIE L*a*b*.
fn lightness_to_luminance(lightness: f32) -> f32 {
    if lightness > 8.0 { ((lightness + 16.0) / 116.0).powi(3) } else { lightness * 27.0 / 24389.0 }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is clamped to the range of the type")]
fn to_level(fraction: f32) -> u8 {
    (fraction.clamp(0.0, 1.0) * 255.0).round() as u8
}

fn to_8_bits(sample: u16) -> u8 {
    u8::try_from((u32::from(sample) + 128) / 257).unwrap_or(u8::MAX)
}
