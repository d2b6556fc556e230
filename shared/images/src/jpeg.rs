//! Reads the structure of a JPEG file (ITU-T T.81, annex B), for the checks that the decoder does not make.

use memchr::memchr;

const STUFFED_ZERO: u8 = 0x00;
const TEMPORARY: u8 = 0x01;
const BASELINE: u8 = 0xC0;
const EXTENDED_SEQUENTIAL: u8 = 0xC1;
const PROGRESSIVE: u8 = 0xC2;
const RESTART_0: u8 = 0xD0;
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const APP14: u8 = 0xEE;
const HIERARCHICAL_PROGRESSION: u8 = 0xDE;
const JPEG_LS: u8 = 0xF7;
const FILL: u8 = 0xFF;

/// The parts of a file that decide whether and how it is decoded.
#[derive(Default)]
pub(super) struct Structure<'a> {
    frame: Option<Frame>,
    scans: usize,
    /// Whether there is a segment of Adobe, whose programs write CMYK inverted.
    pub(super) is_from_adobe: bool,
    has_unusual_adobe_segment: bool,
    /// The data after the end of the image, or `None` if there is no end-of-image marker.
    pub(super) trailer: Option<&'a [u8]>,
}

/// A frame header.
struct Frame {
    marker: u8,
    bits: u8,
    height: u16,
    sampling: Vec<Sampling>,
}

/// The sampling factors of a color component: its samples per block of pixels in each direction.
#[derive(Clone, Copy)]
struct Sampling {
    horizontal: u8,
    vertical: u8,
}

impl<'a> Structure<'a> {
    /// Reads the structure of `file`, as far as it is intact.
    pub(super) fn read(file: &'a [u8]) -> Self {
        let mut structure = Self::default();
        for Segment { marker, data, remainder } in segments(file) {
            match marker {
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | HIERARCHICAL_PROGRESSION | JPEG_LS
                    if structure.frame.is_none() =>
                {
                    structure.frame = Frame::parse(marker, data);
                }
                START_OF_SCAN => structure.scans += 1,
                APP14 if data.starts_with(b"Adobe") => {
                    // The last byte is the color transform (ITU-T T.872, section 6.5.3).
                    structure.has_unusual_adobe_segment |= !matches!(data.get(11), Some(0..=2));
                    structure.is_from_adobe = true;
                }
                END_OF_IMAGE => structure.trailer = Some(remainder),
                _ => {}
            }
        }
        structure
    }

    /// Returns the feature of the file that the decoder does not support, if there is one.
    ///
    /// The decoder reports most of these as damage, and decodes some to a wrong picture without an error.
    pub(super) fn unsupported_feature(&self) -> Option<&'static str> {
        let frame = self.frame.as_ref()?;
        match frame.marker {
            BASELINE | EXTENDED_SEQUENTIAL | PROGRESSIVE => {}
            0xC9 | 0xCA => return Some("arithmetic coding"),
            0xC3 | 0xCB | JPEG_LS => return Some("lossless JPEG coding"),
            _ => return Some("hierarchical JPEG coding"),
        }
        if frame.bits != 8 {
            return Some("more than 8 bits per color in a JPEG");
        }
        if frame.height == 0 {
            return Some("a JPEG header without the height of the image");
        }
        if !matches!(frame.sampling.len(), 1 | 3 | 4) {
            return Some("an unusual number of color components in a JPEG");
        }
        if !frame.has_supported_sampling() {
            return Some("an unusual chroma subsampling");
        }
        // zune-jpeg 0.5.15 fails, although other decoders ignore the segment.
        if self.has_unusual_adobe_segment {
            return Some("an unusual Adobe segment in a JPEG");
        }
        // No camera writes such files, but a few optimizers do. zune-jpeg 0.5.15 decodes them to wrong colors without an
        // error (its issues 419, 422 and 448). Remove this check when `image` uses a version that decodes them correctly.
        if frame.marker != PROGRESSIVE && self.scans > 1 {
            return Some("a separate scan for each color in a JPEG");
        }
        None
    }
}

impl Frame {
    fn parse(marker: u8, data: &[u8]) -> Option<Self> {
        let [bits, height @ .., _, _, _] = data.first_chunk::<6>()?;
        let components = data.get(6..)?.chunks_exact(3);
        let sampling = components.map(|component| Sampling { horizontal: component[1] >> 4, vertical: component[1] & 0xF });
        Some(Self { marker, bits: *bits, height: u16::from_be_bytes(*height), sampling: sampling.collect() })
    }

    /// Returns whether the decoder is correct for the sampling factors.
    ///
    /// The rule was found by comparing zune-jpeg 0.5.15 with libjpeg for every combination that cjpeg writes; see
    /// tests/samplings/README.md. It covers what cameras and image editors write: chroma at the full resolution of luma, or
    /// reduced to one sample per block in either direction. Outside of it, chroma can be wider than luma, which decodes to a
    /// wrong picture.
    fn has_supported_sampling(&self) -> bool {
        // An interleaved scan has at most 10 blocks per unit (ITU-T T.81, B.2.3).
        const MAX_BLOCKS: u32 = 10;
        let blocks: u32 =
            self.sampling.iter().map(|factors| u32::from(factors.horizontal) * u32::from(factors.vertical)).sum();
        if self.sampling.len() > 1 && blocks > MAX_BLOCKS {
            return false;
        }
        let Some((luma, others)) = self.sampling.split_first() else {
            return false;
        };
        let is_full_or_one = |sampling: u8, of_luma: u8| sampling == 1 || sampling == of_luma;
        let others_are_supported = others
            .iter()
            .all(|other| is_full_or_one(other.horizontal, luma.horizontal) && is_full_or_one(other.vertical, luma.vertical));
        let others_are_single = others.iter().all(|other| (other.horizontal, other.vertical) == (1, 1));
        match (luma.horizontal, luma.vertical) {
            (1 | 2 | 4, 1..=4) if others.is_empty() => true,
            (1 | 2, 1..=4) | (4, 1) => others_are_supported,
            (4, 2) => others_are_single,
            _ => false,
        }
    }
}

/// A marker with the data of its segment and everything after the segment.
struct Segment<'a> {
    marker: u8,
    data: &'a [u8],
    remainder: &'a [u8],
}

/// The segments up to and including the end of the image.
///
/// Segments state their length. In the data after a start of scan, 0xFF is always followed by 0x00 or a restart marker.
fn segments(file: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut remainder = file;
    std::iter::from_fn(move || {
        loop {
            let marker = memchr(0xFF, remainder)? + 1;
            remainder = remainder.get(marker..)?;
            match *remainder.first()? {
                FILL => {}
                STUFFED_ZERO | TEMPORARY | RESTART_0..=START_OF_IMAGE => remainder = remainder.get(1..)?,
                END_OF_IMAGE => {
                    let trailer = remainder.get(1..)?;
                    remainder = &[];
                    return Some(Segment { marker: END_OF_IMAGE, data: &[], remainder: trailer });
                }
                marker => {
                    let length = u16::from_be_bytes(*remainder.get(1..)?.first_chunk()?);
                    let (segment, next) = remainder.split_at_checked(1 + usize::from(length))?;
                    remainder = next;
                    return Some(Segment { marker, data: segment.get(3..).unwrap_or_default(), remainder });
                }
            }
        }
    })
}
