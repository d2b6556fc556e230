//! Checks the structure of a file before decoding: whether the file is complete, which data follows the image, and
//! whether the image is animated. The decoders do not report this. JPEG has no checksum, so damage that leaves the
//! structure intact is not detected.

use super::{Format, jpeg};

/// The data after the image, which may be empty. `None` if the file ends before the end of the image.
pub(super) fn trailer(file: &[u8], format: Format) -> Option<&[u8]> {
    match format {
        Format::Jpeg => jpeg::Structure::read(file).trailer,
        Format::Png => png_chunks(file).find_map(|(kind, remainder)| (kind == *b"IEND").then_some(remainder)),
        Format::WebP => webp_trailer(file),
    }
}

/// Returns whether the file is an animation. JPEG has no animations.
pub(super) fn is_animation(file: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => false,
        // W3C PNG, section 11.3.6.2.
        Format::Png => png_chunks(file).any(|(kind, _)| kind == *b"acTL"),
        // RFC 9649, section 2.7: the flags of the first chunk.
        Format::WebP => file.get(12..16) == Some(b"VP8X") && file.get(20).is_some_and(|flags| flags & 0b10 != 0),
    }
}

/// The types of the complete chunks of a PNG file, each with the data after the chunk.
///
/// A file is a signature followed by chunks. Each chunk has a length, a type, data and a checksum (W3C PNG, section 5).
fn png_chunks(file: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    const SIGNATURE_LENGTH: usize = 8;
    const LENGTH_TYPE_AND_CHECKSUM: usize = 12;

    let mut remainder = file.get(SIGNATURE_LENGTH..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_be_bytes(*remainder.first_chunk()?)).ok()?;
        let (chunk, next) = remainder.split_at_checked(length.checked_add(LENGTH_TYPE_AND_CHECKSUM)?)?;
        remainder = next;
        Some((*chunk.get(4..)?.first_chunk()?, remainder))
    })
}

/// RFC 9649, section 2.4: "RIFF", followed by the number of bytes after this field.
fn webp_trailer(file: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*file.get(4..)?.first_chunk()?);
    file.get(8..)?.get(usize::try_from(length).ok()?..)
}
