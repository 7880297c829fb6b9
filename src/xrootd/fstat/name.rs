//! The user and the name in an open or error record.

use crate::cursor::{Block, NulSearch, cut_at_nul};

/// User dictid, name up to its NUL, and the rest from that NUL on.
#[inline]
pub(super) fn split_name(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let user = Block::<4>::first(bytes)?.u32::<0>();
    let text = bytes.get(4..)?;
    let (name, padding) = split_padded(text);
    Some((user, name, padding))
}

/// Splits at the first NUL of a padded name. The padding tells where that should be; that it is so
/// takes a look at every byte, but no decision before the end.
#[inline]
fn split_padded(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(end) = padded_end(text) {
        return text.split_at(end);
    }
    let (name, _) = cut_at_nul(text);
    text.split_at(name.len())
}

/// Where the name ends if at most eight NULs follow it, no other NUL is there, and the text is long
/// enough for this way of looking.
#[inline]
fn padded_end(text: &[u8]) -> Option<usize> {
    let (head, last) = text.split_last_chunk::<8>()?;
    let padding = u64::from_be_bytes(*last).trailing_zeros() as usize / 8;
    let end = text.len() - padding;
    // Whole chunks from the front, the last chunk of the head and the last of the name: they
    // overlap, and together they cover every byte of the name.
    let (chunks, _) = head.as_chunks::<16>();
    let name = text.get(..end)?;
    let found = NulSearch::new(head.last_chunk()?).and(name.last_chunk()?);
    let found = chunks.iter().fold(found, NulSearch::and);
    (!found.any()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn names_end_at_their_first_nul(text in proptest::collection::vec(0u8..3, 0..48)) {
            let (name, padding) = split_padded(&text);
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            proptest::prop_assert_eq!((name, padding), text.split_at(end));
        }

        #[test]
        fn padded_names_are_whole(length in 0usize..64, padding in 0usize..12) {
            let mut text = vec![b'a'; length];
            text.resize(length + padding, 0);
            proptest::prop_assert_eq!(split_padded(&text).0.len(), length);
        }
    }
}
