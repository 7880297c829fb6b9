//! Decimal numbers, eight digits at a time.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The value of the digits that a text begins with, and how many those are. `None` without any, and
/// for more than 15.
#[inline(always)]
pub fn number(text: &[u8]) -> Option<(i64, usize)> {
    let (first, count) = leading(&padded(text))?;
    if count < 8 {
        return Some((first as i64, count));
    }
    let Some((second, more)) = leading(&padded(text.get(8..)?)) else {
        return Some((first as i64, 8));
    };
    Some(((first * POWERS.get(more)? + second) as i64, 8 + more))
}

/// The value of the digits that eight bytes begin with, and how many those are.
#[inline(always)]
fn leading(bytes: &[u8; 8]) -> Option<(u64, usize)> {
    let word = u64::from_le_bytes(*bytes) ^ (LOW * u64::from(b'0'));
    let count = (others(word).trailing_zeros() / 8) as usize;
    // Zeros move in before the first digit.
    let digits = word.checked_shl(64 - 8 * count as u32)?;
    Some((value(digits), count))
}

/// A bit for each byte that is above 9; those above the lowest may be wrong.
#[inline(always)]
fn others(digits: u64) -> u64 {
    (digits.wrapping_add(LOW * (128 - 10)) | digits) & HIGH
}

/// The value of eight bytes from 0 to 9, the first of which weighs most.
#[inline(always)]
fn value(digits: u64) -> u64 {
    const MASK: u64 = 0x0000_00ff_0000_00ff;
    let pairs = pairs(digits);
    let first = (pairs & MASK).wrapping_mul(100 + (1_000_000 << 32));
    let second = ((pairs >> 16) & MASK).wrapping_mul(1 + (10_000 << 32));
    first.wrapping_add(second) >> 32
}

/// Each two of them as one number, in every other byte; what is in the bytes between is of no use.
#[inline(always)]
fn pairs(digits: u64) -> u64 {
    digits.wrapping_mul(10).wrapping_add(digits >> 8)
}

/// Three numbers of two digits each.
#[inline(always)]
pub fn three_pairs(bytes: &[u8; 6]) -> Option<[u8; 3]> {
    let [a, b, c, d, e, f] = *bytes;
    let digits = u64::from_le_bytes([b'0', b'0', a, b, c, d, e, f]) ^ (LOW * u64::from(b'0'));
    let [_, _, first, _, second, _, third, _] = pairs(digits).to_le_bytes();
    (others(digits) == 0).then_some([first, second, third])
}

/// Up to three digits, as many as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Few {
    /// One digit a byte, the last in the lowest.
    pub digits: u32,
    pub count: usize,
}

impl Few {
    /// `None` if there are none or more.
    #[inline(always)]
    pub fn leading(text: &[u8]) -> Option<Self> {
        const LOW: u32 = 0x0101_0101;
        let word = u32::from_le_bytes(padded(text)) ^ (LOW * b'0' as u32);
        let others = (word.wrapping_add(LOW * (128 - 10)) | word) & (LOW << 7);
        let count = (others.trailing_zeros() / 8) as usize;
        let is_few = count.wrapping_sub(1) < 3;
        is_few.then(|| Self { digits: (word << (32 - 8 * count)).swap_bytes(), count })
    }

    #[inline(always)]
    pub fn value(self) -> u32 {
        let [_, hundreds, tens, units] = self.digits.to_be_bytes().map(u32::from);
        (hundreds * 10 + tens) * 10 + units
    }
}

/// The first bytes, with blanks behind a text that has fewer.
#[inline(always)]
fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    text.first_chunk().copied().unwrap_or_else(|| pad(text))
}

#[cold]
fn pad<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = [b' '; N];
    for (to, from) in bytes.iter_mut().zip(text) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &[u8]) -> usize {
        text.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_what_they_say(text in "[0-9]{0,18}\\PC{0,20}") {
            let count = digits(text.as_bytes());
            let expected = text[..count].parse().ok().filter(|_| count < 16).map(|value| (value, count));
            proptest::prop_assert_eq!(number(text.as_bytes()), expected);
        }

        #[test]
        fn any_bytes_may_follow_a_number(any: [u8; 16], near in proptest::array::uniform16(0x2eu8..0x3b)) {
            for text in [any, near] {
                let count = digits(&text);
                let value = str::from_utf8(&text[..count]).expect("ASCII").parse().ok();
                let expected = value.filter(|_| count < 16).map(|value| (value, count));
                proptest::prop_assert_eq!(number(&text), expected);
            }
        }

        #[test]
        fn a_few_digits(bytes in proptest::array::uniform4(0x2eu8..0x3c), any: [u8; 4], length in 0usize..5) {
            for bytes in [bytes, any] {
                let text = &bytes[..length];
                let count = digits(text);
                let expected = (1..4).contains(&count).then(|| {
                    (str::from_utf8(&text[..count]).expect("ASCII").parse().expect("a number"), count)
                });
                let found = Few::leading(text).map(|few| (few.value(), few.count));
                proptest::prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn pairs_of_digits(bytes in proptest::array::uniform6(0x2fu8..0x3b), any: [u8; 6]) {
            for bytes in [bytes, any] {
                let expected = (digits(&bytes) == 6).then(|| {
                    let (pairs, _) = bytes.as_chunks::<2>();
                    pairs.iter().map(|[a, b]| (a - b'0') * 10 + b - b'0').collect::<Vec<_>>()
                });
                proptest::prop_assert_eq!(three_pairs(&bytes).map(Vec::from), expected);
            }
        }
    }
}
