//! Robustness tests: damaged files must yield variants or a rejection, never a panic.

use std::io::Cursor;

use ferrite_images::{Format, make_variants};
use image::{ImageFormat, imageops};
use jpeg_encoder::{ColorType, Encoder};

use crate::decoded::photograph;

/// Number of damaged versions of each profile.
const PROFILE_CASES: usize = 100;

/// Small photographs in every format.
fn files() -> Vec<(Vec<u8>, Format)> {
    let coffee = image::load_from_memory(&photograph("coffee.jpg")).unwrap();
    let small = coffee.resize(72, 48, imageops::FilterType::Triangle).to_rgb8();
    let mut files = Vec::new();
    for progressive in [false, true] {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 80);
        encoder.set_progressive(progressive);
        encoder.encode(&small, 72, 48, ColorType::Rgb).unwrap();
        files.push((jpeg, Format::Jpeg));
    }
    for (codec, format) in [(ImageFormat::Png, Format::Png), (ImageFormat::WebP, Format::WebP)] {
        let mut file = Cursor::new(Vec::new());
        small.write_to(&mut file, codec).unwrap();
        files.push((file.into_inner(), format));
    }
    files.push((photograph("rocket.webp"), Format::WebP));
    files
}

#[test]
fn rejects_truncated_files() {
    for (file, format) in files() {
        for length in (0..file.len()).step_by(file.len() / 300 + 1) {
            assert!(make_variants(&file[..length], format).is_err(), "{format:?} of {length} bytes");
        }
    }
}

#[test]
fn does_not_panic_on_flipped_bits() {
    let mut random = Random(0x5EED);
    for (file, format) in files() {
        for _ in 0..200 {
            let mut damaged = file.clone();
            for _ in 0..=random.below(8) {
                let position = random.below(damaged.len());
                damaged[position] ^= 1 << random.below(8);
            }
            let _result = make_variants(&damaged, format);
        }
    }
}

#[test]
fn does_not_panic_on_changed_header_bytes() {
    let mut random = Random(0xBEEF);
    for (file, format) in files() {
        for _ in 0..200 {
            let mut damaged = file.clone();
            let position = random.below(damaged.len().min(200));
            damaged[position] = u8::try_from(random.below(256)).unwrap();
            let _result = make_variants(&damaged, format);
        }
    }
}

#[test]
fn does_not_panic_on_damaged_profiles() {
    let mut random = Random(0x1CC);
    for name in ["display-p3.jpg", "gray-1.8.jpg", "cmyk.jpg"] {
        let file = std::fs::read(format!("{}/tests/colors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let profile = file.windows(12).position(|bytes| bytes == b"ICC_PROFILE\0").unwrap() + 14;
        let length = usize::from(u16::from_be_bytes([file[profile - 16], file[profile - 15]])) - 16;
        for _ in 0..PROFILE_CASES {
            let mut damaged = file.clone();
            for _ in 0..=random.below(3) {
                // The header, the table of tags, and the beginning of the tags.
                let position = profile + random.below(length.min(500));
                let extremes = [0, 1, 4, 0x7F, 0x80, 0xFF];
                damaged[position] = if random.below(2) == 0 {
                    extremes[random.below(6)]
                } else {
                    damaged[position] ^ (1 << random.below(8))
                };
            }
            assert!(make_variants(&damaged, Format::Jpeg).is_ok(), "{name}");
        }
    }
}

/// A SplitMix64 generator with a fixed seed, so that every run damages the files in the same way.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }
}
