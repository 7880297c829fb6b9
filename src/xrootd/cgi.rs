//! `&key=value` texts, which no sender escapes.
//!
//! Values hold certificate names with `=`, blanks and even `&`, so a segment only begins a new pair
//! if what stands before its first `=` is a key of that kind of map (or looks like one that a later
//! release might add: 1 to 8 letters). Anything else goes on with the value before it. In login
//! maps the keys come in a fixed order, and a key that would step back belongs to a value too: a
//! distinguished name such as `/CN=Lab&n=7` must not rename the user.

use crate::cursor::split_once;

/// The keys of one kind of map.
pub struct KeySet {
    /// In the order of emission.
    pub keys: &'static [&'static [u8]],
    /// A key earlier in `keys` than the last one accepted belongs to the value before it.
    pub ordered: bool,
    /// This key's value runs to the end of the text.
    pub last: Option<&'static [u8]>,
    /// Accept keys that are not listed.
    pub open: bool,
}

/// Iterator over the pairs of a text.
pub struct Pairs<'a> {
    rest: &'a [u8],
    set: &'static KeySet,
    rank: usize,
    /// The key that `rest` begins with, and its rank, once that is known.
    next_key: Option<(&'a [u8], usize)>,
}

impl<'a> Pairs<'a> {
    pub fn new(text: &'a [u8], set: &'static KeySet) -> Self {
        Self { rest: text, set, rank: 0, next_key: None }
    }

    /// The key that a segment begins with, if it begins a pair.
    fn key_of(&self, segment: &'a [u8], rank: usize) -> Option<(&'a [u8], usize)> {
        let (key, _) = split_once(segment, b'=')?;
        match self.set.keys.iter().position(|known| *known == key) {
            Some(at) if self.set.ordered && at < rank => None,
            Some(at) => Some((key, at)),
            None if self.set.open && is_plausible_key(key) => Some((key, rank)),
            None => None,
        }
    }
}

fn is_plausible_key(key: &[u8]) -> bool {
    (1..=8).contains(&key.len()) && key.iter().all(u8::is_ascii_alphabetic)
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let text = self.rest.strip_prefix(b"&").unwrap_or(self.rest);
            let mut end = segment_end(text, 0);
            let known = self.next_key.take();
            let Some((key, rank)) = known.or_else(|| self.key_of(text.get(..end)?, self.rank))
            else {
                self.rest = text.get(end..)?;
                continue;
            };
            if self.set.last == Some(key) {
                end = text.len();
            }
            while end < text.len() {
                let next = segment_end(text, end + 1);
                self.next_key = self.key_of(text.get(end + 1..next)?, rank);
                if self.next_key.is_some() {
                    break;
                }
                end = next;
            }
            self.rank = rank;
            self.rest = text.get(end..)?;
            return Some((key, text.get(key.len() + 1..end)?));
        }
    }
}

/// Where the segment that begins at `from` ends: at the next `&` or at the end of the text.
fn segment_end(text: &[u8], from: usize) -> usize {
    text.get(from..).and_then(|tail| memchr::memchr(b'&', tail)).map_or(text.len(), |at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    static LOGIN: KeySet =
        KeySet { keys: &[b"p", b"n", b"m", b"I"], ordered: true, last: None, open: true };
    static FRM: KeySet =
        KeySet { keys: &[b"rc", b"pd"], ordered: false, last: Some(b"pd"), open: true };

    fn pairs(text: &str, set: &'static KeySet) -> Vec<(String, String)> {
        Pairs::new(text.as_bytes(), set)
            .map(|(key, value)| {
                (
                    String::from_utf8_lossy(key).into_owned(),
                    String::from_utf8_lossy(value).into_owned(),
                )
            })
            .collect()
    }

    fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    #[test]
    fn names_keep_their_equals_and_ampersands() {
        assert_eq!(
            pairs("&p=gsi&n=/DC=x/O=Lab & Co/CN=a&m=/CN=B&n=7&I=4", &LOGIN),
            owned(&[("p", "gsi"), ("n", "/DC=x/O=Lab & Co/CN=a"), ("m", "/CN=B&n=7"), ("I", "4")])
        );
    }

    #[test]
    fn unknown_keys_pass_and_stray_segments_do_not() {
        assert_eq!(
            pairs("stray&p=&S=SITE&I=4&I=6&", &LOGIN),
            owned(&[("p", ""), ("S", "SITE"), ("I", "4"), ("I", "6&")])
        );
    }

    #[test]
    fn program_data_runs_to_the_end() {
        assert_eq!(pairs("&rc=0&pd=a=1&rc=2", &FRM), owned(&[("rc", "0"), ("pd", "a=1&rc=2")]));
    }
}
