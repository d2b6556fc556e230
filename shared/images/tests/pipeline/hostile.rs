//! Whatever a file holds, the answer is variants or a rejection; a panic fails the test.

use std::io::Cursor;

use ferrite_images::{Format, make_variants};
use image::{ImageFormat, imageops};
use jpeg_encoder::{ColorType, Encoder};

use crate::decoded::photograph;

/// One small real picture in each kind of file.
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
fn every_cut_is_refused() {
    for (file, format) in files() {
        for kept in (0..file.len()).step_by(file.len() / 300 + 1) {
            assert!(make_variants(&file[..kept], format).is_err(), "{format:?} of {kept} bytes");
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let mut random = Random(0x5EED);
    for (file, format) in files() {
        for _ in 0..200 {
            let mut damaged = file.clone();
            for _ in 0..=random.below(8) {
                let at = random.below(damaged.len());
                damaged[at] ^= 1 << random.below(8);
            }
            let _either = make_variants(&damaged, format);
        }
    }
}

#[test]
fn flipped_bits_in_the_header_never_panic() {
    let mut random = Random(0xBEEF);
    for (file, format) in files() {
        for _ in 0..200 {
            let mut damaged = file.clone();
            let at = random.below(damaged.len().min(200));
            damaged[at] = u8::try_from(random.below(256)).unwrap();
            let _either = make_variants(&damaged, format);
        }
    }
}

/// SplitMix64: the same damage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }
}
