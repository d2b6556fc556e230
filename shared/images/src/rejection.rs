/// The reason why a file was rejected. Its `Display` output is a message for the uploader with the problem and a
/// solution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The file does not start with the signature of an image format.
    #[error("The file is not an image. Upload a JPEG, PNG or WebP file.")]
    NotAnImage,

    /// The file is an image of another type than declared.
    #[error("The upload was declared as {declared}, but the file is {actual}. Request an upload with the type of the file.")]
    FormatMismatch {
        /// The media type that the uploader declared.
        declared: &'static str,
        /// The media type according to the first bytes of the file.
        actual: &'static str,
    },

    /// The file ends before the end of the image.
    #[error("The file is cut off before its end. Upload the complete file again.")]
    Truncated,

    /// The structure of the file is complete, but it cannot be decoded.
    #[error("The file is damaged and cannot be decoded. Save the image again and upload the new file.")]
    Corrupt {
        /// The decoder's error message, for the log.
        detail: String,
    },

    /// The file is intact, but uses a feature of its format that the decoders do not support, such as arithmetic coding in
    /// JPEG.
    #[error(
        "The file uses {detail}, which is not supported. Open it in an image editor and save it as a standard JPEG or PNG file."
    )]
    Unsupported {
        /// The feature, as part of a sentence.
        detail: String,
    },

    /// The file has more than one frame, and only still images are displayed.
    #[error("The file is an animation. Upload a still image.")]
    Animation,

    /// The file is also of another kind, such as a ZIP archive or a PHP script.
    #[error("The file contains more than an image. Save the image again and upload the new file.")]
    Polyglot {
        /// The other kind, for the log.
        other: &'static str,
    },

    /// The image has more pixels than [`PIXEL_LIMIT`](super::PIXEL_LIMIT), or a side is longer than
    /// [`SIDE_LIMIT`](super::SIDE_LIMIT).
    #[error(
        "The image is {width} × {height} pixels; at most {} megapixels and {} pixels per side are allowed. Upload a smaller \
         image.",
        super::PIXEL_LIMIT / 1_000_000,
        super::SIDE_LIMIT
    )]
    TooManyPixels {
        /// Stored width in pixels, before the orientation is applied.
        width: u32,
        /// Stored height in pixels, before the orientation is applied.
        height: u32,
    },

    /// Decoding would take more memory than an image within the pixel limit needs.
    #[error("The image needs too much memory to decode. Save it as a standard JPEG or PNG file.")]
    TooLarge,
}

impl Rejection {
    /// Returns the machine-readable code of the reason. Codes are stable; the messages may change.
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
