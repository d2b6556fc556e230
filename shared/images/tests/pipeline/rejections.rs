use ferrite_images::{Format, Rejection, make_variants};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::decoded::photograph;
use crate::png_chunks::{png, rgb_header};

fn rejection(file: &[u8], claimed: Format) -> Rejection {
    make_variants(file, claimed).expect_err("accepted")
}

#[test]
fn a_text_an_svg_and_nothing_at_all_are_not_images() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    for file in [&b"price list, spring"[..], svg, b""] {
        for claimed in [Format::Jpeg, Format::Png, Format::WebP] {
            assert_eq!(rejection(file, claimed), Rejection::NotAnImage);
        }
    }
}

#[test]
fn an_image_of_another_format_is_refused_and_both_are_named() {
    let png_as_jpeg = rejection(&photograph("chelsea.png"), Format::Jpeg);
    assert_eq!(
        png_as_jpeg.to_string(),
        "The upload was announced as image/jpeg, but the file is image/png. Announce the type that the file has."
    );
    assert_eq!(
        rejection(b"GIF89a\x01\0\x01\0", Format::WebP),
        Rejection::FormatMismatch { claimed: "image/webp", actual: "image/gif" }
    );
}

#[test]
fn a_file_that_was_cut_off_is_refused_wherever_the_cut_is() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("chelsea.png", Format::Png), ("rocket.webp", Format::WebP)] {
        let whole = photograph(name);
        for kept in [20, 1000, whole.len() / 2, whole.len() - 100, whole.len() - 1] {
            assert_eq!(rejection(&whole[..kept], format), Rejection::Truncated, "{name}, {kept} bytes");
        }
    }
}

#[test]
fn damage_that_a_checksum_shows_is_refused() {
    let mut file = photograph("chelsea.png");
    let middle = file.len() / 2;
    file[middle] ^= 1;
    assert!(matches!(rejection(&file, Format::Png), Rejection::Corrupt { .. }));
}

#[test]
fn a_header_without_a_picture_is_refused() {
    let jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 2, 0xFF, 0xD9];
    assert!(matches!(rejection(&jpeg, Format::Jpeg), Rejection::Corrupt { .. }));
}

#[test]
fn a_jpeg_that_would_decode_to_wrong_colours_is_refused() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 80);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_optimized_huffman_tables(true); // which gives each colour a scan of its own
    encoder.encode(&[200; 32 * 32 * 3], 32, 32, ColorType::Rgb).unwrap();
    assert!(matches!(rejection(&file, Format::Jpeg), Rejection::Unsupported { .. }));
}

#[test]
fn a_jpeg_too_large_to_decode_is_refused_from_its_header() {
    let mut file = photograph("coffee.jpg");
    let frame = file.windows(4).position(|bytes| bytes == [0xFF, 0xC0, 0, 17]).unwrap();
    let side = 60_000_u16.to_be_bytes();
    file[frame + 5..frame + 7].copy_from_slice(&side);
    file[frame + 7..frame + 9].copy_from_slice(&side);
    let expected = Rejection::TooManyPixels { width: 60_000, height: 60_000 };
    assert_eq!(rejection(&file, Format::Jpeg), expected);
    assert_eq!(
        expected.to_string(),
        "The image is 60000 × 60000 pixels; at most 50 megapixels are allowed. Upload a smaller one."
    );
}

#[test]
fn a_png_too_large_to_decode_is_refused_from_its_header() {
    let file = png_of(60_000, 60_000);
    assert_eq!(rejection(&file, Format::Png), Rejection::TooManyPixels { width: 60_000, height: 60_000 });
    let widest = rejection(&png_of(i32::MAX.unsigned_abs(), 1), Format::Png);
    assert!(matches!(widest, Rejection::TooManyPixels { .. } | Rejection::TooLarge), "{widest:?}");
}

#[test]
fn a_webp_too_large_to_decode_is_refused_from_its_header() {
    // RFC 9649, section 3.4: a signature, then width and height less one in 14 bits each.
    let sides = (15_999_u32 | 15_999 << 14).to_le_bytes();
    let mut file = b"RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2F".to_vec();
    file.extend(sides);
    file.push(0); // chunks are padded to an even length
    assert_eq!(rejection(&file, Format::WebP), Rejection::TooManyPixels { width: 16_000, height: 16_000 });
}

#[test]
fn codes_are_stable() {
    let detail = String::new;
    let codes = [
        (Rejection::NotAnImage, "not_an_image"),
        (Rejection::FormatMismatch { claimed: "", actual: "" }, "format_mismatch"),
        (Rejection::Truncated, "truncated"),
        (Rejection::Corrupt { detail: detail() }, "corrupt"),
        (Rejection::Unsupported { detail: detail() }, "unsupported"),
        (Rejection::Animation, "animation"),
        (Rejection::Polyglot { other: "" }, "polyglot"),
        (Rejection::TooManyPixels { width: 0, height: 0 }, "too_many_pixels"),
        (Rejection::TooLarge, "too_large"),
    ];
    for (rejection, code) in codes {
        assert_eq!(rejection.code(), code);
    }
}

/// A PNG whose header is right and whose picture is empty.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    png(&[(b"IHDR", rgb_header(width, height)), (b"IDAT", vec![]), (b"IEND", vec![])])
}
