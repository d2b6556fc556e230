//! Checks the structure of a file before decoding: whether the file is complete, which data follows the image, and
//! whether the image is animated. The decoders do not report this. JPEG has no checksum, so damage that leaves the
//! structure intact is not detected.

use super::{Format, jpeg};

/// The data after the image, which may be empty. `None` if the file ends before the end of the image.
pub(super) fn trailer(file: &[u8], format: Format) -> Option<&[u8]> {
    match format {
        Format::Jpeg => jpeg::Structure::read(file).trailer,
        Format::Png => png_chunks(file).find_map(|chunk| (chunk.kind == *b"IEND").then_some(chunk.remainder)),
        Format::WebP => webp_trailer(file),
    }
}

/// Returns whether the file has more than one frame. JPEG has no animations.
///
/// A container for animations with a single frame is a still image, such as the result of removing frames.
pub(super) fn is_animation(file: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => false,
        // W3C PNG, section 11.3.6.2: the data begins with the number of frames.
        Format::Png => png_chunks(file).any(|chunk| {
            chunk.kind == *b"acTL" && chunk.data.first_chunk().is_some_and(|&frames| u32::from_be_bytes(frames) > 1)
        }),
        Format::WebP => webp_chunks(file).filter(|chunk| chunk.kind == *b"ANMF").nth(1).is_some(),
    }
}

/// The width and height in the header of a PNG file (W3C PNG, section 11.2.1).
pub(super) fn png_size(file: &[u8]) -> Option<(u32, u32)> {
    let header = png_chunks(file).next().filter(|chunk| chunk.kind == *b"IHDR")?;
    let (width, data) = header.data.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*data.first_chunk()?)))
}

/// The chunks of a PNG file that define its colors, except the ICC profile (W3C PNG, section 11.3.2).
#[derive(Default)]
pub(super) struct PngColors {
    /// `cICP`: color primaries, transfer function, matrix, and whether samples use the full range.
    pub(super) code_points: Option<[u8; 4]>,
    /// `sRGB` is present.
    pub(super) is_srgb: bool,
    /// `gAMA`: the exponent from light to samples, times 100,000.
    pub(super) gamma: Option<u32>,
    /// `cHRM`: x and y of white, red, green and blue, times 100,000.
    pub(super) chromaticities: Option<[u32; 8]>,
}

/// Reads the chunks that define the colors of a PNG file.
pub(super) fn png_colors(file: &[u8]) -> PngColors {
    let mut colors = PngColors::default();
    for PngChunk { kind, data, .. } in png_chunks(file).take_while(|chunk| chunk.kind != *b"IDAT") {
        match &kind {
            b"cICP" => colors.code_points = data.first_chunk().copied(),
            b"sRGB" => colors.is_srgb = true,
            b"gAMA" => colors.gamma = data.first_chunk().map(|&gamma| u32::from_be_bytes(gamma)),
            b"cHRM" => {
                let mut numbers = data.chunks_exact(4).filter_map(|number| Some(u32::from_be_bytes(*number.first_chunk()?)));
                let numbers = [(); 8].map(|()| numbers.next());
                colors.chromaticities = numbers.iter().all(Option::is_some).then(|| numbers.map(Option::unwrap_or_default));
            }
            _ => {}
        }
    }
    colors
}

/// A chunk of a PNG file.
struct PngChunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// The data after the chunk.
    remainder: &'a [u8],
}

/// The complete chunks of a PNG file.
///
/// A file is a signature followed by chunks. Each chunk has a length, a type, data and a checksum (W3C PNG, section 5).
fn png_chunks(file: &[u8]) -> impl Iterator<Item = PngChunk<'_>> {
    const SIGNATURE_LENGTH: usize = 8;
    const LENGTH_TYPE_AND_CHECKSUM: usize = 12;

    let mut remainder = file.get(SIGNATURE_LENGTH..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_be_bytes(*remainder.first_chunk()?)).ok()?;
        let (chunk, next) = remainder.split_at_checked(length.checked_add(LENGTH_TYPE_AND_CHECKSUM)?)?;
        remainder = next;
        let (kind, data) = chunk.get(4..)?.split_first_chunk()?;
        Some(PngChunk { kind: *kind, data: data.get(..length)?, remainder })
    })
}

/// RFC 9649, section 2.4: "RIFF", followed by the number of bytes after this field.
fn webp_trailer(file: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*file.get(4..)?.first_chunk()?);
    file.get(8..)?.get(usize::try_from(length).ok()?..)
}

/// A chunk of a WebP file.
pub(super) struct RiffChunk<'a> {
    pub(super) kind: [u8; 4],
    pub(super) data: &'a [u8],
}

/// The chunks of a WebP file.
pub(super) fn webp_chunks(file: &[u8]) -> impl Iterator<Item = RiffChunk<'_>> {
    const RIFF_HEADER_LENGTH: usize = 12;

    riff_chunks(file.get(RIFF_HEADER_LENGTH..).unwrap_or_default())
}

/// Each chunk has a type, a length, and data that is padded to an even length (RFC 9649, section 2.3). The data of the last
/// one may be incomplete.
pub(super) fn riff_chunks(chunks: &[u8]) -> impl Iterator<Item = RiffChunk<'_>> {
    let mut remainder = chunks;
    std::iter::from_fn(move || {
        let (kind, chunk) = remainder.split_first_chunk()?;
        let (length, data) = chunk.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        remainder = data.get(length.checked_next_multiple_of(2)?..).unwrap_or_default();
        Some(RiffChunk { kind: *kind, data: data.get(..length).unwrap_or(data) })
    })
}
