//! Builds lossless WebP files with many groups of prefix codes (RFC 9649, section 3.7).

/// Appends numbers, starting with the lowest bit of each byte.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, number: u32, bits: usize) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= u8::try_from(number >> bit & 1).unwrap() << (self.count % 8);
            self.count += 1;
        }
    }

    /// A code with one symbol, 0 or 1.
    fn push_single(&mut self, symbol: u32) {
        self.push(0b001 | symbol << 3, 4);
    }

    /// A code with the symbols 0 and `second`, which take a bit each.
    fn push_pair(&mut self, second: u32) {
        self.push(0b0011, 4);
        self.push(second, 8);
    }

    /// A code for 280 colors and lengths, and 2,048 cached colors: 1,768 symbols of 11 bits, then 560 of 12 bits.
    fn push_longest(&mut self) {
        const REPEAT: (u32, usize) = (0b0, 1);
        const LENGTH_11: (u32, usize) = (0b01, 2);
        const LENGTH_12: (u32, usize) = (0b11, 2);
        self.push(0, 1);
        // The lengths of the codes of 17, 18, 0 to 5, 16, and 6 to 12.
        self.push(16 - 4, 4);
        for length in [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 2] {
            self.push(length, 3);
        }
        self.push(0, 1);
        for (length, repeats, others) in [(LENGTH_11, 294, 3), (LENGTH_12, 93, 1)] {
            self.push(length.0, length.1);
            for _ in 0..repeats {
                self.push(REPEAT.0, REPEAT.1);
                self.push(6 - 3, 2);
            }
            for _ in 0..others {
                self.push(length.0, length.1);
            }
        }
    }
}

/// A file with an image of one color. It has `256 * groups_256` groups, most of which take the decoder 78 KiB. Only the
/// first and the last one are used.
pub(crate) fn webp_with_groups(width: u32, height: u32, groups_256: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(0x2F, 8);
    bits.push(width - 1, 14);
    bits.push(height - 1, 14);
    bits.push(0, 4); // no alpha, version 0
    bits.push(0, 1); // no transforms
    bits.push(0b1, 1); // a color cache
    bits.push(11, 4);
    // An image with the number of the group for each block of 4 x 4 pixels, in red and green: 0, and the highest number.
    bits.push(1, 1);
    bits.push(0, 3);
    bits.push(0, 1);
    bits.push_pair(255);
    bits.push_pair(groups_256 - 1);
    for _ in 0..3 {
        bits.push_single(0);
    }
    let blocks = width.div_ceil(4) * height.div_ceil(4);
    for block in 1..=blocks {
        bits.push(if block == blocks { 0b11 } else { 0b00 }, 2);
    }
    for group in 1..=256 * groups_256 {
        if group == 1 || group == 256 * groups_256 {
            bits.push_single(1);
        } else {
            bits.push_longest();
        }
        for _ in 0..4 {
            bits.push_single(0);
        }
    }
    if bits.bytes.len() % 2 == 1 {
        bits.bytes.push(0);
    }
    let length = u32::try_from(bits.bytes.len()).unwrap();
    [&b"RIFF"[..], &(length + 12).to_le_bytes(), b"WEBPVP8L", &length.to_le_bytes(), &bits.bytes].concat()
}
