use ferrite_images::{Format, Variants, make_variants};

use crate::decoded::{assert_same_layout, photograph, pixels};

fn variants(name: &str, format: Format) -> Variants {
    make_variants(&photograph(name), format).unwrap()
}

fn sizes(variants: &Variants) -> [(u32, u32); 2] {
    [&variants.thumbnail, &variants.display].map(|variant| (variant.width, variant.height))
}

#[test]
fn a_photograph_is_shown_at_two_sizes() {
    let coffee = variants("coffee.jpg", Format::Jpeg);
    assert_eq!(sizes(&coffee), [(320, 213), (600, 400)]);
    assert_same_layout(&pixels(&coffee.thumbnail), &pixels(&coffee.display));
}

#[test]
fn a_photograph_taken_with_the_camera_on_its_side_is_shown_upright() {
    let stored = image::load_from_memory(&photograph("rocket-turned.jpg")).unwrap();
    assert_eq!((stored.width(), stored.height()), (427, 320));

    let turned = variants("rocket-turned.jpg", Format::Jpeg);
    let straight = image::load_from_memory(&photograph("rocket.webp")).unwrap();
    assert_eq!(sizes(&turned), [(240, 320), (320, 427)]);
    assert_same_layout(&pixels(&turned.display), &straight.to_rgb8());
    assert_same_layout(&pixels(&turned.thumbnail), &straight.to_rgb8());
}

#[test]
fn every_format_keeps_its_picture() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("chelsea.png", Format::Png), ("rocket.webp", Format::WebP)] {
        let original = image::load_from_memory(&photograph(name)).unwrap();
        let display = pixels(&variants(name, format).display);
        assert_eq!(display.dimensions(), (original.width(), original.height()));
        assert_same_layout(&display, &original.to_rgb8());
    }
}

#[test]
fn nothing_of_where_when_or_with_what_it_was_taken_survives() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("rocket-turned.jpg", Format::Jpeg), ("rocket.webp", Format::WebP)]
    {
        let original = photograph(name);
        assert!(contains(&original, b"EXAMPLE-SERIAL") && contains(&original, b"WGS-84"), "{name} has no metadata to lose");
        let made = variants(name, format);
        for variant in [&made.thumbnail, &made.display] {
            assert_eq!(unexpected_segments(&variant.bytes), Vec::<u8>::new());
            for trace in [&b"Exif"[..], b"ICC_PROFILE", b"http://ns.adobe.com/xap", b"EXAMPLE-SERIAL", b"WGS-84"] {
                assert!(!contains(&variant.bytes, trace));
            }
        }
    }
}

#[test]
fn the_same_file_makes_the_same_variants() {
    assert_eq!(variants("coffee.jpg", Format::Jpeg), variants("coffee.jpg", Format::Jpeg));
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The markers before the picture that could carry metadata: every APPn but JFIF's APP0, and comments.
fn unexpected_segments(jpeg: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut at = 2;
    while jpeg[at + 1] != 0xDA {
        assert_eq!(jpeg[at], 0xFF, "not at a marker");
        if matches!(jpeg[at + 1], 0xE1..=0xEF | 0xFE) {
            found.push(jpeg[at + 1]);
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    found
}
