//! Measures the memory that small files need if they are designed to waste it.
//!
//! The peak is read from /proc, so this runs on Linux only. It is a test of its own, because other tests in the process
//! would change the peak.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "clippy does not treat functions in integration tests as tests")]

#[path = "pipeline/png_chunks.rs"]
mod png_chunks;
#[path = "pipeline/webp_groups.rs"]
mod webp_groups;

use std::fs;
use std::io::Write as _;

use ferrite_images::{Format, Rejection, make_variants};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use png_chunks::{png, rgb_header};
use webp_groups::webp_with_groups;

fn compressed_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; bytes]).unwrap();
    encoder.finish().unwrap()
}

/// Calls `make_variants` and asserts that this process never needs more than 200 MiB.
fn make_variants_in_little_memory(file: &[u8], format: Format) -> Result<(), Rejection> {
    const LIMIT_KIB: u64 = 200 * 1024;
    fs::write("/proc/self/clear_refs", "5").unwrap(); // resets the peak
    let result = make_variants(file, format).map(|_variants| ());
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak <= LIMIT_KIB, "{} bytes of {format:?} need {} MiB: {result:?}", file.len(), peak / 1024);
    result
}

#[test]
fn small_files_need_little_memory() {
    let profile = [&b"profile\0\0"[..], &compressed_zeros(390_000_000)].concat();
    let pixels = compressed_zeros(8 * (1 + 8 * 3));
    let mut chunks = vec![(b"IHDR", rgb_header(8, 8)), (b"iCCP", profile), (b"IDAT", pixels), (b"IEND", vec![])];
    assert_eq!(make_variants_in_little_memory(&png(&chunks), Format::Png), Ok(()));

    let profile = [&b"profile\0\0"[..], &compressed_zeros(60_000_000)].concat();
    chunks[1].1 = profile;
    assert_eq!(make_variants_in_little_memory(&png(&chunks), Format::Png), Ok(()));

    // Rows of 201 MB.
    let header = [&25_165_824_u32.to_be_bytes()[..], &2_u32.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
    let wide = png(&[(b"IHDR", header), (b"IDAT", compressed_zeros(2 * (1 + 25_165_824 * 8))), (b"IEND", vec![])]);
    let rejected = Rejection::TooManyPixels { width: 25_165_824, height: 2 };
    assert_eq!(make_variants_in_little_memory(&wide, Format::Png), Err(rejected));

    assert_eq!(make_variants_in_little_memory(&webp_with_groups(256, 256, 4), Format::WebP), Ok(()));
    let rejected = Err(Rejection::TooLarge);
    assert_eq!(make_variants_in_little_memory(&webp_with_groups(256, 256, 16), Format::WebP), rejected);
    assert_eq!(make_variants_in_little_memory(&webp_with_groups(256, 256, 256), Format::WebP), rejected);
}
