//! What the structure of a file says before any of it is decoded: whether it is all there, and whether it moves. The
//! decoders do not say, so this follows each format to where it says it ends; what lies beyond (a phone's motion photograph, say) is not looked at. JPEG has no checksum: damage that
//! leaves its structure whole goes unnoticed.

use super::{Format, jpeg};

pub(super) fn is_complete(file: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => jpeg::ends(file),
        Format::Png => png_ends(file).is_some(),
        Format::WebP => webp_ends(file).is_some(),
    }
}

/// Whether the file has more than one picture. A JPEG cannot.
pub(super) fn is_animation(file: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => false,
        // W3C PNG, section 11.3.6.2.
        Format::Png => png_chunks(file).any(|kind| kind == *b"acTL"),
        // RFC 9649, section 2.7: the flags of the first chunk.
        Format::WebP => file.get(12..16) == Some(b"VP8X") && file.get(20).is_some_and(|flags| flags & 0b10 != 0),
    }
}

fn png_ends(file: &[u8]) -> Option<()> {
    png_chunks(file).any(|kind| kind == *b"IEND").then_some(())
}

/// The types of a file's chunks, as long as they are whole (W3C PNG, section 5): behind a signature, each has a length, a
/// type, its data and a checksum.
fn png_chunks(file: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    const SIGNATURE_LENGTH: usize = 8;
    const LENGTH_TYPE_AND_CHECKSUM: usize = 12;

    let mut rest = file.get(SIGNATURE_LENGTH..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let (chunk, next) = rest.split_at_checked(length.checked_add(LENGTH_TYPE_AND_CHECKSUM)?)?;
        rest = next;
        chunk.get(4..)?.first_chunk().copied()
    })
}

/// RFC 9649, section 2.4: "RIFF", then how many bytes follow.
fn webp_ends(file: &[u8]) -> Option<()> {
    let length = u32::from_le_bytes(*file.get(4..)?.first_chunk()?);
    let body = file.get(8..)?;
    body.get(..usize::try_from(length).ok()?).map(drop)
}
