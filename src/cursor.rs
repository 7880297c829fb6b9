//! Bounds-checked big-endian reads: the only code that turns raw bytes into numbers.
//!
//! Two tools, both without a way to fail on input bytes. [`Cursor`] walks a buffer of
//! unknown length and answers `None` past its end. [`Block`] is a piece whose length
//! is part of its type: an offset outside it does not compile, so reading a field costs
//! one load and no check.

/// A forward reader over borrowed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes consumed so far.
    pub fn position(&self) -> usize {
        self.at
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// All bytes not yet consumed.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..count)?;
        self.at += count;
        Some(taken)
    }

    pub fn block<const N: usize>(&mut self) -> Option<Block<'a, N>> {
        let block = Block::first(self.rest())?;
        self.at += N;
        Some(block)
    }
}

/// Exactly `N` borrowed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a, const N: usize>(&'a [u8; N]);

impl<'a, const N: usize> Block<'a, N> {
    pub fn new(bytes: &'a [u8; N]) -> Self {
        Self(bytes)
    }

    /// The first `N` bytes of a longer buffer.
    #[inline]
    pub fn first(bytes: &'a [u8]) -> Option<Self> {
        bytes.first_chunk().map(Self)
    }

    pub fn bytes(self) -> &'a [u8; N] {
        self.0
    }

    #[inline]
    fn array<const AT: usize, const LEN: usize>(self) -> [u8; LEN] {
        const { assert!(AT + LEN <= N, "field outside its block") };
        let mut out = [0; LEN];
        out.copy_from_slice(&self.0[AT..AT + LEN]);
        out
    }

    #[inline]
    pub fn u8<const AT: usize>(self) -> u8 {
        self.array::<AT, 1>()[0]
    }

    #[inline]
    pub fn u16<const AT: usize>(self) -> u16 {
        u16::from_be_bytes(self.array::<AT, 2>())
    }

    #[inline]
    pub fn u32<const AT: usize>(self) -> u32 {
        u32::from_be_bytes(self.array::<AT, 4>())
    }

    #[inline]
    pub fn u64<const AT: usize>(self) -> u64 {
        u64::from_be_bytes(self.array::<AT, 8>())
    }

    #[inline]
    pub fn i16<const AT: usize>(self) -> i16 {
        i16::from_be_bytes(self.array::<AT, 2>())
    }

    #[inline]
    pub fn i32<const AT: usize>(self) -> i32 {
        i32::from_be_bytes(self.array::<AT, 4>())
    }

    #[inline]
    pub fn i64<const AT: usize>(self) -> i64 {
        i64::from_be_bytes(self.array::<AT, 8>())
    }

    #[inline]
    pub fn f64<const AT: usize>(self) -> f64 {
        f64::from_be_bytes(self.array::<AT, 8>())
    }

    /// A part of the block, as a block of its own.
    #[inline]
    pub fn part<const AT: usize, const LEN: usize>(self) -> Block<'a, LEN> {
        const { assert!(AT + LEN <= N, "part outside its block") };
        // The assertion above makes the fallback unreachable; it is there so that no path panics.
        match self.0[AT..].first_chunk() {
            Some(part) => Block(part),
            None => Block(&[0; LEN]),
        }
    }
}

/// The bytes before the first NUL, and whether there was one.
///
/// Names are short: looking at eight bytes at a time here costs less than calling a search made for
/// long texts.
#[inline]
pub fn cut_at_nul(bytes: &[u8]) -> (&[u8], bool) {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            let end = at * 8 + zeros.trailing_zeros() as usize / 8;
            return (bytes.get(..end).unwrap_or(bytes), true);
        }
    }
    match tail.iter().position(|byte| *byte == 0) {
        Some(end) => (bytes.get(..words.len() * 8 + end).unwrap_or(bytes), true),
        None => (bytes, false),
    }
}

/// Looks for a NUL in many chunks of sixteen bytes, and decides once at the end.
///
/// Keeps the least byte of each column: a NUL leaves a 0 behind. On x86-64 that is one instruction a
/// chunk, which every such processor has.
#[derive(Clone, Copy)]
pub struct NulSearch {
    #[cfg(target_arch = "x86_64")]
    least: std::arch::x86_64::__m128i,
    #[cfg(not(target_arch = "x86_64"))]
    least: [u8; 16],
}

#[cfg(target_arch = "x86_64")]
impl NulSearch {
    #[inline]
    pub fn new(chunk: &[u8; 16]) -> Self {
        let bits = u128::from_le_bytes(*chunk);
        let (low, high) = (bits as i64, (bits >> 64) as i64);
        // SAFETY: SSE2 belongs to x86-64; the intrinsic touches no memory.
        Self { least: unsafe { std::arch::x86_64::_mm_set_epi64x(high, low) } }
    }

    #[inline]
    pub fn and(self, chunk: &[u8; 16]) -> Self {
        let other = Self::new(chunk);
        // SAFETY: as in `new`.
        Self { least: unsafe { std::arch::x86_64::_mm_min_epu8(self.least, other.least) } }
    }

    #[inline]
    pub fn any(self) -> bool {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_setzero_si128};
        // SAFETY: as in `new`.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.least, _mm_setzero_si128())) != 0 }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl NulSearch {
    #[inline]
    pub fn new(chunk: &[u8; 16]) -> Self {
        Self { least: *chunk }
    }

    #[inline]
    pub fn and(mut self, chunk: &[u8; 16]) -> Self {
        for (least, byte) in self.least.iter_mut().zip(chunk) {
            *least = (*least).min(*byte);
        }
        self
    }

    #[inline]
    pub fn any(self) -> bool {
        self.least.contains(&0)
    }
}

/// Splits at the first `separator`; the separator belongs to neither side.
pub fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    split_at_found(bytes, memchr::memchr(separator, bytes)?)
}

/// Splits at the last `separator`; the separator belongs to neither side.
pub fn rsplit_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    split_at_found(bytes, memchr::memrchr(separator, bytes)?)
}

fn split_at_found(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// A decimal number as printed by a server: digits, optionally after one `-`.
pub fn decimal(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Like [`decimal`], without a sign and up to the full 64 bits.
pub fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut digits = bytes.iter();
    let first = digit(digits.next()?)?;
    digits.try_fold(first, |number: u64, byte| number.checked_mul(10)?.checked_add(digit(byte)?))
}

fn digit(byte: &u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_stops_at_the_end() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!(cursor.take(2), Some(&[1, 2][..]));
        assert_eq!(cursor.take(2), None);
        assert_eq!(cursor.rest(), &[3]);
        assert_eq!(cursor.position(), 2);
        assert!(cursor.block::<2>().is_none());
        assert!(cursor.block::<1>().is_some() && cursor.is_empty());
    }

    #[test]
    fn block_reads_big_endian() {
        let block = Block::new(&[0x80, 0, 0, 1, 0x40, 0xc3, 0xa8, 0x80, 0, 0, 0, 0]);
        assert_eq!(block.u32::<0>(), 0x8000_0001);
        assert_eq!(block.i32::<0>(), -0x7fff_ffff);
        assert_eq!(block.part::<4, 8>().f64::<0>(), 10065.0);
    }

    proptest::proptest! {
        #[test]
        fn the_first_nul_cuts(bytes in proptest::collection::vec(0u8..4, 0..40)) {
            let end = bytes.iter().position(|byte| *byte == 0);
            let (text, cut) = cut_at_nul(&bytes);
            proptest::prop_assert_eq!((text.len(), cut), (end.unwrap_or(bytes.len()), end.is_some()));
        }
    }

    #[test]
    fn numbers_are_plain_decimals() {
        assert_eq!(decimal(b"-12"), Some(-12));
        assert_eq!(decimal(b"+12"), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), None);
    }
}
