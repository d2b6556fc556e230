use ferrite_images::{Format, Rejection, make_variants};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::attacks::compressed_zeros;
use crate::decoded::photograph;
use crate::png_chunks::{png, rgb_header};

fn rejection(file: &[u8], declared: Format) -> Rejection {
    make_variants(file, declared).expect_err("the file was accepted")
}

#[test]
fn rejects_text_svg_and_empty_files() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    for file in [&b"price list, spring"[..], svg, b""] {
        for declared in [Format::Jpeg, Format::Png, Format::WebP] {
            assert_eq!(rejection(file, declared), Rejection::NotAnImage);
        }
    }
}

#[test]
fn rejects_an_image_of_another_format_and_names_both() {
    let png_as_jpeg = rejection(&photograph("chelsea.png"), Format::Jpeg);
    assert_eq!(
        png_as_jpeg.to_string(),
        "The upload was declared as image/jpeg, but the file is image/png. Request an upload with the type of the file."
    );
    assert_eq!(
        rejection(b"GIF89a\x01\0\x01\0", Format::WebP),
        Rejection::FormatMismatch { declared: "image/webp", actual: "image/gif" }
    );
}

#[test]
fn rejects_a_file_truncated_at_any_point() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("chelsea.png", Format::Png), ("rocket.webp", Format::WebP)] {
        let whole = photograph(name);
        for length in [20, 1000, whole.len() / 2, whole.len() - 100, whole.len() - 1] {
            assert_eq!(rejection(&whole[..length], format), Rejection::Truncated, "{name}, {length} bytes");
        }
    }
}

#[test]
fn rejects_a_file_with_a_checksum_mismatch() {
    let mut file = photograph("chelsea.png");
    let middle = file.len() / 2;
    file[middle] ^= 1;
    assert!(matches!(rejection(&file, Format::Png), Rejection::Corrupt { .. }));
}

#[test]
fn rejects_a_header_without_image_data() {
    let jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 2, 0xFF, 0xD9];
    assert!(matches!(rejection(&jpeg, Format::Jpeg), Rejection::Corrupt { .. }));
}

#[test]
fn rejects_a_jpeg_that_would_decode_to_wrong_colors() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 80);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_optimized_huffman_tables(true); // writes a separate scan for each color
    encoder.encode(&[200; 32 * 32 * 3], 32, 32, ColorType::Rgb).unwrap();
    assert!(matches!(rejection(&file, Format::Jpeg), Rejection::Unsupported { .. }));
}

#[test]
fn rejects_a_jpeg_with_too_many_pixels_in_its_header() {
    let mut file = photograph("coffee.jpg");
    let frame = file.windows(4).position(|bytes| bytes == [0xFF, 0xC0, 0, 17]).unwrap();
    let side = 60_000_u16.to_be_bytes();
    file[frame + 5..frame + 7].copy_from_slice(&side);
    file[frame + 7..frame + 9].copy_from_slice(&side);
    let expected = Rejection::TooManyPixels { width: 60_000, height: 60_000 };
    assert_eq!(rejection(&file, Format::Jpeg), expected);
    assert_eq!(
        expected.to_string(),
        "The image is 60000 × 60000 pixels; at most 50 megapixels and 65535 pixels per side are allowed. Upload a smaller \
         image."
    );
}

#[test]
fn accepts_the_largest_photographs_of_phones_but_no_larger_ones() {
    // One bit per pixel keeps the file small.
    let black = |width: u32, height: u32| {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
        let rows = usize::try_from(height * (1 + width / 8)).unwrap();
        png(&[(b"IHDR", header), (b"IDAT", compressed_zeros(rows)), (b"IEND", vec![])])
    };
    for (width, height) in [(8160, 6144), (8192, 6144), (6144, 8192)] {
        let variants = make_variants(&black(width, height), Format::Png).unwrap();
        assert_eq!(variants.display.width.max(variants.display.height), 1600);
    }
    let rejected = Rejection::TooManyPixels { width: 8192, height: 6152 };
    assert_eq!(rejection(&black(8192, 6152), Format::Png), rejected);
}

#[test]
fn rejects_a_png_with_too_many_pixels_in_its_header() {
    let file = png_of(60_000, 60_000);
    assert_eq!(rejection(&file, Format::Png), Rejection::TooManyPixels { width: 60_000, height: 60_000 });
    for (width, height) in [(65_536, 1), (1, 65_536), (25_165_824, 2), (i32::MAX.unsigned_abs(), 1)] {
        assert_eq!(rejection(&png_of(width, height), Format::Png), Rejection::TooManyPixels { width, height });
    }
}

#[test]
fn rejects_a_webp_with_too_many_pixels_in_its_header() {
    // RFC 9649, section 3.4: a signature, then width and height minus one in 14 bits each.
    let sides = (15_999_u32 | 15_999 << 14).to_le_bytes();
    let mut file = b"RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2F".to_vec();
    file.extend(sides);
    file.push(0); // chunks are padded to an even length
    assert_eq!(rejection(&file, Format::WebP), Rejection::TooManyPixels { width: 16_000, height: 16_000 });
}

#[test]
fn returns_stable_codes() {
    let detail = String::new;
    let codes = [
        (Rejection::NotAnImage, "not_an_image"),
        (Rejection::FormatMismatch { declared: "", actual: "" }, "format_mismatch"),
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

/// A PNG with a valid header and no image data.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    png(&[(b"IHDR", rgb_header(width, height)), (b"IDAT", vec![]), (b"IEND", vec![])])
}
