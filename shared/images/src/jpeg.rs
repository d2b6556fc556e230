//! The structure of a JPEG file (ITU-T T.81, annex B), as far as the decoder leaves it to us.

const STUFFED_ZERO: u8 = 0x00;
const TEMPORARY: u8 = 0x01;
const BASELINE: u8 = 0xC0;
const EXTENDED_SEQUENTIAL: u8 = 0xC1;
const RESTART_0: u8 = 0xD0;
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const FILL: u8 = 0xFF;

/// What lies behind the image, if it ends.
pub(super) fn trailer(file: &[u8]) -> Option<&[u8]> {
    markers(file).find_map(|(marker, rest)| (marker == END_OF_IMAGE).then_some(rest))
}

/// Whether each colour has a scan of its own without the file being progressive. No camera writes such files, a few
/// optimisers do. zune-jpeg 0.5.15 gives their colours wrong and no error (its issues 419, 422 and 448): once `image`
/// is on a version that decodes them, this can go.
pub(super) fn has_separate_scans(file: &[u8]) -> bool {
    let sequential = markers(file).any(|(marker, _)| matches!(marker, BASELINE | EXTENDED_SEQUENTIAL));
    let scans = markers(file).filter(|&(marker, _)| marker == START_OF_SCAN);
    sequential && scans.count() > 1
}

/// The markers up to and with the end of image, each with what lies behind its segment: segments carry their length, and in
/// the data that follows a start of scan 0xFF is always followed by 0x00 or a restart marker.
fn markers(file: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = file;
    std::iter::from_fn(move || {
        loop {
            let marker = rest.iter().position(|&byte| byte == 0xFF)? + 1;
            rest = rest.get(marker..)?;
            match *rest.first()? {
                FILL => {}
                STUFFED_ZERO | TEMPORARY | RESTART_0..=START_OF_IMAGE => rest = rest.get(1..)?,
                END_OF_IMAGE => {
                    let trailer = rest.get(1..)?;
                    rest = &[];
                    return Some((END_OF_IMAGE, trailer));
                }
                segment => {
                    let length = u16::from_be_bytes(*rest.get(1..)?.first_chunk()?);
                    rest = rest.get(1 + usize::from(length)..)?;
                    return Some((segment, rest));
                }
            }
        }
    })
}
