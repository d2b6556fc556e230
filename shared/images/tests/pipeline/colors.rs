//! Compares the colors of charts with those of LittleCMS. `tests/colors/README.md` describes the files.

use ferrite_images::{Format, Rejection, make_variants};
use image::{DynamicImage, ImageFormat, RgbImage};
use palette::color_difference::Ciede2000;
use palette::{IntoColor, Lab, Srgb};

use crate::decoded::{photograph, pixels};
use crate::png_chunks::chunk;

const COLUMNS: u32 = 6;

fn chart(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/colors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn format(name: &str) -> Format {
    match name.rsplit_once('.').unwrap().1 {
        "jpg" => Format::Jpeg,
        "png" => Format::Png,
        _ => Format::WebP,
    }
}

/// The name of each chart and the sRGB colors of its patches.
fn charts() -> Vec<(String, Vec<[u8; 3]>)> {
    let lines = String::from_utf8(chart("expected.txt")).unwrap();
    let color = |text: &str| [0, 2, 4].map(|start| u8::from_str_radix(&text[start..start + 2], 16).unwrap());
    let parse = |line: &str| {
        let (name, colors) = line.split_once(' ').unwrap();
        (name.to_owned(), colors.split(' ').map(color).collect())
    };
    lines.lines().map(parse).collect()
}

/// The mean color in the middle of each of `count` patches.
fn patches(image: &RgbImage, count: u32) -> Vec<[f64; 3]> {
    let (width, height) = (image.width() / COLUMNS, image.height() / (count / COLUMNS));
    let mean = |patch: u32| {
        let mut sum = [0.0; 3];
        for (x, y) in (0..width / 2 * (height / 2)).map(|index| (index % (width / 2), index / (width / 2))) {
            let left = patch % COLUMNS * width + width / 4;
            let top = patch / COLUMNS * height + height / 4;
            let pixel = image.get_pixel(left + x, top + y).0;
            sum.iter_mut().zip(pixel).for_each(|(sum, sample)| *sum += f64::from(sample));
        }
        sum.map(|sum| sum / f64::from(width / 2 * (height / 2)))
    };
    (0..count).map(mean).collect()
}

fn difference(actual: [f64; 3], expected: [u8; 3]) -> f64 {
    let lab = |color: [f64; 3]| -> Lab<_, f64> { Srgb::from(color.map(|sample| sample / 255.0)).into_color() };
    lab(actual).difference(lab(expected.map(f64::from)))
}

fn display(file: &[u8], format: Format) -> RgbImage {
    pixels(&make_variants(file, format).unwrap().display)
}

#[test]
fn converts_the_colors_of_every_profile_like_littlecms() {
    let charts = charts();
    assert_eq!(charts.len(), 22);
    for (name, expected) in charts {
        let image = display(&chart(&name), format(&name));
        for (patch, (actual, expected)) in patches(&image, 12).into_iter().zip(expected).enumerate() {
            let difference = difference(actual, expected);
            assert!(difference <= 2.0, "{name}: patch {patch} is {actual:.1?}, expected {expected:?}: {difference:.2}");
        }
    }
}

/// Inserts `chunks` after the header of a PNG.
fn with_png_chunks(png: &[u8], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    const SIGNATURE_AND_HEADER: usize = 33;
    let (header, image) = png.split_at(SIGNATURE_AND_HEADER);
    let chunks: Vec<u8> = chunks.iter().flat_map(|(kind, data)| chunk(kind, data)).collect();
    [header, &chunks, image].concat()
}

/// A PNG of one color.
fn plain_png(color: [u8; 3]) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(96, 64, image::Rgb(color));
    DynamicImage::from(image).write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn reads_the_color_chunks_of_a_png_in_their_order_of_priority() {
    let gamma = |value: u32| value.to_be_bytes();
    let numbers = |numbers: [u32; 8]| numbers.map(u32::to_be_bytes).concat();
    let adobe_rgb = numbers([31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000]);
    let srgb = numbers([31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]);
    let display_p3: &[u8] = &[12, 13, 0, 1];
    let (dark, green) = ([20, 20, 20], [100, 200, 50]);
    type Chunks<'a> = &'a [(&'static [u8; 4], &'a [u8])];
    let cases: [(Chunks<'_>, [u8; 3], [u8; 3]); 9] = [
        (&[], green, green),
        (&[(b"cICP", display_p3)], green, [65, 203, 20]),
        (&[(b"cICP", display_p3), (b"sRGB", &[0])], green, [65, 203, 20]),
        (&[(b"sRGB", &[0]), (b"gAMA", &gamma(100_000))], dark, dark),
        (&[(b"gAMA", &gamma(45_455))], dark, dark),
        (&[(b"gAMA", &gamma(45_455)), (b"cHRM", &srgb)], dark, dark),
        (&[(b"gAMA", &gamma(100_000))], dark, [79, 79, 79]),
        (&[(b"gAMA", &gamma(45_470)), (b"cHRM", &adobe_rgb)], green, [0, 201, 36]),
        (&[(b"gAMA", &gamma(0)), (b"cHRM", &[0; 32])], dark, dark),
    ];
    for (chunks, stored, expected) in cases {
        let image = display(&with_png_chunks(&plain_png(stored), chunks), Format::Png);
        let actual = patches(&image, 12)[0];
        assert!(difference(actual, expected) <= 2.0, "{chunks:?}: {actual:.1?}, expected {expected:?}");
    }
    for transfer in [16, 18] {
        let hdr = with_png_chunks(&plain_png(green), &[(b"cICP", &[9, transfer, 0, 1])]);
        assert_eq!(make_variants(&hdr, Format::Png), Err(Rejection::Unsupported { detail: "HDR colors".to_owned() }));
    }
}

/// Inserts an ICC profile into a JPEG without one.
fn with_icc(jpeg: &[u8], icc: &[u8]) -> Vec<u8> {
    let data = [&b"ICC_PROFILE\0\x01\x01"[..], icc].concat();
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE2], &length, &data, &jpeg[2..]].concat()
}

/// The ICC profile in a chart.
fn icc_of(name: &str) -> Vec<u8> {
    let file = chart(name);
    let start = file.windows(12).position(|bytes| bytes == b"ICC_PROFILE\0").unwrap();
    let length = usize::from(u16::from_be_bytes([file[start - 2], file[start - 1]]));
    file[start + 14..start - 2 + length].to_vec()
}

/// A photograph without a profile.
fn untagged_photo() -> Vec<u8> {
    let coffee = image::load_from_memory(&photograph("coffee.jpg")).unwrap().thumbnail(96, 64).to_rgb8();
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    let (width, height) = (u16::try_from(coffee.width()).unwrap(), u16::try_from(coffee.height()).unwrap());
    encoder.encode(&coffee, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    file
}

#[test]
fn ignores_damaged_and_unsuitable_profiles() {
    let photo = untagged_photo();
    let plain = make_variants(&photo, Format::Jpeg).unwrap();
    let p3 = icc_of("display-p3.jpg");
    assert_ne!(make_variants(&with_icc(&photo, &p3), Format::Jpeg).unwrap(), plain);

    let changed = |change: fn(&mut Vec<u8>)| {
        let mut icc = p3.clone();
        change(&mut icc);
        icc
    };
    // Tags that are each the whole profile as text.
    let bomb = {
        let mut icc = p3[..128].to_vec();
        icc.extend(5_000_u32.to_be_bytes());
        icc.extend([&b"desc"[..], &[0, 0, 0, 132], &[0, 0, 234, 96]].concat().repeat(5_000));
        icc
    };
    for icc in [
        b"not a profile".to_vec(),
        vec![0xFF; 3000],
        changed(|icc| icc.truncate(140)),
        changed(|icc| icc.truncate(400)),
        changed(|icc| icc[36..40].fill(0)),
        changed(|icc| icc[128..132].fill(0xFF)),
        icc_of("cmyk.jpg"),
        icc_of("gray-1.8.jpg"),
        bomb,
    ] {
        let variants = make_variants(&with_icc(&photo, &icc), Format::Jpeg).unwrap();
        assert_eq!(variants, plain, "{:?}", &icc[..icc.len().min(20)]);
    }
}

#[test]
fn a_color_of_a_transparent_pixel_does_not_show_in_its_neighbors() {
    let image = image::RgbaImage::from_fn(3200, 64, |x, _| {
        if x % 2 == 0 { image::Rgba([255, 0, 0, 0]) } else { image::Rgba([0, 0, 255, 255]) }
    });
    let mut file = std::io::Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut file, ImageFormat::Png).unwrap();
    let [red, green, blue] = patches(&display(&file.into_inner(), Format::Png), 12)[0];
    assert!((red - green).abs() < 5.0 && blue > 250.0, "{red} {green} {blue}");
}
