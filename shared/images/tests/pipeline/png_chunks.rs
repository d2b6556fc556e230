//! Builds PNG files from individual chunks, including files that no encoder writes.

/// The type and data of a chunk.
pub(crate) type Chunk<'a> = (&'a [u8; 4], Vec<u8>);

/// Builds a PNG file from `chunks`.
pub(crate) fn png(chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        file.extend(chunk(kind, data));
    }
    file
}

/// Serializes a chunk, with its length and checksum.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let typed = [kind, data].concat();
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &typed, &checksum(&typed).to_be_bytes()].concat()
}

/// The data of an IHDR chunk for RGB with 8 bits per sample.
pub(crate) fn rgb_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    header
}

/// The CRC-32 of W3C PNG, annex D, computed bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))))
}
