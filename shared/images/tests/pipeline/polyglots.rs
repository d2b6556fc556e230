//! Tests with polyglots, and with legitimate images that resemble them.

use std::io::{Cursor, Write as _};

use ferrite_images::{Format, Rejection, make_variants};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::decoded::photograph;
use crate::png_chunks::{chunk, rgb_header};

fn zip_archive() -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("Main.class", stored).unwrap();
    archive.write_all(b"\xCA\xFE\xBA\xBE").unwrap();
    archive.finish().unwrap().into_inner()
}

/// A JPEG with an additional segment.
fn jpeg_with_segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let photo = photograph("coffee.jpg");
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&photo[..2], &[0xFF, marker], &length, data, &photo[2..]].concat()
}

fn jpeg_comment(data: &[u8]) -> Vec<u8> {
    jpeg_with_segment(0xFE, data)
}

/// A PNG with `data` in a text chunk after its header.
fn png_text(data: &[u8]) -> Vec<u8> {
    const SIGNATURE_AND_HEADER: usize = 33;
    let file = photograph("chelsea.png");
    let text = [b"Comment\0", data].concat();
    let (header, image) = file.split_at(SIGNATURE_AND_HEADER);
    [header, &chunk(b"tEXt", &text), image].concat()
}

/// A WebP with `data` in an XMP chunk after the image data.
fn webp_xmp(data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let mut file = [&photograph("rocket.webp")[..], b"XMP ", &length, data].concat();
    file.resize(file.len().next_multiple_of(2), 0);
    let size = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file
}

/// The photograph `name` with `data` appended.
fn appended(name: &str, data: &[u8]) -> Vec<u8> {
    [&photograph(name), data].concat()
}

/// Images of every format that contain `data` in a place that the format allows.
fn images_with(data: &[u8]) -> [(Vec<u8>, Format); 4] {
    [
        (jpeg_comment(data), Format::Jpeg),
        (appended("coffee.jpg", data), Format::Jpeg),
        (png_text(data), Format::Png),
        (webp_xmp(data), Format::WebP),
    ]
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn rejects_polyglots() {
    let zip = zip_archive();
    let zip_with_trailer = [&zip[..], &[7; 100_000]].concat();
    let payloads: [(&[u8], &str); 13] = [
        (&zip, "a ZIP archive"),
        (b"Rar!\x1A\x07\0", "a RAR archive"),
        (b"Rar!\x1A\x07\x01\0", "a RAR archive"),
        (b"7z\xBC\xAF\x27\x1C\0\x04", "a 7z archive"),
        (b"<?php system($_GET[0]);?>", "a PHP script"),
        (b"<?PHP\r\nsystem('id');", "a PHP script"),
        (b"<html><body>", "a web page"),
        (b"<HTML lang=en>", "a web page"),
        (b"<script>alert(1)</script>", "a web page"),
        (b"<ScRiPt/src=//example.com>", "a web page"),
        (b"<script\nsrc=//example.com>", "a web page"),
        (b"<<script\x0Csrc=//example.com>", "a web page"),
        (b"<svg><script\tsrc=//example.com>", "a web page"),
    ];
    for (payload, other) in payloads {
        for (file, format) in images_with(payload) {
            let text = String::from_utf8_lossy(payload);
            assert_eq!(make_variants(&file, format), Err(Rejection::Polyglot { other }), "{format:?}: {text}");
        }
    }
    for (file, format) in [
        (appended("coffee.jpg", &zip_with_trailer), Format::Jpeg),
        (appended("coffee.jpg", b"<?php"), Format::Jpeg), // at the end of a file, PHP runs this too
        (jpeg_comment(b"%PDF-1.7\n"), Format::Jpeg),
        (png_text(b"%PDF-1.7\n"), Format::Png),
    ] {
        assert!(matches!(make_variants(&file, format), Err(Rejection::Polyglot { .. })), "{format:?}");
    }
}

#[test]
fn rejects_unknown_data_after_a_png_or_webp() {
    let plain = |name: &str, format| make_variants(&photograph(name), format);
    for (name, format) in [("chelsea.png", Format::Png), ("rocket.webp", Format::WebP)] {
        for trailer in [&b"\x7FELF"[..], b"\0\0\0more", b"\nmore", b"\n<?php"] {
            let result = make_variants(&appended(name, trailer), format);
            assert!(matches!(result, Err(Rejection::Polyglot { .. })), "{format:?}: {trailer:?}");
        }
        for padding in [&[0; 4096][..], b"\0", b"\n", b"\r\n", b" \t\x0C\n\n", &[b'\n'; 300]] {
            assert_eq!(make_variants(&appended(name, padding), format), plain(name, format), "{format:?}: {padding:?}");
        }
    }
    let edited = appended("chelsea.png", &samsung_trailer("PhotoEditor_Re_Edit_Data", b"{}"));
    assert_eq!(make_variants(&edited, Format::Png), plain("chelsea.png", Format::Png));
}

/// A Samsung trailer as described in ExifTool's Samsung.pm: blocks, their directory, and the length of the directory.
fn samsung_trailer(name: &str, data: &[u8]) -> Vec<u8> {
    let le_u32 = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let kind = [0, 0, 0x30, 0x0A];
    let block = [&kind[..], &le_u32(name.len()), name.as_bytes(), data].concat();
    let directory = [&b"SEFH"[..], &le_u32(101), &le_u32(1), &kind, &le_u32(block.len()), &le_u32(block.len())].concat();
    [&block[..], &directory, &le_u32(directory.len()), b"SEFT"].concat()
}

#[test]
fn ignores_data_that_phones_add_to_photographs() {
    let plain = photograph("coffee.jpg");
    let video = [&b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\x01\0\x08mdat"[..], &plain].concat();
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
        <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
        <rdf:Description GCamera:MotionPhoto=\"1\"/></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>";
    let multi_picture = b"MPF\0MM\0\x2A\0\0\0\x08\0\x01\xB0\x01\0\x04\0\0\0\x01\0\0\0\x02\0\0\0\0";
    let app1 = 0xE1;
    let app2 = 0xE2;
    for file in [
        // Google's motion photo.
        [&jpeg_with_segment(app1, xmp)[..], &video].concat(),
        // CIPA DC-007, for example a gain map.
        [&jpeg_with_segment(app2, multi_picture)[..], &photograph("rocket-turned.jpg")].concat(),
        appended("coffee.jpg", &samsung_trailer("MotionPhoto_Data", &video)),
    ] {
        assert_eq!(make_variants(&file, Format::Jpeg), make_variants(&plain, Format::Jpeg));
    }
}

#[test]
fn accepts_harmless_data_and_does_not_copy_it_to_the_variants() {
    for harmless in [
        &b"taken at 52.5 N, 13.4 E"[..],
        b"<htmlish> <scripture> <?phpx <svg/onload=alert(1)> html> <",
        b"an archive PK\x03\x04 PK\x01\x02 without an end",
        b"an archive PK\x03\x04 PK\x05\x06 without a directory",
        b"an archive PK\x01\x02 PK\x05\x06 without an entry",
        &[&[b' '; 1024][..], b"%PDF-1.7 too late"].concat(),
    ] {
        for (file, format) in images_with(harmless) {
            let variants = make_variants(&file, format).unwrap();
            for variant in [&variants.thumbnail, &variants.display] {
                assert!(contains(&file, &harmless[..9]) && !contains(&variant.bytes, &harmless[..9]), "{format:?}");
                assert!(variant.bytes.starts_with(&[0xFF, 0xD8]) && variant.bytes.ends_with(&[0xFF, 0xD9]));
            }
        }
    }
}

#[test]
fn rejects_files_that_start_with_another_signature() {
    let photo = photograph("coffee.jpg");
    for prefix in [&b"%PDF-1.7\n"[..], b"PK\x03\x04", b"<html><body>", b"\x7FELF", b"#!/bin/sh\n"] {
        let file = [prefix, &photo].concat();
        assert_eq!(make_variants(&file, Format::Jpeg), Err(Rejection::NotAnImage));
    }
    assert!(matches!(
        make_variants(&[&b"GIF89a/*"[..], &photo].concat(), Format::Jpeg),
        Err(Rejection::FormatMismatch { actual: "image/gif", .. })
    ));
    let in_png = [&chunk(b"IHDR", &rgb_header(8, 8))[..], &photo].concat();
    assert_eq!(make_variants(&in_png, Format::Png), Err(Rejection::NotAnImage));
}
