use ferrite_images::Variant;
use image::{ImageFormat, RgbImage};

/// Reads the file `name` in tests/photos.
pub(crate) fn photograph(name: &str) -> Vec<u8> {
    let photos = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/photos");
    std::fs::read(format!("{photos}/{name}")).unwrap()
}

/// Decodes a variant and checks that its dimensions are correct.
pub(crate) fn pixels(variant: &Variant) -> RgbImage {
    let pixels = image::load_from_memory_with_format(&variant.bytes, ImageFormat::Jpeg).unwrap().into_rgb8();
    assert_eq!(pixels.dimensions(), (variant.width, variant.height));
    pixels
}

/// The mean color of each cell in a 4 × 4 grid, row by row.
pub(crate) fn mean_colors(image: &RgbImage) -> Vec<[u8; 3]> {
    let width = image.width() / 4;
    let height = image.height() / 4;
    let cells = (0..16).map(|cell| (cell % 4 * width, cell / 4 * height));
    cells
        .map(|(left, top)| {
            let mut sum = [0_u64; 3];
            for (x, y) in (0..width * height).map(|index| (index % width, index / width)) {
                let pixel = image.get_pixel(left + x, top + y);
                sum.iter_mut().zip(pixel.0).for_each(|(sum, channel)| *sum += u64::from(channel));
            }
            sum.map(|sum| u8::try_from(sum / u64::from(width * height)).unwrap())
        })
        .collect()
}

/// Asserts that two images look similar: the mean colors of their grid cells differ by at most 6 per channel.
pub(crate) fn assert_similar(actual: &RgbImage, expected: &RgbImage) {
    for (cell, (actual, expected)) in mean_colors(actual).iter().zip(mean_colors(expected)).enumerate() {
        let difference = actual.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
        assert!(difference <= Some(6), "cell {cell} is {actual:?}, expected {expected:?}");
    }
}
