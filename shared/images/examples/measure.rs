//! Measures the time to process a photograph, and the peak memory of the largest images that are accepted: each kind of
//! file that takes much memory. Fails if a file is rejected, or if a color profile takes more than 15 % more time.
//!
//! ```sh
//! cargo run --release -p ferrite-images --example measure
//! ```
//!
//! Each image is processed in a process of its own. The peak is read from /proc, so this runs on Linux only.

#![allow(clippy::print_stdout, reason = "this is a command")]
#![allow(clippy::unwrap_used, reason = "webp_groups is part of the tests")]

use std::error::Error;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ferrite_domain::UploadSize;
use ferrite_images::{Format, PIXEL_LIMIT, SIDE_LIMIT, make_variants};
use image::imageops::FilterType;
use image::{DynamicImage, ImageBuffer, ImageFormat, RgbImage, Rgba};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use moxcms::ColorProfile;

#[path = "../tests/pipeline/webp_groups.rs"]
mod webp_groups;

use webp_groups::webp_with_groups;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The largest accepted number of bytes, which the memory for the file adds to that for the pixels.
const FILE_BYTES: usize = 25 * 1024 * 1024;

/// The largest photographs of phones.
const LARGEST: (u16, u16) = (8192, 6144);

const _: () = assert!(FILE_BYTES as u64 == UploadSize::MAX);
const _: () = assert!(LARGEST.0 as u64 * LARGEST.1 as u64 == PIXEL_LIMIT);

/// The longest rows that are accepted.
const WIDEST: (u32, u32) = (SIDE_LIMIT, (PIXEL_LIMIT / SIDE_LIMIT as u64) as u32);

/// 12 megapixels.
const COMMON: (u16, u16) = (4032, 3024);

const RUNS: usize = 21;

/// The most time that a color profile may take, as a multiple of the time without one.
const MAX_RATIO: f64 = 1.15;

/// Rounded to the same number of digits as it is printed.
fn rounded(ratio: f64) -> f64 {
    (ratio * 100.0).round() / 100.0
}

fn main() -> Result<()> {
    if let [_, format, path] = std::env::args().collect::<Vec<_>>().as_slice() {
        return process(format, Path::new(path));
    }
    measure_time()?;
    measure_memory()
}

/// Processes one file and prints the time and the peak memory of this process.
fn process(format: &str, path: &Path) -> Result<()> {
    let format = match format {
        "jpeg" => Format::Jpeg,
        "png" => Format::Png,
        _ => Format::WebP,
    };
    let file = fs::read(path)?;
    let start = Instant::now();
    make_variants(&file, format)?;
    let duration = start.elapsed();
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    println!("{:4} MiB, {:.1} s", kibibytes / 1024, duration.as_secs_f64());
    Ok(())
}

/// The photograph of the tests, enlarged.
fn photograph((width, height): (u16, u16)) -> Result<RgbImage> {
    let photo = image::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/photos/coffee.jpg"))?;
    Ok(photo.resize_exact(width.into(), height.into(), FilterType::CatmullRom).into_rgb8())
}

fn measure_time() -> Result<()> {
    let (width, height) = COMMON;
    let photo = photograph(COMMON)?;
    let encode = |profile: Option<Vec<u8>>| -> Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 90);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        if let Some(profile) = profile {
            encoder.add_icc_profile(&profile)?;
        }
        encoder.encode(&photo, width, height, ColorType::Rgb)?;
        Ok(file)
    };
    let files = [encode(None)?, encode(Some(ColorProfile::new_display_p3().encode()?))?];
    let mut durations = [Vec::new(), Vec::new()];
    for _ in 0..RUNS {
        for (file, durations) in files.iter().zip(&mut durations) {
            let start = Instant::now();
            make_variants(file, Format::Jpeg)?;
            durations.push(start.elapsed());
        }
    }
    let [srgb, display_p3] = durations.map(median);
    println!("{width} × {height} JPEG, median of {RUNS} runs:");
    println!("  sRGB, without a profile  {:4.0} ms", 1000.0 * srgb.as_secs_f64());
    let ratio = rounded(display_p3.as_secs_f64() / srgb.as_secs_f64());
    println!("  Display P3               {:4.0} ms, {ratio:.2} ×", 1000.0 * display_p3.as_secs_f64());
    if ratio > MAX_RATIO {
        return Err(format!("Display P3 takes {ratio:.2} times as long; repeat this on a machine without other load").into());
    }
    Ok(())
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

fn measure_memory() -> Result<()> {
    let (width, height) = LARGEST;
    println!("{width} × {height}, files of {FILE_BYTES} bytes: peak memory and time");
    let photo = photograph(LARGEST)?;
    let jpeg = |samples: &[u8], color: ColorType, is_progressive: bool| -> Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 92);
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        encoder.set_progressive(is_progressive);
        encoder.encode(samples, width, height, color)?;
        Ok(file)
    };
    let in_format = |image: DynamicImage, format| -> Result<Vec<u8>> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format)?;
        Ok(file.into_inner())
    };
    let (columns, rows) = (u32::from(width), u32::from(height));
    let rgba_16 = || DynamicImage::from(ImageBuffer::<Rgba<u16>, _>::from_pixel(columns, rows, Rgba([1_u16, 2, 3, 0x8000])));
    let rgba_8 = || DynamicImage::from(ImageBuffer::from_pixel(columns, rows, Rgba([1_u8, 2, 3, 0x80])));
    report("baseline JPEG", "jpeg", jpeg(&photo, ColorType::Rgb, false)?)?;
    report("progressive JPEG", "jpeg", jpeg(&photo, ColorType::Rgb, true)?)?;
    let cmyk: Vec<u8> = photo.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 20]).collect();
    report("progressive CMYK JPEG", "jpeg", jpeg(&cmyk, ColorType::Cmyk, true)?)?;
    let wide = ImageBuffer::<Rgba<u16>, _>::from_pixel(WIDEST.0, WIDEST.1, Rgba([1_u16, 2, 3, 0x8000]));
    report("16-bit PNG with alpha", "png", in_format(rgba_16(), ImageFormat::Png)?)?;
    report("lossless WebP", "webp", in_format(photo.into(), ImageFormat::WebP)?)?;
    report("wide 16-bit PNG with alpha", "png", in_format(wide.into(), ImageFormat::Png)?)?;
    report("lossless WebP with alpha", "webp", in_format(rgba_8(), ImageFormat::WebP)?)?;
    // 1,536 groups of prefix codes take nearly the limit of 128 MiB.
    report("lossless WebP, many codes", "webp", webp_with_groups(columns, rows, 6))?;
    let still = in_format(rgba_8(), ImageFormat::WebP)?;
    report("WebP animation of a frame", "webp", animation(columns, rows, &still[12..]))
}

/// A WebP animation with one frame, which consists of `chunks` (RFC 9649, section 2.7).
fn animation(width: u32, height: u32, chunks: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| -> Vec<u8> {
        [kind, &u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes()[..], data].concat()
    };
    let size: Vec<u8> = [width - 1, height - 1].iter().flat_map(|side| side.to_le_bytes().into_iter().take(3)).collect();
    // Animation and alpha.
    let header = chunk(b"VP8X", &[&[0b0001_0010, 0, 0, 0], &size[..]].concat());
    let frame = chunk(b"ANMF", &[&[0; 6], &size[..], &[0; 4], chunks].concat());
    let body = [b"WEBP".to_vec(), header, chunk(b"ANIM", &[0; 6]), frame].concat();
    chunk(b"RIFF", &body)
}

/// Processes `file` in another process and prints its measurements.
fn report(name: &str, format: &str, mut file: Vec<u8>) -> Result<()> {
    let size = file.len();
    file.resize(size.max(FILE_BYTES), 0);
    let path = std::env::temp_dir().join(format!("ferrite-measure-{}", std::process::id()));
    fs::write(&path, file)?;
    let output = Command::new(std::env::current_exe()?).arg(format).arg(&path).output();
    fs::remove_file(&path)?;
    let output = output?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    println!("  {name:26} {:4.1} MB  {}", size as f64 / 1e6, String::from_utf8_lossy(&output.stdout).trim());
    Ok(())
}
