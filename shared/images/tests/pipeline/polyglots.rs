//! Images that are something else too, and honest ones that could be taken for it.

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

fn jpeg_with(kind: u8, data: &[u8]) -> Vec<u8> {
    let photo = photograph("coffee.jpg");
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&photo[..2], &[0xFF, kind], &length, data, &photo[2..]].concat()
}

fn jpeg_comment(data: &[u8]) -> Vec<u8> {
    jpeg_with(0xFE, data)
}

/// A PNG with `data` behind its header.
fn png_text(data: &[u8]) -> Vec<u8> {
    const SIGNATURE_AND_HEADER: usize = 33;
    let (file, text) = (photograph("chelsea.png"), [b"Comment\0", data].concat());
    let (header, picture) = file.split_at(SIGNATURE_AND_HEADER);
    [header, &chunk(b"tEXt", &text), picture].concat()
}

/// A WebP with `data` behind its picture, as its last chunk.
fn webp_xmp(data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let mut file = [&photograph("rocket.webp")[..], b"XMP ", &length, data].concat();
    file.resize(file.len().next_multiple_of(2), 0);
    let size = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file
}

fn appended(name: &str, data: &[u8]) -> Vec<u8> {
    [&photograph(name), data].concat()
}

/// Images of every format with `data` where the format has room for it.
fn carriers(data: &[u8]) -> [(Vec<u8>, Format); 4] {
    [
        (jpeg_comment(data), Format::Jpeg),
        (appended("coffee.jpg", data), Format::Jpeg),
        (png_text(data), Format::Png),
        (webp_xmp(data), Format::WebP),
    ]
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn an_image_that_is_something_else_too_is_refused() {
    let zip = zip_archive();
    let zip_behind_more = [&zip[..], &[7; 100_000]].concat();
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
        for (file, format) in carriers(payload) {
            let text = String::from_utf8_lossy(payload);
            assert_eq!(make_variants(&file, format), Err(Rejection::Polyglot { other }), "{format:?}: {text}");
        }
    }
    for (file, format) in [
        (appended("coffee.jpg", &zip_behind_more), Format::Jpeg),
        (appended("coffee.jpg", b"<?php"), Format::Jpeg), // which PHP runs, as it ends the file
        (jpeg_comment(b"%PDF-1.7\n"), Format::Jpeg),
        (png_text(b"%PDF-1.7\n"), Format::Png),
    ] {
        assert!(matches!(make_variants(&file, format), Err(Rejection::Polyglot { .. })), "{format:?}");
    }
}

#[test]
fn whatever_lies_behind_a_png_or_a_webp_is_refused_unless_honest_programs_write_it() {
    let refused = Err(Rejection::Polyglot { other: "what lies behind the image" });
    let plain = |name: &str, format| make_variants(&photograph(name), format);
    for (name, format) in [("chelsea.png", Format::Png), ("rocket.webp", Format::WebP)] {
        for trailer in [&b"\x7FELF"[..], b"\0\0\0more", b"\n"] {
            assert_eq!(make_variants(&appended(name, trailer), format), refused, "{format:?}: {trailer:?}");
        }
        assert_eq!(make_variants(&appended(name, &[0; 4096]), format), plain(name, format));
    }
    let edited = appended("chelsea.png", &samsung_trailer("PhotoEditor_Re_Edit_Data", b"{}"));
    assert_eq!(make_variants(&edited, Format::Png), plain("chelsea.png", Format::Png));
}

/// As ExifTool's Samsung.pm reads it: blocks, a directory of them, its length.
fn samsung_trailer(name: &str, data: &[u8]) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let kind = [0, 0, 0x30, 0x0A];
    let block = [&kind[..], &number(name.len()), name.as_bytes(), data].concat();
    let directory = [&b"SEFH"[..], &number(101), &number(1), &kind, &number(block.len()), &number(block.len())].concat();
    [&block[..], &directory, &number(directory.len()), b"SEFT"].concat()
}

#[test]
fn what_phones_write_around_a_photograph_makes_no_difference() {
    let plain = photograph("coffee.jpg");
    let video = [&b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\x01\0\x08mdat"[..], &plain].concat();
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
        <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
        <rdf:Description GCamera:MotionPhoto=\"1\"/></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>";
    let images = b"MPF\0MM\0\x2A\0\0\0\x08\0\x01\xB0\x01\0\x04\0\0\0\x01\0\0\0\x02\0\0\0\0";
    let (application_1, application_2) = (0xE1, 0xE2);
    for honest in [
        [&jpeg_with(application_1, xmp)[..], &video].concat(), // Google's motion photo
        [&jpeg_with(application_2, images)[..], &photograph("rocket-turned.jpg")].concat(), // CIPA DC-007: a gain map, say
        appended("coffee.jpg", &samsung_trailer("MotionPhoto_Data", &video)),
    ] {
        assert_eq!(make_variants(&honest, Format::Jpeg), make_variants(&plain, Format::Jpeg));
    }
}

#[test]
fn what_is_harmless_in_a_picture_is_let_through_and_does_not_reach_its_variants() {
    for harmless in [
        &b"taken at 52.5 N, 13.4 E"[..],
        b"<htmlish> <scripture> <?phpx <svg/onload=alert(1)> html> <",
        b"an archive PK\x03\x04 PK\x01\x02 without an end",
        b"an archive PK\x03\x04 PK\x05\x06 without a directory",
        b"an archive PK\x01\x02 PK\x05\x06 without an entry",
        &[&[b' '; 1024][..], b"%PDF-1.7 too late"].concat(),
    ] {
        for (file, format) in carriers(harmless) {
            let made = make_variants(&file, format).unwrap();
            for variant in [&made.thumbnail, &made.display] {
                assert!(contains(&file, &harmless[..9]) && !contains(&variant.bytes, &harmless[..9]), "{format:?}");
                assert!(variant.bytes.starts_with(&[0xFF, 0xD8]) && variant.bytes.ends_with(&[0xFF, 0xD9]));
            }
        }
    }
}

#[test]
fn a_file_that_is_something_else_first_is_no_image() {
    let photo = photograph("coffee.jpg");
    for disguise in [&b"%PDF-1.7\n"[..], b"PK\x03\x04", b"<html><body>", b"\x7FELF", b"#!/bin/sh\n"] {
        let file = [disguise, &photo].concat();
        assert_eq!(make_variants(&file, Format::Jpeg), Err(Rejection::NotAnImage));
    }
    assert!(matches!(
        make_variants(&[&b"GIF89a/*"[..], &photo].concat(), Format::Jpeg),
        Err(Rejection::FormatMismatch { actual: "image/gif", .. })
    ));
    let in_png = [&chunk(b"IHDR", &rgb_header(8, 8))[..], &photo].concat();
    assert_eq!(make_variants(&in_png, Format::Png), Err(Rejection::NotAnImage));
}
