//! Limits the memory for the prefix codes of a lossless WebP image (RFC 9649, section 3), which the decoder does not do.
//!
//! An image may have 65,536 groups of five prefix codes. image-webp 0.2.4 builds tables for all of them before it decodes
//! a pixel. A file of a few MB can thus require several GB. The groups come after the transforms, which have to be read to
//! find them.

use super::Rejection;
use super::structure::{self, RiffChunk};

/// Maximum number of bytes for the prefix codes of an image. libwebp writes at most 2,600 groups, whose tables of 4 KiB take
/// less than half of that.
const LIMIT: usize = 128 * 1024 * 1024;

/// The sizes of the alphabets of green and lengths, red, blue, alpha, and distances (section 3.7.2.1).
const ALPHABETS: [usize; 5] = [256 + LENGTH_CODES, 256, 256, 256, 40];

const LENGTH_CODES: usize = 24;

const MAX_CODE_LENGTH: usize = 15;

/// The size of an image.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Size {
    /// The number of blocks of `1 << bits` pixels in each direction.
    fn blocks(self, bits: u32) -> Self {
        Self { width: self.width.div_ceil(1 << bits), height: self.height.div_ceil(1 << bits) }
    }

    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Checks that no image in the WebP `file` needs more than [`LIMIT`] bytes for its prefix codes.
pub(super) fn check(file: &[u8], canvas: Size) -> Result<(), Rejection> {
    structure::webp_chunks(file).try_for_each(|chunk| {
        if chunk.kind != *b"ANMF" {
            return check_chunk(&chunk, canvas);
        }
        // Section 2.7.1.1: position, size minus one, duration and flags, then the chunks of the frame.
        let Some((header, frame)) = chunk.data.split_first_chunk::<16>() else {
            return Ok(());
        };
        let [_, _, _, _, _, _, width_0, width_1, width_2, height_0, height_1, height_2, ..] = *header;
        let width = u32::from_le_bytes([width_0, width_1, width_2, 0]) + 1;
        let height = u32::from_le_bytes([height_0, height_1, height_2, 0]) + 1;
        // The decoder rejects frames that are larger than the canvas.
        let size = Size { width: width.min(canvas.width), height: height.min(canvas.height) };
        structure::riff_chunks(frame).try_for_each(|chunk| check_chunk(&chunk, size))
    })
}

fn check_chunk(chunk: &RiffChunk<'_>, size: Size) -> Result<(), Rejection> {
    let result = match &chunk.kind {
        b"VP8L" => check_image(chunk.data),
        b"ALPH" => check_alpha(chunk.data, size),
        _ => Ok(()),
    };
    result.map_err(|stop| match stop {
        Stop::LimitExceeded => Rejection::TooLarge,
        Stop::Invalid => Rejection::Corrupt { detail: "the prefix codes of the lossless WebP are invalid".to_owned() },
    })
}

fn check_image(data: &[u8]) -> Result<(), Stop> {
    let mut codes = PrefixCodes { bits: Bits::new(data), bytes: 0 };
    let _signature = codes.read(8)?;
    let size = Size { width: codes.read(14)? + 1, height: codes.read(14)? + 1 };
    let _alpha_and_version = codes.read(4)?;
    codes.read_image(size)
}

fn check_alpha(data: &[u8], size: Size) -> Result<(), Stop> {
    // Section 2.7.1.2: the last two bits of the first byte are the compression method.
    const LOSSLESS: u8 = 1;
    match data.split_first() {
        Some((header, image)) if header & 0b11 == LOSSLESS => {
            PrefixCodes { bits: Bits::new(image), bytes: 0 }.read_image(size)
        }
        _ => Ok(()),
    }
}

enum Stop {
    LimitExceeded,
    /// The data is invalid or ends too early.
    Invalid,
}

/// The prefix codes of an image, as far as they have been read.
struct PrefixCodes<'a> {
    bits: Bits<'a>,
    /// The memory that the decoder needs for the codes.
    bytes: usize,
}

impl PrefixCodes<'_> {
    /// Reads the transforms and all prefix codes.
    fn read_image(mut self, size: Size) -> Result<(), Stop> {
        let mut size = size;
        let mut has_transform = [false; 4];
        while self.read(1)? == 1 {
            let transform = self.read(2)?;
            match has_transform.get_mut(transform as usize) {
                Some(has_transform) if !*has_transform => *has_transform = true,
                _ => return Err(Stop::Invalid),
            }
            match transform {
                // Predictors and color transforms: an image with a pixel per block.
                0 | 1 => {
                    let blocks = size.blocks(self.read(3)? + 2);
                    self.read_block_image(blocks)?;
                }
                // Subtract green.
                2 => {}
                // Color indexing, which packs several pixels into one.
                _ => {
                    let colors = self.read(8)? + 1;
                    self.read_block_image(Size { width: colors, height: 1 })?;
                    let packing = match colors {
                        1..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    };
                    size.width = size.width.div_ceil(1 << packing);
                }
            }
        }
        let cache = self.read_color_cache()?;
        let groups = if self.read(1)? == 1 {
            let blocks = size.blocks(self.read(3)? + 2);
            self.read_block_image(blocks)? + 1
        } else {
            1
        };
        for _ in 0..groups {
            self.read_group(cache)?;
        }
        Ok(())
    }

    /// Reads an image that describes blocks of pixels, and returns the highest number in red and green.
    ///
    /// Copies and the color cache only repeat pixels, so their values are not needed.
    fn read_block_image(&mut self, size: Size) -> Result<u32, Stop> {
        let bytes = self.bytes;
        let cache = self.read_color_cache()?;
        let [green, red, blue, alpha, distance] = self.read_group(cache)?;
        let mut highest = 0;
        let mut pixels = 0;
        while pixels < size.pixels() {
            match self.read_symbol(&green)? {
                literal @ 0..256 => {
                    highest = highest.max(self.read_symbol(&red)? << 8 | literal);
                    self.read_symbol(&blue)?;
                    self.read_symbol(&alpha)?;
                    pixels += 1;
                }
                length @ 256..280 => {
                    pixels += u64::from(self.read_number(length - 256)?);
                    let symbol = self.read_symbol(&distance)?;
                    self.read_number(symbol)?;
                }
                _cached => pixels += 1,
            }
        }
        // The decoder frees them.
        self.bytes = bytes;
        Ok(highest)
    }

    /// Reads the size of the color cache.
    fn read_color_cache(&mut self) -> Result<usize, Stop> {
        if self.read(1)? == 0 {
            return Ok(0);
        }
        match self.read(4)? {
            bits @ 1..=11 => Ok(1 << bits),
            _ => Err(Stop::Invalid),
        }
    }

    fn read_group(&mut self, cache: usize) -> Result<[Code; 5], Stop> {
        let [green, red, blue, alpha, distance] = ALPHABETS;
        Ok([
            self.read_code(green + cache)?,
            self.read_code(red)?,
            self.read_code(blue)?,
            self.read_code(alpha)?,
            self.read_code(distance)?,
        ])
    }

    /// Reads a prefix code (section 3.7.2.1) and adds its memory.
    fn read_code(&mut self, alphabet: usize) -> Result<Code, Stop> {
        let code = if self.read(1)? == 1 { self.read_simple_code(alphabet)? } else { self.read_normal_code(alphabet)? };
        self.bytes += code.decoder_bytes();
        if self.bytes > LIMIT { Err(Stop::LimitExceeded) } else { Ok(code) }
    }

    fn read_simple_code(&mut self, alphabet: usize) -> Result<Code, Stop> {
        let has_two = self.read(1)? == 1;
        let is_long = self.read(1)? == 1;
        let mut symbols = vec![self.read(if is_long { 8 } else { 1 })?];
        let mut counts = [0; MAX_CODE_LENGTH + 1];
        if has_two {
            symbols.push(self.read(8)?);
            counts[1] = 2;
        }
        if symbols.iter().any(|&symbol| symbol as usize >= alphabet) {
            Err(Stop::Invalid)
        } else {
            Ok(Code { counts, symbols })
        }
    }

    fn read_normal_code(&mut self, alphabet: usize) -> Result<Code, Stop> {
        const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut lengths = [0; 19];
        let count = 4 + self.read(4)? as usize;
        for &symbol in ORDER.iter().take(count) {
            let length = self.read(3)?;
            if let Some(slot) = lengths.get_mut(symbol) {
                *slot = length;
            }
        }
        let code_of_lengths = Code::new(&lengths)?;

        let mut remaining = alphabet as u32;
        if self.read(1)? == 1 {
            let bits = 2 + 2 * self.read(3)?;
            remaining = 2 + self.read(bits)?;
            if remaining as usize > alphabet {
                return Err(Stop::Invalid);
            }
        }
        let mut lengths = Vec::with_capacity(alphabet);
        let mut previous = 8;
        while lengths.len() < alphabet && remaining > 0 {
            remaining -= 1;
            let (length, repeat) = match self.read_symbol(&code_of_lengths)? {
                16 => (previous, 3 + self.read(2)?),
                17 => (0, 3 + self.read(3)?),
                18 => (0, 11 + self.read(7)?),
                length => (length, 1),
            };
            if length != 0 {
                previous = length;
            }
            lengths.extend(std::iter::repeat_n(length, repeat as usize));
        }
        if lengths.len() > alphabet { Err(Stop::Invalid) } else { Code::new(&lengths) }
    }

    fn read(&mut self, bits: u32) -> Result<u32, Stop> {
        self.bits.read(bits).ok_or(Stop::Invalid)
    }

    fn read_symbol(&mut self, code: &Code) -> Result<u32, Stop> {
        code.read(&mut self.bits).ok_or(Stop::Invalid)
    }

    /// Reads a length or a distance (section 3.6.2.2).
    fn read_number(&mut self, prefix: u32) -> Result<u32, Stop> {
        if prefix < 4 {
            return Ok(prefix + 1);
        }
        let extra_bits = (prefix - 2) >> 1;
        Ok(((2 + (prefix & 1)) << extra_bits) + self.read(extra_bits)? + 1)
    }
}

/// A canonical prefix code.
struct Code {
    /// The number of symbols of each length. All zero if there is only one symbol, which takes no bits.
    counts: [u32; MAX_CODE_LENGTH + 1],
    /// The symbols in the order of their codes.
    symbols: Vec<u32>,
}

impl Code {
    /// Returns the code in which each symbol has the length at its index. Zero means that the symbol is not used.
    fn new(lengths: &[u32]) -> Result<Self, Stop> {
        let mut counts = [0; MAX_CODE_LENGTH + 1];
        let mut symbols = Vec::new();
        for (length, count) in (0_u32..).zip(&mut counts).skip(1) {
            let start = symbols.len();
            symbols.extend((0_u32..).zip(lengths).filter(|&(_, &other)| other == length).map(|(symbol, _)| symbol));
            *count = (symbols.len() - start) as u32;
        }
        if symbols.len() == 1 {
            return Ok(Self { counts: [0; MAX_CODE_LENGTH + 1], symbols });
        }
        let used: u32 =
            (0_u32..).zip(&counts).skip(1).map(|(length, &count)| count << (MAX_CODE_LENGTH as u32 - length)).sum();
        if used == 1 << MAX_CODE_LENGTH { Ok(Self { counts, symbols }) } else { Err(Stop::Invalid) }
    }

    /// The memory of the code in image-webp 0.2.4: a table of 4 bytes for each combination of up to 10 bits, and two nodes
    /// of 16 bytes for each longer symbol. The vector of codes takes 64 bytes each and may be copied as it grows.
    fn decoder_bytes(&self) -> usize {
        const TABLE_BITS: usize = 10;
        const CODE: usize = 3 * 64;
        let table = self.counts.iter().rposition(|&count| count > 0).map_or(0, |longest| 4 << longest.min(TABLE_BITS));
        let long_symbols: u32 = self.counts.iter().skip(TABLE_BITS + 1).sum();
        CODE + table + 2 * 16 * long_symbols as usize
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<u32> {
        if let [symbol] = *self.symbols {
            return Some(symbol);
        }
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in self.counts.into_iter().skip(1) {
            code = code << 1 | bits.read(1)?;
            if code < first + count {
                return self.symbols.get((index + code - first) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
        }
        None
    }
}

/// Reads bits, starting with the lowest bit of each byte.
struct Bits<'a> {
    data: &'a [u8],
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { data, buffer: 0, count: 0 }
    }

    /// Reads a number of at most 32 bits.
    fn read(&mut self, bits: u32) -> Option<u32> {
        while self.count < bits {
            let (&byte, data) = self.data.split_first()?;
            self.buffer |= u64::from(byte) << self.count;
            self.count += 8;
            self.data = data;
        }
        let number = self.buffer & ((1 << bits) - 1);
        self.buffer >>= bits;
        self.count -= bits;
        u32::try_from(number).ok()
    }
}
