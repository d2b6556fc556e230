//! Reads the structure of a JPEG file (ITU-T T.81, annex B), for the checks that the decoder does not make.

const STUFFED_ZERO: u8 = 0x00;
const TEMPORARY: u8 = 0x01;
const BASELINE: u8 = 0xC0;
const EXTENDED_SEQUENTIAL: u8 = 0xC1;
const RESTART_0: u8 = 0xD0;
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const FILL: u8 = 0xFF;

/// The data after the end of the image, or `None` if there is no end-of-image marker.
pub(super) fn trailer(file: &[u8]) -> Option<&[u8]> {
    markers(file).find_map(|(marker, remainder)| (marker == END_OF_IMAGE).then_some(remainder))
}

/// Returns whether a sequential (non-progressive) file has a separate scan for each color.
///
/// No camera writes such files, but a few optimizers do. zune-jpeg 0.5.15 decodes them to wrong colors without an error
/// (its issues 419, 422 and 448). Remove this check when `image` uses a version that decodes them correctly.
pub(super) fn has_separate_scans(file: &[u8]) -> bool {
    let sequential = markers(file).any(|(marker, _)| matches!(marker, BASELINE | EXTENDED_SEQUENTIAL));
    let scans = markers(file).filter(|&(marker, _)| marker == START_OF_SCAN);
    sequential && scans.count() > 1
}

/// The markers up to and including the end of the image, each with the data after its segment.
///
/// Segments state their length. In the data after a start of scan, 0xFF is always followed by 0x00 or a restart marker.
fn markers(file: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut remainder = file;
    std::iter::from_fn(move || {
        loop {
            let marker = remainder.iter().position(|&byte| byte == 0xFF)? + 1;
            remainder = remainder.get(marker..)?;
            match *remainder.first()? {
                FILL => {}
                STUFFED_ZERO | TEMPORARY | RESTART_0..=START_OF_IMAGE => remainder = remainder.get(1..)?,
                END_OF_IMAGE => {
                    let trailer = remainder.get(1..)?;
                    remainder = &[];
                    return Some((END_OF_IMAGE, trailer));
                }
                segment => {
                    let length = u16::from_be_bytes(*remainder.get(1..)?.first_chunk()?);
                    remainder = remainder.get(1 + usize::from(length)..)?;
                    return Some((segment, remainder));
                }
            }
        }
    })
}
