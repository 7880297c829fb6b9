//! A line while it is put together.
//!
//! Most of a line are short pieces and numbers. Appended to a vector each of them would cost a call, and
//! a look whether there is room; here they are copied in blocks of fixed size, a few instructions each,
//! into memory that has room for the next one.

use crate::quote::{is_plain, quote};

/// Longer lines go out in parts.
const ROOM: usize = 4096;

/// Bytes of a piece that are copied at once, be it shorter or not.
pub const PIECE: usize = 32;

/// Memory for one line after the other, and where they go.
pub struct Line<'a> {
    memory: &'a mut Memory,
    out: &'a mut Vec<u8>,
}

pub struct Memory {
    bytes: Box<[u8; ROOM]>,
    length: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { bytes: Box::new([0; ROOM]), length: 0 }
    }
}

/// A place in a line.
pub struct Mark {
    gone: usize,
    at: usize,
}

impl<'a> Line<'a> {
    pub fn new(memory: &'a mut Memory, out: &'a mut Vec<u8>) -> Self {
        // Something is left only of a line that a panic cut off; it must not stand before this one.
        memory.length = 0;
        Self { memory, out }
    }

    /// Everything so far goes out.
    #[inline]
    pub fn finish(&mut self) -> &mut Vec<u8> {
        let Memory { bytes, length } = self.memory;
        self.out.extend_from_slice(bytes.get(..*length).unwrap_or_default());
        *length = 0;
        self.out
    }

    pub fn mark(&self) -> Mark {
        Mark { gone: self.out.len(), at: self.memory.length }
    }

    /// What came behind a mark, if all of it is still here.
    pub fn since(&self, mark: &Mark) -> Option<&[u8]> {
        let Memory { bytes, length } = &*self.memory;
        bytes.get(mark.at..*length).filter(|_| mark.gone == self.out.len())
    }

    /// Room for a block, of which `write` says how much it used.
    #[inline(always)] // A handful of instructions, dozens of times for each line.
    fn block<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        if self.memory.length > ROOM - N {
            self.finish();
        }
        let Memory { bytes, length } = &mut *self.memory;
        if let Some(block) = bytes.get_mut(*length..).and_then(<[u8]>::first_chunk_mut) {
            *length += write(block);
        }
    }

    /// Writes the beginning of a block.
    #[inline(always)] // As above.
    pub fn piece(&mut self, piece: &[u8; PIECE], length: usize) {
        self.block(|block: &mut [u8; PIECE]| {
            *block = *piece;
            length.min(PIECE)
        });
    }

    #[inline]
    pub fn number(&mut self, number: i64) {
        self.block(|block: &mut [u8; PIECE]| match u8::try_from(number) {
            Ok(digit @ 0..=9) => {
                block[0] = b'0' + digit;
                1
            }
            _ => copy(itoa::Buffer::new().format(number).as_bytes(), block),
        });
    }

    /// `number` is finite.
    #[inline]
    pub fn float(&mut self, number: f64) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(number).as_bytes();
        self.block(|block: &mut [u8; PIECE]| copy(text, block));
    }

    #[inline]
    pub fn boolean(&mut self, truth: bool) {
        self.block(|block: &mut [u8; PIECE]| copy(if truth { b"true" } else { b"false" }, block));
    }

    /// Writes anything.
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        if text.len() > ROOM - self.memory.length {
            self.finish();
        }
        let Memory { bytes, length } = &mut *self.memory;
        match bytes.get_mut(*length..).and_then(|rest| rest.get_mut(..text.len())) {
            Some(place) => {
                place.copy_from_slice(text);
                *length += text.len();
            }
            None => self.out.extend_from_slice(text),
        }
    }

    /// Writes a text with its quotes.
    #[inline]
    pub fn quoted(&mut self, text: &str) {
        let text_length = text.len();
        if text_length + 2 > ROOM - self.memory.length {
            self.finish();
        }
        let Memory { bytes, length } = &mut *self.memory;
        let place = bytes.get_mut(*length..).and_then(|rest| rest.get_mut(..text_length + 2));
        match place {
            Some([first, inner @ .., last]) if is_plain(text) => {
                (*first, *last) = (b'"', b'"');
                inner.copy_from_slice(text.as_bytes());
                *length += text_length + 2;
            }
            _ => quote(text, self.finish()),
        }
    }
}

/// Copies a short text: two copies of fixed size that may overlap are faster than a call.
#[inline]
fn copy(text: &[u8], block: &mut [u8; PIECE]) -> usize {
    let length = text.len();
    let Some(place) = block.get_mut(..length) else { return 0 };
    match length {
        16..=PIECE => ends::<16>(text, place),
        8..=15 => ends::<8>(text, place),
        4..=7 => ends::<4>(text, place),
        2..=3 => ends::<2>(text, place),
        _ => place.copy_from_slice(text),
    }
    length
}

/// Copies the first and the last bytes.
#[inline(always)] // So that each size becomes its own two instructions.
fn ends<const N: usize>(text: &[u8], place: &mut [u8]) {
    if let (Some(from), Some(to)) = (text.first_chunk::<N>(), place.first_chunk_mut()) {
        *to = *from;
    }
    if let (Some(from), Some(to)) = (text.last_chunk::<N>(), place.last_chunk_mut()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Part {
        Piece(usize),
        Number(i64),
        Float(f64),
        Boolean(bool),
        Text(usize),
        Quoted(String),
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            (0..=PIECE).prop_map(Part::Piece),
            any::<i64>().prop_map(Part::Number),
            (-12i64..12).prop_map(Part::Number),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Part::Float),
            any::<bool>().prop_map(Part::Boolean),
            (0..2 * ROOM).prop_map(Part::Text),
            "[ -~\\n]{0,80}".prop_map(Part::Quoted),
        ]
    }

    #[test]
    fn nothing_is_left_of_a_line_that_was_not_finished() {
        let (mut memory, mut out) = (Memory::default(), Vec::new());
        Line::new(&mut memory, &mut out).text(b"cut o");
        let mut line = Line::new(&mut memory, &mut out);
        line.text(b"whole");
        line.finish();
        assert_eq!(out, b"whole");
    }

    proptest! {
        #[test]
        fn a_line_is_its_parts(parts in proptest::collection::vec(part(), 0..200)) {
            let letters: Vec<u8> = (b'a'..=b'z').cycle().take(2 * ROOM).collect();
            let piece = letters.first_chunk().expect("letters");
            let (mut memory, mut out, mut expected) = (Memory::default(), Vec::new(), Vec::new());
            let mut line = Line::new(&mut memory, &mut out);
            for part in &parts {
                let before = expected.len();
                let mark = line.mark();
                match part {
                    Part::Piece(length) => line.piece(piece, *length),
                    Part::Number(number) => line.number(*number),
                    Part::Float(number) => line.float(*number),
                    Part::Boolean(truth) => line.boolean(*truth),
                    Part::Text(length) => line.text(&letters[..*length]),
                    Part::Quoted(text) => line.quoted(text),
                }
                match part {
                    Part::Piece(length) | Part::Text(length) => {
                        expected.extend(&letters[..*length]);
                    }
                    Part::Number(number) => expected.extend(number.to_string().bytes()),
                    Part::Float(number) => {
                        expected.extend(zmij::Buffer::new().format_finite(*number).bytes());
                    }
                    Part::Boolean(truth) => expected.extend(truth.to_string().bytes()),
                    Part::Quoted(text) => quote(text, &mut expected),
                }
                if let Some(since) = line.since(&mark) {
                    prop_assert_eq!(since, &expected[before..]);
                }
            }
            line.finish();
            prop_assert_eq!(out, expected);
        }
    }
}
