//! What groups of cells look like, kept for the next record that has the same group.
//!
//! Most records of a moment are of a few logins on a few servers, and a third of a record's text says
//! who and where.

use crate::columns::Stamp;

/// Groups that are remembered. Each has one place where it can be, by its stamp: those stamped one
/// after the other do not meet.
const PLACES: usize = 256;

/// Longer texts are not kept, whoever sends them: all of it is to stay in the processor's cache.
const LONGEST: usize = 1024;

/// Texts of groups by their stamps. Holds [`PLACES`] times [`LONGEST`] bytes at most.
#[derive(Default)]
pub struct Fragments {
    places: Vec<(Stamp, Vec<u8>)>,
}

fn place(stamp: Stamp) -> Option<usize> {
    stamp.number().map(|number| number as usize % PLACES)
}

impl Fragments {
    /// The text of a group, if it is remembered.
    #[inline]
    pub fn get(&self, stamp: Stamp) -> Option<&[u8]> {
        let (kept, text) = self.places.get(place(stamp)?)?;
        (*kept == stamp).then_some(text)
    }

    /// Remembers the text of a group that has a stamp.
    pub fn keep(&mut self, stamp: Stamp, text: &[u8]) {
        let Some(place) = place(stamp).filter(|_| text.len() <= LONGEST) else { return };
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Default::default);
        }
        if let Some((kept, known)) = self.places.get_mut(place) {
            *kept = stamp;
            known.clear();
            known.extend_from_slice(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_given_to_its_own_stamp_alone() {
        let mut fragments = Fragments::default();
        let stamps: Vec<_> = (0..2 * PLACES).map(|_| Stamp::fresh()).collect();
        for (number, stamp) in stamps.iter().enumerate() {
            assert_eq!(fragments.get(*stamp), None);
            fragments.keep(*stamp, format!("text {number}").as_bytes());
            assert_eq!(fragments.get(*stamp), Some(format!("text {number}").as_bytes()));
        }
        assert_eq!(fragments.get(stamps[0]), None);
    }

    #[test]
    fn neither_unstamped_nor_long_texts_are_kept() {
        let (mut fragments, stamp) = (Fragments::default(), Stamp::fresh());
        fragments.keep(Stamp::default(), b"text");
        fragments.keep(stamp, &[b'x'; LONGEST + 1]);
        assert_eq!((fragments.get(Stamp::default()), fragments.get(stamp)), (None, None));
    }
}
