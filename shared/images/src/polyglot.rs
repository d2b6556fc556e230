//! Polyglots: files that are an image, and something else to a program that is told to open them as that. An archive is
//! read from its end, a PDF may begin late, and a server or a browser runs the code in whatever it takes for text.
//!
//! A file that is also of a kind below is refused, whatever it is hidden in. Of a kind that is not below, nobody notices:
//! all that it yields is its picture, since variants are encoded anew. One is left out on purpose: PHP's short tags, as any
//! large photograph has their two or three bytes somewhere.
//!
//! Compressed pixels are searched with the rest, as code can be hidden in them too. So an honest photograph is refused by
//! chance: of those of 10 MB one in 150,000, nearly always for five bytes that read `<?php` or `<html` in some case and
//! one behind them that ends the tag. Saved anew, it has other bytes.

use memchr::{memchr_iter, memmem};

use super::Format;

/// A kind of file, and the signatures that each of its files has.
const ARCHIVES: [(&str, &[&[u8]]); 3] = [
    // PKWARE's APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16: an entry, its line in the directory, the directory's end. Where they
    // have to be, each reader decides for itself. JAR and Office files are ZIP archives.
    ("a ZIP archive", &[b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"]),
    // RarLab's technote.txt and 7-Zip's 7zFormat.txt. Both look for theirs behind a program that unpacks it.
    ("a RAR archive", &[b"Rar!\x1A\x07"]),
    ("a 7z archive", &[b"7z\xBC\xAF\x27\x1C"]),
];

/// Adobe's implementation notes to the PDF Reference 1.7, H.3.4.1: viewers accept the header in the first so many bytes.
const PDF_HEADER_WITHIN: usize = 1024;

/// What follows a `<`, in any case.
const CODE: [(&str, &[u8]); 3] = [("a PHP script", b"?php"), ("a web page", b"html"), ("a web page", b"script")];

/// What may end it: the HTML Living Standard's tag name state, and the other half of a line's end. PHP takes only the blanks.
const TAG_END: &[u8] = b"\t\n\x0C\r />";

/// What `file` is besides an image of `format`, which ends before `trailer`.
pub(super) fn besides_the_image(file: &[u8], format: Format, trailer: &[u8]) -> Option<&'static str> {
    let first = file.get(..PDF_HEADER_WITHIN).unwrap_or(file);
    if memmem::find(first, b"%PDF-").is_some() {
        return Some("a PDF document");
    }
    let archive = ARCHIVES.iter().find(|(_, all)| all.iter().all(|signature| memmem::find(file, signature).is_some()));
    if let Some(&(kind, _)) = archive {
        return Some(kind);
    }
    let code = memchr_iter(b'<', file).find_map(|at| code(file.get(at + 1..)?));
    code.or_else(|| (!is_honest(trailer, format)).then_some("what lies behind the image"))
}

fn code(tag: &[u8]) -> Option<&'static str> {
    let begins = |name: &[u8]| {
        tag.split_at_checked(name.len()).is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(name) && rest.first().is_none_or(|end| TAG_END.contains(end))
        })
    };
    CODE.iter().find(|(_, name)| begins(name)).map(|&(kind, _)| kind)
}

/// Whether cameras and phones put this behind an image. Behind a JPEG they put more images, videos and whatever their makers
/// like; behind a PNG Samsung's put what was edited, which ends in "SEFT" (ExifTool's Samsung.pm); RIFF and file systems
/// fill up with zeroes. A PNG that a Pixel or Windows cropped before 2023 is refused: behind it lies a part of what was cut
/// away (CVE-2023-21036, CVE-2023-28303).
fn is_honest(trailer: &[u8], format: Format) -> bool {
    format == Format::Jpeg || trailer.ends_with(b"SEFT") || trailer.iter().all(|&byte| byte == 0)
}
