//! Whether a file is all there. The decoders do not say, so this follows each format's own structure to where it says
//! it ends; what lies beyond (a phone's motion photograph, say) is not looked at. JPEG has no checksum: damage that
//! leaves its structure whole goes unnoticed.

use super::{Format, jpeg};

pub(super) fn is_complete(file: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => jpeg::ends(file),
        Format::Png => png_ends(file).is_some(),
        Format::WebP => webp_ends(file).is_some(),
    }
}

/// W3C PNG, section 5: a signature, then chunks of length, type, data and checksum; the last is IEND.
fn png_ends(file: &[u8]) -> Option<()> {
    const SIGNATURE_LENGTH: usize = 8;
    const LENGTH_TYPE_AND_CHECKSUM: usize = 12;

    let mut rest = file.get(SIGNATURE_LENGTH..)?;
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let (chunk, next) = rest.split_at_checked(length.checked_add(LENGTH_TYPE_AND_CHECKSUM)?)?;
        if chunk.get(4..8)? == b"IEND" {
            return Some(());
        }
        rest = next;
    }
}

/// RFC 9649, section 2.4: "RIFF", then how many bytes follow.
fn webp_ends(file: &[u8]) -> Option<()> {
    let length = u32::from_le_bytes(*file.get(4..)?.first_chunk()?);
    let body = file.get(8..)?;
    body.get(..usize::try_from(length).ok()?).map(drop)
}
