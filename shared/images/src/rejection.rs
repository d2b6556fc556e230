/// Why a file was refused. Displayed, it is a sentence for whoever uploaded it, saying what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its first bytes are those of no image format.
    #[error("The file is not an image. Upload a JPEG, PNG or WebP file.")]
    NotAnImage,

    /// It is an image, but not of the type that was announced. Both are media types.
    #[error("The upload was announced as {claimed}, but the file is {actual}. Announce the type that the file has.")]
    FormatMismatch {
        /// What the uploader announced.
        claimed: &'static str,
        /// What the file's first bytes say.
        actual: &'static str,
    },

    /// It ends before the image does.
    #[error("The file is cut off before its end. Upload the whole file again.")]
    Truncated,

    /// It has all its parts, but they cannot be decoded.
    #[error("The file is damaged and cannot be decoded. Save the image anew and upload that.")]
    Corrupt {
        /// The decoder's own words, for the log.
        detail: String,
    },

    /// It uses a part of its format that no decoder here knows, such as arithmetic coding in JPEG.
    #[error("The file uses a variety of its format that is not supported. Save it as a plain JPEG or PNG.")]
    Unsupported {
        /// The decoder's own words, for the log.
        detail: String,
    },

    /// It has more than one picture, of which a shop could show only one.
    #[error("The file is an animation. Upload a still image.")]
    Animation,

    /// It is a file of another kind as well, such as a ZIP archive or a PHP script.
    #[error("The file holds more than an image. Save the image anew and upload that.")]
    Polyglot {
        /// What else it is, for the log.
        other: &'static str,
    },

    /// It has more pixels than [`PIXEL_LIMIT`](super::PIXEL_LIMIT).
    #[error(
        "The image is {width} × {height} pixels; at most {} megapixels are allowed. Upload a smaller one.",
        super::PIXEL_LIMIT / 1_000_000
    )]
    TooManyPixels {
        /// As stored, before any turning.
        width: u32,
        /// As stored, before any turning.
        height: u32,
    },

    /// Decoding it would take more memory than any image within the pixel limit needs.
    #[error("The image needs too much memory to decode. Save it as a plain JPEG or PNG.")]
    TooLarge,
}

impl Rejection {
    /// A name for programs. It never changes, while the sentence may.
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::NotAnImage => "not_an_image",
            Rejection::FormatMismatch { .. } => "format_mismatch",
            Rejection::Truncated => "truncated",
            Rejection::Corrupt { .. } => "corrupt",
            Rejection::Unsupported { .. } => "unsupported",
            Rejection::Animation => "animation",
            Rejection::Polyglot { .. } => "polyglot",
            Rejection::TooManyPixels { .. } => "too_many_pixels",
            Rejection::TooLarge => "too_large",
        }
    }
}
