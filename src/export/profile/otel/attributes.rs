//! Attributes of OpenTelemetry: in documents an object with dotted keys, in OTLP a list of keys and
//! typed values.

use crate::export::profile::object::number;
use crate::quote::quote;

/// How attributes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Object,
    List,
}

/// Attributes on their way into a buffer. What is not known, empty or 0 is left out, unless said
/// otherwise.
pub(super) struct Attributes<'o> {
    out: &'o mut Vec<u8>,
    style: Style,
    is_empty: bool,
}

impl<'o> Attributes<'o> {
    pub fn begin(style: Style, out: &'o mut Vec<u8>) -> Self {
        out.push(if style == Style::Object { b'{' } else { b'[' });
        Self { out, style, is_empty: true }
    }

    pub fn end(self) {
        self.out.push(if self.style == Style::Object { b'}' } else { b']' });
    }

    /// Writes one attribute whose value in a list is of the type that `kind` names.
    fn value(&mut self, key: &str, kind: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        if self.style == Style::Object {
            quote(key, self.out);
            self.out.push(b':');
            write(self.out);
            return;
        }
        self.out.extend_from_slice(b"{\"key\":");
        quote(key, self.out);
        self.out.extend_from_slice(b",\"value\":");
        typed(kind, self.out, write);
        self.out.push(b'}');
    }

    pub fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.value(key, "stringValue", |out| quote(value, out));
        }
    }

    pub fn int(&mut self, key: &str, value: Option<i64>) {
        self.amount(key, value.filter(|value| *value != 0));
    }

    /// A whole number that says something when it is 0, too.
    pub fn amount(&mut self, key: &str, value: Option<i64>) {
        let Some(value) = value else { return };
        // OTLP writes 64-bit numbers as texts.
        let mark: &[u8] = if self.style == Style::List { b"\"" } else { b"" };
        self.value(key, "intValue", |out| {
            out.extend_from_slice(mark);
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            out.extend_from_slice(mark);
        });
    }

    pub fn float(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.value(key, "doubleValue", |out| number(value, out));
        }
    }

    pub fn boolean(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.value(key, "boolValue", |out| {
                out.extend_from_slice(if value { b"true" } else { b"false" });
            });
        }
    }

    /// A list of one text.
    pub fn single(&mut self, key: &str, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        if self.style == Style::Object {
            self.value(key, "", |out| {
                out.push(b'[');
                quote(value, out);
                out.push(b']');
            });
            return;
        }
        self.value(key, "arrayValue", |out| {
            out.extend_from_slice(b"{\"values\":[");
            typed("stringValue", out, |out| quote(value, out));
            out.extend_from_slice(b"]}");
        });
    }

    /// A JSON value; in a list it is a text.
    pub fn json(&mut self, key: &str, value: &serde_json::Value) {
        let text = value.to_string();
        if self.style == Style::List {
            return self.text(key, Some(&text));
        }
        self.value(key, "", |out| out.extend_from_slice(text.as_bytes()));
    }
}

fn typed(kind: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'{');
    quote(kind, out);
    out.push(b':');
    write(out);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(style: Style) -> Value {
        let mut out = Vec::new();
        let mut attributes = Attributes::begin(style, &mut out);
        attributes.text("a.b", Some("x"));
        attributes.text("left.out", Some(""));
        attributes.int("left.out", Some(0));
        attributes.amount("c", Some(0));
        attributes.float("d", Some(0.5));
        attributes.boolean("e", Some(false));
        attributes.single("f", Some("y"));
        attributes.json("g", &json!({"h": 1}));
        attributes.end();
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn documents_have_an_object() {
        let expected = json!({"a.b": "x", "c": 0, "d": 0.5, "e": false, "f": ["y"], "g": {"h": 1}});
        assert_eq!(written(Style::Object), expected);
    }

    #[test]
    fn otlp_has_a_list() {
        let expected = json!([
            {"key": "a.b", "value": {"stringValue": "x"}},
            {"key": "c", "value": {"intValue": "0"}},
            {"key": "d", "value": {"doubleValue": 0.5}},
            {"key": "e", "value": {"boolValue": false}},
            {"key": "f", "value": {"arrayValue": {"values": [{"stringValue": "y"}]}}},
            {"key": "g", "value": {"stringValue": "{\"h\":1}"}},
        ]);
        assert_eq!(written(Style::List), expected);
    }
}
