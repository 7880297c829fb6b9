//! JSON objects written straight into a buffer.

use crate::quote::quote;

/// One object on its way into a buffer. Nothing checks that keys differ: each key of a profile is
/// written in one place.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push(b'}');
    }

    /// Closes the object and the line.
    pub fn end_line(self) {
        self.out.extend_from_slice(b"}\n");
    }

    #[inline]
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.is_empty { b"\"" } else { b",\"" });
        self.is_empty = false;
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    #[inline]
    pub fn text(&mut self, key: &str, value: &str) {
        quote(value, self.key(key));
    }

    #[inline]
    pub fn int(&mut self, key: &str, value: i64) {
        let out = self.key(key);
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A number that may have a fraction; whole numbers have none.
    pub fn number(&mut self, key: &str, value: f64) {
        number(value, self.key(key));
    }

    #[inline]
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.key(key).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// What is there and not empty.
    #[inline]
    pub fn known_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.text(key, value);
        }
    }

    #[inline]
    pub fn known_int(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.int(key, value);
        }
    }

    pub fn known_number(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.number(key, value);
        }
    }

    #[inline]
    pub fn known_boolean(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.boolean(key, value);
        }
    }

    /// A whole number as text.
    pub fn digits(&mut self, key: &str, value: i64) {
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        out.push(b'"');
    }

    /// An object inside this one.
    pub fn object(&mut self, key: &str) -> Object<'_> {
        Object::begin(self.key(key))
    }
}

/// Whole numbers without a fraction, so that they are whole numbers to who reads them; JSON has no
/// infinities.
pub(super) fn number(value: f64, out: &mut Vec<u8>) {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.push(b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_nest() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.text("a", "\"\n");
        object.known_text("b", Some(""));
        object.int("c", -1);
        object.digits("d", 7);
        let mut inner = object.object("e");
        inner.boolean("f", true);
        inner.end();
        object.object("g").end();
        object.end_line();
        assert_eq!(out, b"{\"a\":\"\\\"\\n\",\"c\":-1,\"d\":\"7\",\"e\":{\"f\":true},\"g\":{}}\n");
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        let mut out = Vec::new();
        for value in [10.0, 0.5, -3.0, f64::NAN, 1e300] {
            number(value, &mut out);
            out.push(b' ');
        }
        assert_eq!(String::from_utf8_lossy(&out), "10 0.5 -3 0 1e+300 ");
    }
}
