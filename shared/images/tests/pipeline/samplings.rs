//! Tests which sampling factors and codings of JPEG are accepted. `tests/samplings/README.md` describes the files. A unit
//! test of `decode` compares their pixels with libjpeg.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use ferrite_images::{Format, Rejection, make_variants};
use zip::ZipArchive;

use crate::decoded::photograph;

/// The name and content of every file in `samplings.zip`.
fn archive() -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(include_bytes!("../samplings/samplings.zip"))).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.push((entry.name().unwrap().into_owned(), content));
    }
    files
}

/// Sets the sampling factors in the frame header.
fn with_sampling(jpeg: &[u8], sampling: [(u8, u8); 3]) -> Vec<u8> {
    let mut file = jpeg.to_vec();
    let frame = file.windows(4).position(|bytes| bytes == [0xFF, 0xC0, 0, 17]).unwrap();
    for (component, (horizontal, vertical)) in sampling.into_iter().enumerate() {
        file[frame + 11 + 3 * component] = horizontal << 4 | vertical;
    }
    file
}

#[test]
fn rejects_every_other_sampling_as_unsupported() {
    let photo = photograph("coffee.jpg");
    let accepted: BTreeSet<String> =
        archive().into_iter().filter_map(|(name, _)| name.strip_suffix(".png").map(str::to_owned)).collect();
    let factors: Vec<(u8, u8)> =
        (0..=4).flat_map(|horizontal| (0..=4).map(move |vertical| (horizontal, vertical))).collect();
    let mut rejected = 0;
    for &luma in &factors {
        for &blue in &factors {
            for &red in &factors {
                let name = [luma, blue, red].map(|(horizontal, vertical)| format!("{horizontal}x{vertical}")).join(",");
                if accepted.contains(&name) {
                    continue;
                }
                let result = make_variants(&with_sampling(&photo, [luma, blue, red]), Format::Jpeg);
                assert!(matches!(result, Err(Rejection::Unsupported { .. })), "{name}: {result:?}");
                rejected += 1;
            }
        }
    }
    assert!(rejected > 1000, "{rejected}");
}

#[test]
fn rejects_other_kinds_of_jpeg_with_the_reason() {
    let photo = photograph("coffee.jpg");
    let frame = photo.windows(4).position(|bytes| bytes == [0xFF, 0xC0, 0, 17]).unwrap();
    let changed = |offset: usize, value: u8| {
        let mut file = photo.clone();
        file[frame + offset] = value;
        file
    };
    let without_height = {
        let mut file = photo.clone();
        file[frame + 5..frame + 7].fill(0);
        file
    };
    let with_adobe = |data: &[u8]| {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&photo[..2], &[0xFF, 0xEE], &length, data, &photo[2..]].concat()
    };
    for (file, feature) in [
        (with_adobe(b"Adobe"), "an unusual Adobe segment in a JPEG"),
        (with_adobe(b"Adobe\0\x64\0\0\0\0"), "an unusual Adobe segment in a JPEG"),
        (with_adobe(b"Adobe\0\x64\0\0\0\0\x03"), "an unusual Adobe segment in a JPEG"),
        (include_bytes!("../samplings/arithmetic.jpg").to_vec(), "arithmetic coding"),
        (changed(1, 0xCA), "arithmetic coding"),
        (changed(1, 0xC3), "lossless JPEG coding"),
        (changed(1, 0xCB), "lossless JPEG coding"),
        (changed(1, 0xF7), "lossless JPEG coding"),
        (changed(1, 0xC5), "hierarchical JPEG coding"),
        (changed(1, 0xCF), "hierarchical JPEG coding"),
        (changed(1, 0xDE), "hierarchical JPEG coding"),
        (changed(4, 12), "more than 8 bits per color in a JPEG"),
        (without_height, "a JPEG header without the height of the image"),
        (include_bytes!("../samplings/chroma-wider-than-luma.jpg").to_vec(), "an unusual chroma subsampling"),
    ] {
        let rejection = make_variants(&file, Format::Jpeg).unwrap_err();
        assert_eq!(rejection, Rejection::Unsupported { detail: feature.to_owned() });
        assert_eq!(
            rejection.to_string(),
            format!(
                "The file uses {feature}, which is not supported. Open it in an image editor and save it as a standard JPEG or \
                 PNG file."
            )
        );
    }
}
