//! Tests with small files that are designed to be expensive to decode.

use std::io::Write as _;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ferrite_images::{Format, Rejection, Variants, make_variants};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder};

use crate::decoded::photograph;
use crate::png_chunks::{png, rgb_header};

/// The timeout of process-image in template.yaml.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `make_variants`. Panics if it takes longer than the function's timeout.
fn make_variants_in_time(file: Vec<u8>, format: Format) -> Result<Variants, Rejection> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(make_variants(&file, format)));
    receiver.recv_timeout(FUNCTION_TIMEOUT).expect("the file was not processed before the function's timeout")
}

fn progressive_jpeg(side: u16) -> Vec<u8> {
    let pixels = RgbImage::new(side.into(), side.into());
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 80);
    encoder.set_progressive(true);
    encoder.encode(&pixels, side, side, ColorType::Rgb).unwrap();
    file
}

/// `bytes` zeros compressed with zlib, to about a thousandth of the size.
pub(crate) fn compressed_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; bytes]).unwrap();
    encoder.finish().unwrap()
}

/// A PNG of 8 × 8 pixels with extra chunks before the image data.
fn png_with_chunks(extra: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut chunks = vec![(b"IHDR", rgb_header(8, 8))];
    chunks.extend_from_slice(extra);
    chunks.extend([(b"IDAT", compressed_zeros(8 * (1 + 8 * 3))), (b"IEND", vec![])]);
    png(&chunks)
}

#[test]
fn rejects_a_jpeg_with_ten_thousand_scans() {
    let mut file = progressive_jpeg(7_000);
    let last_scan = file.windows(2).rposition(|marker| marker == [0xFF, 0xDA]).unwrap();
    let scan = file[last_scan..file.len() - 2].to_vec();
    file.truncate(file.len() - 2);
    for _ in 0..10_000 {
        file.extend_from_slice(&scan[..scan.len().min(900)]);
    }
    file.extend([0xFF, 0xD9]);
    match make_variants_in_time(file, Format::Jpeg) {
        Err(Rejection::Corrupt { detail }) => assert!(detail.contains("Too many scans"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejects_ten_thousand_frames_before_decoding() {
    let mut chunks = vec![(b"IHDR", rgb_header(8, 8)), (b"acTL", [10_000_u32.to_be_bytes(), [0; 4]].concat())];
    let pixels = compressed_zeros(8 * (1 + 8 * 3));
    for frame in 0..10_000_u32 {
        let mut control = [(2 * frame).to_be_bytes(), [0, 0, 0, 8], [0, 0, 0, 8], [0; 4], [0; 4]].concat();
        control.extend([0, 1, 0, 1, 0, 0]);
        chunks.push((b"fcTL", control));
        let data = if frame == 0 { pixels.clone() } else { [&(2 * frame + 1).to_be_bytes()[..], &pixels].concat() };
        chunks.push((if frame == 0 { b"IDAT" } else { b"fdAT" }, data));
    }
    chunks.push((b"IEND", vec![]));
    assert_eq!(make_variants_in_time(png(&chunks), Format::Png), Err(Rejection::Animation));

    // RFC 9649, section 2.7: the animation flag, then width and height minus one.
    let frame = [b"ANMF".to_vec(), 16_u32.to_le_bytes().to_vec(), vec![0; 16]].concat();
    let mut body = b"WEBPVP8X\x0A\0\0\0\x02\0\0\0\x07\0\0\x07\0\0ANIM\x06\0\0\0\0\0\0\0\0\0".to_vec();
    body.extend(frame.repeat(10_000));
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    assert_eq!(make_variants_in_time([&b"RIFF"[..], &size, &body].concat(), Format::WebP), Err(Rejection::Animation));
}

#[test]
fn accepts_compressed_metadata_that_expands_to_a_thousand_times_its_size() {
    let bomb = compressed_zeros(200_000_000);
    let profile = [&b"profile\0\0"[..], &bomb].concat();
    let text = [&b"Comment\0\0"[..], &bomb].concat();
    let international = [&b"Comment\0\x01\0\0\0"[..], &bomb].concat();
    for chunk in [(b"iCCP", profile), (b"zTXt", text), (b"iTXt", international)] {
        let variants = make_variants_in_time(png_with_chunks(&[chunk]), Format::Png).unwrap();
        assert_eq!((variants.display.width, variants.display.height), (8, 8));
    }
}

#[test]
fn accepts_metadata_as_large_as_an_upload() {
    let large = |start: &[u8]| [start, &vec![b' '; 26_000_000]].concat();
    for chunk in [(b"eXIf", large(b"MM\0\x2A")), (b"tEXt", large(b"Comment\0")), (b"iCCP", large(b"profile\0\0"))] {
        let variants = make_variants_in_time(png_with_chunks(&[chunk]), Format::Png).unwrap();
        assert_eq!((variants.display.width, variants.display.height), (8, 8));
    }
}

#[test]
fn ignores_image_data_beyond_the_size_in_the_header() {
    let bomb = compressed_zeros(200_000_000);
    let file = png(&[(b"IHDR", rgb_header(8, 8)), (b"IDAT", bomb), (b"IEND", vec![])]);
    let variants = make_variants_in_time(file, Format::Png).unwrap();
    assert_eq!((variants.display.width, variants.display.height), (8, 8));
}

#[test]
fn ignores_malicious_exif_data() {
    let photo = photograph("coffee.jpg");
    let entry = |tag: [u8; 2], kind: [u8; 2], count: [u8; 4], value: [u8; 4]| [&tag[..], &kind, &count, &value].concat();
    let directory = |entries: u16, first: &[u8]| {
        [&b"Exif\0\0MM\0\x2A\0\0\0\x08"[..], &entries.to_be_bytes(), first, &[0, 0, 0, 8]].concat()
    };
    let orientation = [1, 18];
    for exif in [
        directory(1, &entry(orientation, [0, 3], [0xFF; 4], [0xFF; 4])),
        directory(0xFFFF, &entry(orientation, [0, 3], [0, 0, 0, 1], [0, 99, 0, 0])),
        directory(1, &entry([0x87, 0x69], [0, 4], [0, 0, 0, 1], [0, 0, 0, 8])), // a directory that contains itself
        directory(1, &entry(orientation, [0, 0xFF], [0, 0, 0, 1], [0; 4])),
        b"Exif\0\0".to_vec(),
        b"Exif\0\0II\x2A\0\xFF\xFF\xFF\xFF".to_vec(),
        [&b"Exif\0\0MM\0\x2A"[..], &vec![0xFF; 65_000]].concat(),
    ] {
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let file = [&photo[..2], &[0xFF, 0xE1], &length, &exif, &photo[2..]].concat();
        let variants = make_variants_in_time(file, Format::Jpeg).unwrap();
        assert_eq!((variants.display.width, variants.display.height), (600, 400), "{:?}", &exif[..exif.len().min(30)]);
    }
}
