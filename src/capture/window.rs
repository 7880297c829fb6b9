//! A piece of a byte source, held in memory: the only reader of sources.
//!
//! Sources may be pipes, so nothing seeks, and bytes are handed on as soon as they come. What
//! [`Window::take`] returns stays in place until the next [`Window::fill`], so that packets are
//! never copied.

use std::io::{ErrorKind, Read, Result};
use std::ops::Range;

/// Room for the largest packet and the header behind it, with space left for long reads.
const SMALLEST: usize = 128 * 1024;
/// Reads of this size cost next to nothing for each byte, and it still fits a second-level cache.
const LARGEST: usize = 1024 * 1024;

pub struct Window {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    position: u64,
    ended: bool,
}

impl Window {
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, position: 0, ended: false }
    }

    /// Bytes taken so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// All bytes read and not yet taken.
    #[inline]
    pub fn available(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads until `count` bytes are available, or the source has ended, and says whether they are.
    /// `count` must come from a ceiling, not from the input: the window grows to hold it.
    #[inline]
    pub fn fill(&mut self, count: usize) -> Result<bool> {
        while self.end - self.start < count {
            if self.ended {
                return Ok(false);
            }
            self.read(count)?;
        }
        Ok(true)
    }

    fn read(&mut self, count: usize) -> Result<()> {
        if self.start > 0 && (self.start == self.end || self.start + count > self.buffer.len()) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < count.max(SMALLEST) {
            self.buffer.resize(count.max(SMALLEST), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let space = room.len();
        match self.reader.read(room) {
            Ok(0) => self.ended = true,
            Ok(read) => {
                self.end += read.min(space);
                // A source that fills all there is deserves longer reads; a pipe never does.
                if read >= space && self.buffer.len() < LARGEST {
                    self.buffer.resize((2 * self.buffer.len()).min(LARGEST), 0);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Consumes up to `count` available bytes and says where they are.
    #[inline]
    pub fn take(&mut self, count: usize) -> Range<usize> {
        let count = count.min(self.end - self.start);
        let taken = self.start..self.start + count;
        self.start += count;
        self.position += count as u64;
        taken
    }

    /// Bytes taken earlier; empty once the window has moved on past them.
    #[inline]
    pub fn taken(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or_default()
    }

    /// Consumes `count` bytes however many are available, and says whether there were so many.
    pub fn skip(&mut self, mut count: u64) -> Result<bool> {
        while count > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let step = usize::try_from(count).unwrap_or(usize::MAX);
            count -= self.take(step).len() as u64;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time, with interruptions, as a pipe does.
    struct Trickle(Vec<u8>, usize);

    impl Read for Trickle {
        fn read(&mut self, into: &mut [u8]) -> Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(ErrorKind::Interrupted.into());
            }
            let count = self.0.len().min(into.len()).min(1 + self.1 % 5);
            into[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    #[test]
    fn short_reads_add_up() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut window = Window::new(Box::new(Trickle(bytes.clone(), 0)));
        let mut seen = Vec::new();
        while window.fill(1).expect("no error") {
            window.fill(7).expect("no error");
            let range = window.take(7);
            seen.extend_from_slice(window.taken(&range));
        }
        assert_eq!(seen, bytes);
        assert_eq!(window.position(), 256);
        assert!(!window.fill(1).expect("no error"));
    }

    #[test]
    fn the_window_does_not_grow_with_the_source() {
        let mut window = Window::new(Box::new(std::io::repeat(7)));
        for _ in 0..100 {
            assert!(window.fill(65_000).expect("no error"));
            window.take(65_000);
        }
        assert!(window.buffer.len() <= LARGEST);
        assert!(window.skip(1 << 24).expect("no error"));
        assert_eq!(window.position(), 6_500_000 + (1 << 24));
    }
}
