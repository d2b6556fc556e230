//! Detects polyglots: image files that are also valid in another format. Archive readers start at the end of a file, a
//! PDF header may come after other data, and servers and browsers run code in files that they treat as text.
//!
//! A file that is also of a kind listed below is rejected, wherever the signature is. Other kinds are not detected,
//! which is safe because variants contain only the re-encoded image. PHP's short tags are not listed on purpose: any
//! large photograph contains their two or three bytes somewhere.
//!
//! Compressed pixels are searched too, because code can be hidden in them. A legitimate photograph can therefore be
//! rejected by chance: one in 60,000 at a size of 25 MB, nearly always because of the five bytes `<?php` or `<html`
//! (in any letter case) followed by a byte that ends the tag. Saving the photograph again changes its bytes.

use memchr::{memchr_iter, memmem};

use super::Format;

/// Kinds of archives, each with the signatures that every file of the kind contains.
const ARCHIVES: [(&str, &[&[u8]]); 3] = [
    // PKWARE's APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16: local file header, central directory header, end of central
    // directory. Readers differ in where they expect them. JAR and Office files are ZIP archives.
    ("a ZIP archive", &[b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"]),
    // RarLab's technote.txt and 7-Zip's 7zFormat.txt. The signature may come after the program of a self-extracting
    // archive.
    ("a RAR archive", &[b"Rar!\x1A\x07"]),
    ("a 7z archive", &[b"7z\xBC\xAF\x27\x1C"]),
];

/// Viewers accept the header anywhere in this many bytes (implementation notes in Adobe's PDF Reference 1.7, H.3.4.1).
const PDF_HEADER_WITHIN: usize = 1024;

/// Names that identify code after a `<`, in any letter case.
const CODE: [(&str, &[u8]); 3] = [("a PHP script", b"?php"), ("a web page", b"html"), ("a web page", b"script")];

/// Bytes that may follow the name: those of the tag name state in the HTML Living Standard, plus carriage return. PHP
/// accepts only whitespace.
const TAG_END: &[u8] = b"\t\n\x0C\r />";

/// Returns what `file` is in addition to an image of `format`, which is followed by `trailer`.
pub(super) fn detect(file: &[u8], format: Format, trailer: &[u8]) -> Option<&'static str> {
    let start = file.get(..PDF_HEADER_WITHIN).unwrap_or(file);
    if memmem::find(start, b"%PDF-").is_some() {
        return Some("a PDF document");
    }
    let archive =
        ARCHIVES.iter().find(|(_, signatures)| signatures.iter().all(|signature| memmem::find(file, signature).is_some()));
    if let Some(&(kind, _)) = archive {
        return Some(kind);
    }
    let code = memchr_iter(b'<', file).find_map(|at| code(file.get(at + 1..)?));
    code.or_else(|| (!is_known_trailer(trailer, format)).then_some("data after the image"))
}

fn code(tag: &[u8]) -> Option<&'static str> {
    let starts_with = |name: &[u8]| {
        tag.split_at_checked(name.len()).is_some_and(|(start, remainder)| {
            start.eq_ignore_ascii_case(name) && remainder.first().is_none_or(|end| TAG_END.contains(end))
        })
    };
    CODE.iter().find(|(_, name)| starts_with(name)).map(|&(kind, _)| kind)
}

/// Returns whether cameras and phones write such data after an image.
///
/// After a JPEG, they write more images, videos and vendor-specific data, so any data is accepted. After a PNG, Samsung
/// phones write edit data that ends in "SEFT" (ExifTool's Samsung.pm). RIFF and file systems pad with zeros, and some tools
/// that handle files as text append a line break. A PNG that a Pixel phone or Windows cropped before 2023 is rejected,
/// because it is followed by a part of the original image (CVE-2023-21036, CVE-2023-28303).
fn is_known_trailer(trailer: &[u8], format: Format) -> bool {
    format == Format::Jpeg
        || trailer.ends_with(b"SEFT")
        || trailer.iter().all(|&byte| byte == 0 || byte.is_ascii_whitespace())
}
