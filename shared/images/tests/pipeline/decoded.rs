use ferrite_images::Variant;
use image::{ImageFormat, RgbImage};

pub(crate) fn photograph(name: &str) -> Vec<u8> {
    let photos = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/photos");
    std::fs::read(format!("{photos}/{name}")).unwrap()
}

/// The pixels of a variant, whose stated size must be true.
pub(crate) fn pixels(variant: &Variant) -> RgbImage {
    let pixels = image::load_from_memory_with_format(&variant.bytes, ImageFormat::Jpeg).unwrap().into_rgb8();
    assert_eq!(pixels.dimensions(), (variant.width, variant.height));
    pixels
}

/// The mean colour of each cell of a grid of 4 × 4, row by row.
pub(crate) fn layout(picture: &RgbImage) -> Vec<[u8; 3]> {
    let (width, height) = (picture.width() / 4, picture.height() / 4);
    let cells = (0..16).map(|cell| (cell % 4 * width, cell / 4 * height));
    cells
        .map(|(left, top)| {
            let mut sum = [0_u64; 3];
            for (x, y) in (0..width * height).map(|at| (at % width, at / width)) {
                let pixel = picture.get_pixel(left + x, top + y);
                sum.iter_mut().zip(pixel.0).for_each(|(sum, channel)| *sum += u64::from(channel));
            }
            sum.map(|sum| u8::try_from(sum / u64::from(width * height)).unwrap())
        })
        .collect()
}

/// Compares two pictures as the eye would from afar.
pub(crate) fn assert_same_layout(actual: &RgbImage, expected: &RgbImage) {
    for (cell, (actual, expected)) in layout(actual).iter().zip(layout(expected)).enumerate() {
        let apart = actual.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
        assert!(apart <= Some(6), "cell {cell}: {actual:?}, but expected {expected:?}");
    }
}
