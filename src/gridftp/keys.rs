//! Keys of JSON objects, remembered from one record to the next.
//!
//! Objects of one kind have the same keys in the same order, with the same blanks around them. What
//! stands between two values is compared with what stood there the last time: if it is the same, so is
//! what it means. If not, the key is read, and remembered in its place.

use super::json::Reader;
use super::text::Wrong;

/// Keys remembered of one kind of object, and bytes of each. More are read anew each time: a hostile log
/// gets no memory.
const MOST: usize = 64;
const LONGEST: usize = 128;

/// The keys of one kind of object, and what each of them means.
#[derive(Debug)]
pub struct Keys<T>(Vec<Key<T>>);

#[derive(Debug)]
struct Key<T> {
    /// From the brace or comma in front of the key to the first byte of the value.
    text: Vec<u8>,
    meaning: T,
}

impl<T> Default for Keys<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Keys<T> {
    /// Reads an object: `mean` says what a key means, `each` has to read its value.
    #[inline]
    pub fn read<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        mean: impl Fn(&[u8]) -> Result<T, Wrong>,
        mut each: impl FnMut(&mut Reader<'a>, &T) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        for at in 0.. {
            if let Some(key) = self.0.get(at)
                && reader.skip(&key.text)
            {
                each(reader, &key.meaning)?;
                continue;
            }
            let begin = reader.position();
            let Some(key) = reader.key(at == 0)? else { break };
            let meaning = mean(key)?;
            reader.peek();
            let text = reader.since(begin);
            each(reader, &meaning)?;
            self.keep(at, text, meaning);
        }
        Ok(())
    }

    #[cold]
    fn keep(&mut self, at: usize, text: &[u8], meaning: T) {
        if text.len() > LONGEST {
            return;
        }
        let key = Key { text: text.to_vec(), meaning };
        if let Some(known) = self.0.get_mut(at) {
            *known = key;
        } else if at == self.0.len() && at < MOST {
            self.0.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys and numbers of an object.
    fn read(keys: &mut Keys<Vec<u8>>, text: &str) -> Result<Vec<(String, usize)>, Wrong> {
        let mut found = Vec::new();
        let mut reader = Reader::new(text.as_bytes(), 0);
        keys.read(
            &mut reader,
            |key| Ok(key.to_vec()),
            |reader, key| {
                let begin = reader.position();
                reader.value()?;
                found.push((String::from_utf8_lossy(key).into_owned(), reader.position() - begin));
                Ok(())
            },
        )?;
        Ok(found)
    }

    proptest::proptest! {
        #[test]
        fn what_is_remembered_changes_nothing(
            objects in proptest::collection::vec(r#"\{("[ab]" ?: ?[12]+(, ?"[abc]": ?[12]+){0,3})?,? ?\}?"#, 1..8)
        ) {
            let mut keys = Keys::default();
            for object in &objects {
                // Places of values may differ by blanks in front of them, which are no part of them.
                let [known, new] = [&mut keys, &mut Keys::default()].map(|keys| {
                    read(keys, object).map(|all| all.into_iter().map(|(key, _)| key).collect::<Vec<_>>())
                });
                proptest::prop_assert_eq!(known, new, "{}", object);
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut keys = Keys::default();
        let all: Vec<String> = (0..1000).map(|at| format!("\"k{at}\":1")).collect();
        let object = format!("{{{}}}", all.join(","));
        for _ in 0..2 {
            assert_eq!(read(&mut keys, &object).expect("an object").len(), 1000);
        }
        assert_eq!(keys.0.len(), MOST);
        let long = format!("{{\"{}\":1}}", "k".repeat(LONGEST));
        assert_eq!(read(&mut keys, &long).expect("an object").len(), 1);
        assert!(keys.0.iter().all(|key| key.text.len() <= LONGEST));
    }
}
