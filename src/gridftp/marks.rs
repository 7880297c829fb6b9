//! Where values end: a bit for each blank, tab, line feed or other control character of 64 bytes.
//!
//! To look at each value for its end costs a search a value, most of them of a few bytes. All ends of
//! 64 bytes are found in a dozen instructions.

pub const BLOCK: usize = 64;

/// Highest byte that ends a value: the blank. Everything below it is a control character.
const LAST_END: u8 = b' ';

/// The lowest bit stands for the first byte.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn ends(block: &[u8; BLOCK]) -> u64 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8,
    };
    let (words, _) = block.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let mut found = 0;
    for (at, pair) in pairs.iter().enumerate() {
        let [low, high] = pair.map(i64::from_le_bytes);
        // SAFETY: these instructions touch no memory, and all of them are SSE2, which is part of
        // x86_64: there is no such processor without it.
        let bits = unsafe {
            let bytes = _mm_set_epi64x(high, low);
            let last = _mm_set1_epi8(LAST_END as i8);
            _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(bytes, last), bytes))
        };
        found |= u64::from(bits as u16) << (16 * at);
    }
    found
}

#[cfg(not(target_arch = "x86_64"))]
pub use portable::ends;

/// The same for other processors.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{BLOCK, LAST_END};

    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;

    #[inline(always)]
    pub fn ends(block: &[u8; BLOCK]) -> u64 {
        let (words, _) = block.as_chunks::<8>();
        words.iter().enumerate().fold(0, |found, (at, word)| found | (eight(word) << (8 * at)))
    }

    #[inline(always)]
    fn eight(bytes: &[u8; 8]) -> u64 {
        let word = u64::from_le_bytes(*bytes);
        // Without its highest bit no byte overflows into the next one.
        let above = ((word & !HIGH) + LOW * u64::from(127 - LAST_END)) | word;
        // Gathers the lowest bits of eight bytes in the highest one.
        ((!above & HIGH) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_end_is_marked_and_nothing_else(bytes: [u8; 32], near in proptest::array::uniform32(0x1eu8..0x24)) {
            let mut block = [0; BLOCK];
            for (at, byte) in bytes.iter().zip(&near).flat_map(|(any, near)| [*any, *near]).enumerate() {
                block[at] = byte;
            }
            let expected =
                block.iter().enumerate().fold(0, |bits, (at, byte)| bits | (u64::from(*byte <= b' ') << at));
            proptest::prop_assert_eq!(ends(&block), expected);
            proptest::prop_assert_eq!(portable::ends(&block), expected);
        }
    }
}
