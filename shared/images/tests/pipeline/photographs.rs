use ferrite_images::{Format, Variants, make_variants};

use crate::decoded::{assert_similar, photograph, pixels};

fn variants(name: &str, format: Format) -> Variants {
    make_variants(&photograph(name), format).unwrap()
}

fn sizes(variants: &Variants) -> [(u32, u32); 2] {
    [&variants.thumbnail, &variants.display].map(|variant| (variant.width, variant.height))
}

#[test]
fn creates_variants_in_two_sizes() {
    let coffee = variants("coffee.jpg", Format::Jpeg);
    assert_eq!(sizes(&coffee), [(320, 213), (600, 400)]);
    assert_similar(&pixels(&coffee.thumbnail), &pixels(&coffee.display));
}

#[test]
fn rotates_a_photograph_upright() {
    let stored = image::load_from_memory(&photograph("rocket-turned.jpg")).unwrap();
    assert_eq!((stored.width(), stored.height()), (427, 320));

    let rotated = variants("rocket-turned.jpg", Format::Jpeg);
    let upright = image::load_from_memory(&photograph("rocket.webp")).unwrap();
    assert_eq!(sizes(&rotated), [(240, 320), (320, 427)]);
    assert_similar(&pixels(&rotated.display), &upright.to_rgb8());
    assert_similar(&pixels(&rotated.thumbnail), &upright.to_rgb8());
}

#[test]
fn keeps_the_image_content_in_every_format() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("chelsea.png", Format::Png), ("rocket.webp", Format::WebP)] {
        let original = image::load_from_memory(&photograph(name)).unwrap();
        let display = pixels(&variants(name, format).display);
        assert_eq!(display.dimensions(), (original.width(), original.height()));
        assert_similar(&display, &original.to_rgb8());
    }
}

#[test]
fn removes_all_metadata() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("rocket-turned.jpg", Format::Jpeg), ("rocket.webp", Format::WebP)]
    {
        let original = photograph(name);
        assert!(contains(&original, b"EXAMPLE-SERIAL") && contains(&original, b"WGS-84"), "{name} has no metadata");
        let variants = variants(name, format);
        for variant in [&variants.thumbnail, &variants.display] {
            assert_eq!(unexpected_segments(&variant.bytes), Vec::<u8>::new());
            for metadata in [&b"Exif"[..], b"ICC_PROFILE", b"http://ns.adobe.com/xap", b"EXAMPLE-SERIAL", b"WGS-84"] {
                assert!(!contains(&variant.bytes, metadata));
            }
        }
    }
}

#[test]
fn creates_identical_variants_of_the_same_file() {
    assert_eq!(variants("coffee.jpg", Format::Jpeg), variants("coffee.jpg", Format::Jpeg));
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The markers before the image data that can contain metadata: comments, and every APPn except APP0 (JFIF).
fn unexpected_segments(jpeg: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut position = 2;
    while jpeg[position + 1] != 0xDA {
        assert_eq!(jpeg[position], 0xFF, "not at a marker");
        if matches!(jpeg[position + 1], 0xE1..=0xEF | 0xFE) {
            found.push(jpeg[position + 1]);
        }
        position += 2 + usize::from(u16::from_be_bytes([jpeg[position + 2], jpeg[position + 3]]));
    }
    found
}
