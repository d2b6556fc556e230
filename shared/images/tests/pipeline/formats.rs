//! What cameras and drawing programs make of the three formats, built here.

use std::io::Cursor;

use ferrite_images::{Format, make_variants};
use image::{DynamicImage, GrayAlphaImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};
use image::{ImageBuffer, RgbaImage};
use jpeg_encoder::{ColorType, Encoder};

use crate::decoded::{assert_same_layout, photograph, pixels};

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 60];
const BLUE: [u8; 3] = [30, 60, 220];
const YELLOW: [u8; 3] = [240, 220, 40];

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// Quarters of plain colour: top left, top right, bottom left, bottom right.
fn quarters(width: u32, height: u32, colours: [[u8; 3]; 4]) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let quarter = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
        Rgb(colours[quarter])
    })
}

/// `jpeg` with an EXIF segment that says nothing but its orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut segment = b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    segment.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn every_exif_orientation_is_shown_upright() {
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
    let stored = encoded(quarters(160, 96, [RED, GREEN, BLUE, YELLOW]), ImageFormat::Jpeg);
    for (orientation, colours) in upright {
        let made = make_variants(&with_orientation(&stored, orientation), Format::Jpeg).unwrap();
        let (width, height) = if orientation < 5 { (160, 96) } else { (96, 160) };
        assert_eq!((made.display.width, made.display.height), (width, height));
        assert_same_layout(&pixels(&made.display), &quarters(width, height, colours));
    }
}

#[test]
fn an_impossible_orientation_is_ignored() {
    let stored = quarters(160, 96, [RED, GREEN, BLUE, YELLOW]);
    let file = with_orientation(&encoded(stored.clone(), ImageFormat::Jpeg), 200);
    let made = make_variants(&file, Format::Jpeg).unwrap();
    assert_same_layout(&pixels(&made.display), &stored);
}

#[test]
fn a_large_picture_is_shrunk_and_keeps_its_aspect() {
    let stored = quarters(2400, 1801, [RED, GREEN, BLUE, YELLOW]);
    let made = make_variants(&encoded(stored.clone(), ImageFormat::Jpeg), Format::Jpeg).unwrap();
    assert_eq!((made.display.width, made.display.height), (1600, 1201));
    assert_eq!((made.thumbnail.width, made.thumbnail.height), (320, 240));
    assert_same_layout(&pixels(&made.display), &stored);
}

#[test]
fn a_small_picture_is_not_enlarged() {
    let file = encoded(RgbImage::new(40, 30), ImageFormat::Png);
    let made = make_variants(&file, Format::Png).unwrap();
    assert_eq!((made.thumbnail.width, made.thumbnail.height), (40, 30));
    assert_eq!((made.display.width, made.display.height), (40, 30));
}

#[test]
fn a_hairline_keeps_a_pixel_of_width() {
    let file = encoded(RgbImage::new(1, 5000), ImageFormat::Png);
    let made = make_variants(&file, Format::Png).unwrap();
    assert_eq!((made.display.width, made.display.height), (1, 1600));
    assert_eq!((made.thumbnail.width, made.thumbnail.height), (1, 320));
}

#[test]
fn what_is_transparent_becomes_white() {
    let half_red = RgbaImage::from_pixel(2000, 100, Rgba([255, 0, 0, 128]));
    let half_red_16 = ImageBuffer::from_pixel(2000, 100, Rgba([65535_u16, 0, 0, 32768]));
    let clear_grey = GrayAlphaImage::from_pixel(2000, 100, LumaA([0, 0]));
    let clear_grey_16 = ImageBuffer::from_pixel(2000, 100, LumaA([0_u16, 0]));
    let cases = [
        (encoded(half_red.clone(), ImageFormat::Png), Format::Png, [255, 127, 127]),
        (encoded(half_red, ImageFormat::WebP), Format::WebP, [255, 127, 127]),
        (encoded(half_red_16, ImageFormat::Png), Format::Png, [255, 127, 127]),
        (encoded(clear_grey, ImageFormat::Png), Format::Png, [255; 3]),
        (encoded(clear_grey_16, ImageFormat::Png), Format::Png, [255; 3]),
    ];
    for (file, format, colour) in cases {
        let display = pixels(&make_variants(&file, format).unwrap().display);
        assert_same_layout(&display, &RgbImage::from_pixel(1600, 80, Rgb(colour)));
    }
}

#[test]
fn grey_pictures_stay_grey() {
    let grey = ImageBuffer::from_pixel(80, 60, Luma([0x9999_u16]));
    let grey_8 = DynamicImage::from(grey.clone()).to_luma8();
    let expected = RgbImage::from_pixel(80, 60, Rgb([0x99; 3]));
    for (file, format) in
        [(encoded(grey, ImageFormat::Png), Format::Png), (encoded(grey_8, ImageFormat::Jpeg), Format::Jpeg)]
    {
        let display = pixels(&make_variants(&file, format).unwrap().display);
        assert_same_layout(&display, &expected);
    }
}

#[test]
fn a_jpeg_made_for_print_is_shown_in_its_colours() {
    let inks = [0, 255, 255, 0].repeat(64 * 64); // no cyan, full magenta and yellow, no black: red
    let mut file = Vec::new();
    Encoder::new(&mut file, 95).encode(&inks, 64, 64, ColorType::Cmyk).unwrap();
    let display = pixels(&make_variants(&file, Format::Jpeg).unwrap().display);
    assert_same_layout(&display, &RgbImage::from_pixel(64, 64, Rgb([255, 0, 0])));
}

#[test]
fn a_progressive_jpeg_is_decoded_to_its_last_scan() {
    let coffee = image::load_from_memory(&photograph("coffee.jpg")).unwrap().to_rgb8();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_progressive(true);
    encoder.encode(&coffee, 600, 400, ColorType::Rgb).unwrap();
    let made = make_variants(&file, Format::Jpeg).unwrap();
    assert_same_layout(&pixels(&made.display), &coffee);
}
