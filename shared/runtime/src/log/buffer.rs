//! A buffer for log lines below the log level. They are written only if the invocation fails.

use std::collections::VecDeque;

/// The default buffer size of the Powertools Logger.
const MAX_BYTES: usize = 20 * 1024;

/// The latest buffered lines of an invocation, up to [`MAX_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: usize,
}

impl Buffer {
    pub(crate) fn push(&mut self, line: Vec<u8>) {
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.bytes > MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.len();
            self.dropped += 1;
        }
    }

    /// Empties the buffer. Returns its lines and the number of older lines that were dropped.
    pub(crate) fn take(&mut self) -> (VecDeque<Vec<u8>>, usize) {
        let Self { lines, dropped, .. } = std::mem::take(self);
        (lines, dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_latest_lines_and_counts_the_dropped_ones() {
        let mut buffer = Buffer::default();
        for n in 0..30_u8 {
            buffer.push(vec![n; 1024]);
        }
        let (lines, dropped) = buffer.take();
        assert_eq!((lines.len(), dropped), (20, 10));
        assert_eq!(lines.back().map(|line| line[0]), Some(29));
        assert_eq!(buffer.take(), (VecDeque::new(), 0));
    }
}
