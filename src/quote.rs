//! Texts as JSON strings.

/// Whether a byte may not stand in a JSON string as it is.
#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Whether any of eight bytes is special.
#[inline]
fn has_special(bytes: &[u8; 8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_ne_bytes(*bytes);
    let equals = |byte: u8| {
        let differing = word ^ (LOW * u64::from(byte));
        differing.wrapping_sub(LOW) & !differing
    };
    let below = word.wrapping_sub(LOW * 0x20) & !word;
    (below | equals(b'"') | equals(b'\\')) & HIGH != 0
}

/// Whether a text may stand in a JSON string as it is, as nearly all may.
#[inline]
pub fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    // The last eight bytes may be among the ones before.
    match bytes.last_chunk() {
        Some(last) => !(bytes.as_chunks().0.iter().any(has_special) || has_special(last)),
        None => !bytes.iter().any(|byte| is_special(*byte)),
    }
}

/// Appends a text with its quotes.
#[inline]
pub fn quote(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escape(text.as_bytes(), out);
    }
    out.push(b'"');
}

#[cold]
fn escape(mut rest: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = rest.iter().position(|byte| is_special(*byte)) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in "([ -~]|[\\x00-\\x1f]|\\PC){0,40}") {
            let mut out = Vec::new();
            quote(&text, &mut out);
            let back: String = serde_json::from_slice(&out).expect("JSON");
            proptest::prop_assert_eq!(back, text);
        }
    }
}
