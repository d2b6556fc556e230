//! Tests with generated files in the variations of the three formats that cameras and drawing programs write.

use std::io::Cursor;

use ferrite_images::{Format, make_variants};
use image::{DynamicImage, GrayAlphaImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};
use image::{ImageBuffer, RgbaImage};
use jpeg_encoder::{ColorType, Encoder};

use crate::decoded::{assert_similar, photograph, pixels};
use crate::png_chunks::chunk;

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 60];
const BLUE: [u8; 3] = [30, 60, 220];
const YELLOW: [u8; 3] = [240, 220, 40];

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// An image of four solid-color quadrants: top left, top right, bottom left, bottom right.
fn quadrants(width: u32, height: u32, colors: [[u8; 3]; 4]) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let quadrant = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
        Rgb(colors[quadrant])
    })
}

/// Adds an EXIF segment with only an orientation to `jpeg`.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut segment = b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    segment.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn applies_every_exif_orientation() {
    let upright = [
        (1, [RED, GREEN, BLUE, YELLOW]),
        (2, [GREEN, RED, YELLOW, BLUE]),
        (3, [YELLOW, BLUE, GREEN, RED]),
        (4, [BLUE, YELLOW, RED, GREEN]),
        (5, [RED, BLUE, GREEN, YELLOW]),
        (6, [BLUE, RED, YELLOW, GREEN]),
        (7, [YELLOW, GREEN, BLUE, RED]),
        (8, [GREEN, YELLOW, RED, BLUE]),
    ];
    let stored = encoded(quadrants(160, 96, [RED, GREEN, BLUE, YELLOW]), ImageFormat::Jpeg);
    for (orientation, colors) in upright {
        let variants = make_variants(&with_orientation(&stored, orientation), Format::Jpeg).unwrap();
        let (width, height) = if orientation < 5 { (160, 96) } else { (96, 160) };
        assert_eq!((variants.display.width, variants.display.height), (width, height));
        assert_similar(&pixels(&variants.display), &quadrants(width, height, colors));
    }
}

/// A chunk of a WebP file (RFC 9649, section 2.3).
fn webp_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let mut chunk = [&kind[..], &length, data].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// A WebP file with a `VP8X` chunk (RFC 9649, section 2.7), followed by `chunks`.
fn extended_webp(flags: u8, (width, height): (u32, u32), chunks: &[u8]) -> Vec<u8> {
    let [width, height] = [width, height].map(|side| (side - 1).to_le_bytes());
    let extended = webp_chunk(b"VP8X", &[&[flags, 0, 0, 0], &width[..3], &height[..3]].concat());
    webp_chunk(b"RIFF", &[&b"WEBP"[..], &extended, chunks].concat())
}

/// The image data of a WebP file without metadata.
fn webp_image_chunk(image: &RgbImage) -> Vec<u8> {
    const RIFF_HEADER_LENGTH: usize = 12;
    encoded(image.clone(), ImageFormat::WebP)[RIFF_HEADER_LENGTH..].to_vec()
}

/// Inserts `chunks` after the header of a PNG.
fn with_png_chunks(png: &[u8], chunks: &[u8]) -> Vec<u8> {
    const SIGNATURE_AND_HEADER: usize = 33;
    let (header, image) = png.split_at(SIGNATURE_AND_HEADER);
    [header, chunks, image].concat()
}

#[test]
fn applies_the_orientation_in_exif_chunks_with_and_without_a_prefix() {
    let stored = quadrants(160, 96, [RED, GREEN, BLUE, YELLOW]);
    let upright = quadrants(96, 160, [BLUE, RED, YELLOW, GREEN]);
    let exif = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    for exif in [exif.to_vec(), [&b"Exif\0\0"[..], exif].concat()] {
        const HAS_EXIF: u8 = 0b1000;
        let chunks = [webp_image_chunk(&stored), webp_chunk(b"EXIF", &exif)].concat();
        let png = with_png_chunks(&encoded(stored.clone(), ImageFormat::Png), &chunk(b"eXIf", &exif));
        for (file, format) in [(extended_webp(HAS_EXIF, (160, 96), &chunks), Format::WebP), (png, Format::Png)] {
            assert_similar(&pixels(&make_variants(&file, format).unwrap().display), &upright);
        }
    }
}

#[test]
fn treats_an_animation_with_one_frame_as_a_still_image() {
    const IS_ANIMATION: u8 = 0b10;
    let image = quadrants(160, 96, [RED, GREEN, BLUE, YELLOW]);

    // W3C PNG, section 11.3.6: one frame, repeated forever. The frame control chunk makes the image data its first frame.
    let animation = chunk(b"acTL", &[1_u32.to_be_bytes(), [0; 4]].concat());
    let frame = [[0; 4], 160_u32.to_be_bytes(), 96_u32.to_be_bytes(), [0; 4], [0; 4], [0, 1, 0, 1], [0; 4]].concat();
    let animation = [animation, chunk(b"fcTL", &frame[..26])].concat();
    let png = with_png_chunks(&encoded(image.clone(), ImageFormat::Png), &animation);

    // RFC 9649, section 2.7: the position, then width and height minus one in 24 bits each, the duration, and flags.
    let frame = [&[0; 6][..], &[159, 0, 0], &[95, 0, 0], &[100, 0, 0], &[0], &webp_image_chunk(&image)].concat();
    let chunks = [webp_chunk(b"ANIM", &[0; 6]), webp_chunk(b"ANMF", &frame)].concat();
    let webp = extended_webp(IS_ANIMATION, (160, 96), &chunks);

    for (file, format) in [(png, Format::Png), (webp, Format::WebP)] {
        assert_similar(&pixels(&make_variants(&file, format).unwrap().display), &image);
    }
}

#[test]
fn ignores_an_invalid_orientation() {
    let stored = quadrants(160, 96, [RED, GREEN, BLUE, YELLOW]);
    let file = with_orientation(&encoded(stored.clone(), ImageFormat::Jpeg), 200);
    let variants = make_variants(&file, Format::Jpeg).unwrap();
    assert_similar(&pixels(&variants.display), &stored);
}

#[test]
fn shrinks_a_large_image_and_keeps_its_aspect_ratio() {
    let stored = quadrants(2400, 1801, [RED, GREEN, BLUE, YELLOW]);
    let variants = make_variants(&encoded(stored.clone(), ImageFormat::Jpeg), Format::Jpeg).unwrap();
    assert_eq!((variants.display.width, variants.display.height), (1600, 1201));
    assert_eq!((variants.thumbnail.width, variants.thumbnail.height), (320, 240));
    assert_similar(&pixels(&variants.display), &stored);
}

#[test]
fn does_not_enlarge_a_small_image() {
    let file = encoded(RgbImage::new(40, 30), ImageFormat::Png);
    let variants = make_variants(&file, Format::Png).unwrap();
    assert_eq!((variants.thumbnail.width, variants.thumbnail.height), (40, 30));
    assert_eq!((variants.display.width, variants.display.height), (40, 30));
}

#[test]
fn keeps_a_one_pixel_wide_image_one_pixel_wide() {
    let file = encoded(RgbImage::new(1, 5000), ImageFormat::Png);
    let variants = make_variants(&file, Format::Png).unwrap();
    assert_eq!((variants.display.width, variants.display.height), (1, 1600));
    assert_eq!((variants.thumbnail.width, variants.thumbnail.height), (1, 320));
}

#[test]
fn blends_transparent_pixels_with_white() {
    let half_red = RgbaImage::from_pixel(2000, 100, Rgba([255, 0, 0, 128]));
    let half_red_16 = ImageBuffer::from_pixel(2000, 100, Rgba([65535_u16, 0, 0, 32768]));
    let transparent_gray = GrayAlphaImage::from_pixel(2000, 100, LumaA([0, 0]));
    let transparent_gray_16 = ImageBuffer::from_pixel(2000, 100, LumaA([0_u16, 0]));
    let cases = [
        (encoded(half_red.clone(), ImageFormat::Png), Format::Png, [255, 127, 127]),
        (encoded(half_red, ImageFormat::WebP), Format::WebP, [255, 127, 127]),
        (encoded(half_red_16, ImageFormat::Png), Format::Png, [255, 127, 127]),
        (encoded(transparent_gray, ImageFormat::Png), Format::Png, [255; 3]),
        (encoded(transparent_gray_16, ImageFormat::Png), Format::Png, [255; 3]),
    ];
    for (file, format, color) in cases {
        let display = pixels(&make_variants(&file, format).unwrap().display);
        assert_similar(&display, &RgbImage::from_pixel(1600, 80, Rgb(color)));
    }
}

#[test]
fn keeps_grayscale_images_gray() {
    let gray = ImageBuffer::from_pixel(80, 60, Luma([0x9999_u16]));
    let gray_8 = DynamicImage::from(gray.clone()).to_luma8();
    let expected = RgbImage::from_pixel(80, 60, Rgb([0x99; 3]));
    for (file, format) in
        [(encoded(gray, ImageFormat::Png), Format::Png), (encoded(gray_8, ImageFormat::Jpeg), Format::Jpeg)]
    {
        let display = pixels(&make_variants(&file, format).unwrap().display);
        assert_similar(&display, &expected);
    }
}

#[test]
fn converts_cmyk_jpegs_to_rgb() {
    let pixels_cmyk = [0, 255, 255, 0].repeat(64 * 64); // no cyan, full magenta and yellow, no black: red
    let mut file = Vec::new();
    Encoder::new(&mut file, 95).encode(&pixels_cmyk, 64, 64, ColorType::Cmyk).unwrap();
    let display = pixels(&make_variants(&file, Format::Jpeg).unwrap().display);
    assert_similar(&display, &RgbImage::from_pixel(64, 64, Rgb([255, 0, 0])));
}

#[test]
fn decodes_all_scans_of_a_progressive_jpeg() {
    let coffee = image::load_from_memory(&photograph("coffee.jpg")).unwrap().to_rgb8();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_progressive(true);
    encoder.encode(&coffee, 600, 400, ColorType::Rgb).unwrap();
    let variants = make_variants(&file, Format::Jpeg).unwrap();
    assert_similar(&pixels(&variants.display), &coffee);
}
