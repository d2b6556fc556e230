//! What the structure of a file says before any of it is decoded: whether it is all there, what lies behind it, and whether
//! it moves. The decoders do not say, so this follows each format to where it says it ends. JPEG has no checksum: damage
//! that leaves its structure whole goes unnoticed.

use super::{Format, jpeg};

/// What lies behind the image, which may be nothing. `None` if the file ends before the image does.
pub(super) fn trailer(file: &[u8], format: Format) -> Option<&[u8]> {
    match format {
        Format::Jpeg => jpeg::trailer(file),
        Format::Png => png_chunks(file).find_map(|(kind, rest)| (kind == *b"IEND").then_some(rest)),
        Format::WebP => webp_trailer(file),
    }
}

/// Whether the file has more than one picture. A JPEG cannot.
pub(super) fn is_animation(file: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => false,
        // W3C PNG, section 11.3.6.2.
        Format::Png => png_chunks(file).any(|(kind, _)| kind == *b"acTL"),
        // RFC 9649, section 2.7: the flags of the first chunk.
        Format::WebP => file.get(12..16) == Some(b"VP8X") && file.get(20).is_some_and(|flags| flags & 0b10 != 0),
    }
}

/// The types of a file's chunks, as long as they are whole, each with what lies behind it (W3C PNG, section 5): behind a
/// signature, each has a length, a type, its data and a checksum.
fn png_chunks(file: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    const SIGNATURE_LENGTH: usize = 8;
    const LENGTH_TYPE_AND_CHECKSUM: usize = 12;

    let mut rest = file.get(SIGNATURE_LENGTH..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let (chunk, next) = rest.split_at_checked(length.checked_add(LENGTH_TYPE_AND_CHECKSUM)?)?;
        rest = next;
        Some((*chunk.get(4..)?.first_chunk()?, rest))
    })
}

/// RFC 9649, section 2.4: "RIFF", then how many bytes follow.
fn webp_trailer(file: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*file.get(4..)?.first_chunk()?);
    file.get(8..)?.get(usize::try_from(length).ok()?..)
}
