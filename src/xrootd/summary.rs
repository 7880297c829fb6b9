//! Summary reports (`xrd.report`): counters as XML, since 5.9.0 also as JSON.
//!
//! ```text
//! <statistics tod=".." ver=".." src="host:port" tos=".." pgm=".." ins=".." pid=".." site="..">
//!   <stats id="link"><num>3</num>...</stats> ...
//! </statistics>
//! ```
//!
//! The XML is not always well-formed: elements named by numbers, an end tag without its bracket,
//! stray brackets in numbers, values that nobody escapes, text mixed with elements. It is read as a
//! stream of tags and texts that need not match; where they do not, the report is flagged
//! (`XrdStats.cc`, `XrdMonRoll.hh`).

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map as Object, Value};

use crate::error::{DecodeError, FaultKind, Faults};
use crate::limits::MAX_JSON_DEPTH;

/// One report. Counters are cumulative since the server's start unless their name says otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// UNIX time of the report, s.
    pub tod: Option<i64>,
    pub ver: Option<String>,
    /// `host:port` of the server.
    pub src: Option<String>,
    /// UNIX time of the server's start, s.
    pub tos: Option<i64>,
    pub pgm: Option<String>,
    pub ins: Option<String>,
    pub pid: Option<i64>,
    pub site: Option<String>,
    /// One entry for each `stats` element, by its id: nested objects of numbers and texts. An
    /// element with both a value and children keeps its value under `""`.
    pub stats: Object<String, Value>,
}

impl Summary {
    fn attribute(&mut self, key: &str, value: &str) {
        let text = || Some(value.to_owned());
        let number = || value.parse().ok();
        match key {
            "tod" => self.tod = number(),
            "ver" => self.ver = text(),
            "src" => self.src = text(),
            "tos" => self.tos = number(),
            "pgm" => self.pgm = text(),
            "ins" => self.ins = text(),
            "pid" => self.pid = number(),
            "site" => self.site = text(),
            _ => {}
        }
    }

    /// Decodes a datagram that begins with `<`.
    pub fn decode_xml(datagram: &[u8], faults: &mut impl Faults) -> Option<Self> {
        let text = String::from_utf8_lossy(datagram);
        let text = text.trim_end_matches('\0');
        if !text.starts_with("<statistics") {
            faults.fault(DecodeError::new(
                FaultKind::NotStatistics,
                0,
                "text that begins with < and is no summary report",
            ));
            return None;
        }
        // The one slip that hides a tag from any reader of tags: `</mdb</rsp>`.
        let mended = text.replace("</mdb</", "</mdb></");
        let mut summary = Self::default();
        let mut scan = Scan { open: Vec::new(), sound: mended.len() == text.len() };
        let mut reader = Reader::from_str(&mended);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag)) => scan.start(&tag, &mut summary),
                Ok(Event::Empty(tag)) => {
                    scan.start(&tag, &mut summary);
                    scan.end(tag.name().as_ref(), &mut summary);
                }
                Ok(Event::End(tag)) => scan.end(tag.name().as_ref(), &mut summary),
                Ok(Event::Text(text)) => scan.text(&String::from_utf8_lossy(&text)),
                Ok(Event::GeneralRef(name)) => {
                    scan.text(&format!("&{};", String::from_utf8_lossy(&name)));
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(_) => {
                    scan.sound = false;
                    break;
                }
            }
        }
        if !scan.open.is_empty() {
            scan.sound = false;
            while !scan.open.is_empty() {
                scan.close_last(&mut summary);
            }
        }
        if !scan.sound {
            faults.fault(DecodeError::new(
                FaultKind::MalformedSummary,
                0,
                "summary report that is not well-formed XML",
            ));
        }
        Some(summary)
    }

    /// Takes the `statistics` object of a JSON report.
    pub fn from_json(statistics: &Object<String, Value>) -> Self {
        let mut summary = Self::default();
        for (key, value) in statistics {
            match (key.strip_prefix("stats_"), value) {
                (Some(set), value) => {
                    summary.stats.insert(set.to_owned(), value.clone());
                }
                (None, Value::String(text)) => summary.attribute(key, text),
                (None, value) => summary.attribute(key, &value.to_string()),
            }
        }
        summary
    }
}

struct Element {
    tag: String,
    key: String,
    text: String,
    children: Object<String, Value>,
}

struct Scan {
    open: Vec<Element>,
    sound: bool,
}

impl Scan {
    fn start(&mut self, tag: &BytesStart<'_>, summary: &mut Summary) {
        let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            self.sound = false;
        }
        let mut key = name.clone();
        let mut children = Object::new();
        let mut attributes = tag.attributes();
        attributes.with_checks(false);
        for attribute in attributes.flatten() {
            let attr = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            let value = String::from_utf8_lossy(&attribute.value).into_owned();
            match (name.as_str(), attr.as_str()) {
                ("statistics", _) => summary.attribute(&attr, &value),
                (_, "id") => key = value,
                _ => {
                    children.insert(attr, number_or_text(&value));
                }
            }
        }
        if self.open.len() < MAX_JSON_DEPTH {
            self.open.push(Element { tag: name, key, text: String::new(), children });
        } else {
            self.sound = false;
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn end(&mut self, name: &[u8], summary: &mut Summary) {
        let name = String::from_utf8_lossy(name);
        if !self.open.iter().any(|element| element.tag == name) {
            self.sound = false;
            return;
        }
        while let Some(element) = self.open.last() {
            let matches = element.tag == name;
            self.sound &= matches;
            self.close_last(summary);
            if matches {
                break;
            }
        }
    }

    fn close_last(&mut self, summary: &mut Summary) {
        let Some(element) = self.open.pop() else { return };
        if element.tag == "statistics" {
            return;
        }
        let text = element.text.trim();
        // Proxy caches before 5.7.0 write `<hits>0></hits>`.
        let text = match text.strip_suffix('>') {
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.sound = false;
                number
            }
            _ => text,
        };
        let value = if element.children.is_empty() {
            number_or_text(text)
        } else {
            let mut children = element.children;
            if !text.is_empty() {
                children.insert(String::new(), number_or_text(text));
            }
            Value::Object(children)
        };
        let in_report = self.open.last().is_none_or(|parent| parent.tag == "statistics");
        let siblings = match self.open.last_mut() {
            Some(parent) if !in_report => &mut parent.children,
            _ => &mut summary.stats,
        };
        siblings.insert(element.key, value);
    }
}

fn number_or_text(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> (Summary, Vec<DecodeError>) {
        let mut faults = Vec::new();
        let summary = Summary::decode_xml(text.as_bytes(), &mut faults).expect("a report");
        (summary, faults)
    }

    #[test]
    fn counters_nest_by_id_and_element() {
        let (summary, faults) = decode(concat!(
            r#"<statistics tod="1700000600" ver="v5.5.3" src="xrd1.example.org:1094" tos="1700000000" "#,
            r#"pgm="xrootd" ins="anon" pid="1234" site="EXAMPLE-SITE"><stats id="link"><num>3</num>"#,
            r#"<out>7340032</out></stats><stats id="proc"><usr><s>12</s><u>500000</u></usr></stats>"#,
            r#"</statistics>"#
        ));
        assert!(faults.is_empty());
        assert_eq!((summary.tod, summary.pid), (Some(1700000600), Some(1234)));
        assert_eq!(
            Value::Object(summary.stats),
            serde_json::json!({
                "link": {"num": 3, "out": 7340032}, "proc": {"usr": {"s": 12, "u": 500000}}
            })
        );
    }

    #[test]
    fn slips_of_real_servers_are_read_and_flagged() {
        for (body, expected) in [
            (
                r#"<stats id="h"><r><200>5</200></r></stats>"#,
                serde_json::json!({"h": {"r": {"200": 5}}}),
            ),
            (
                r#"<stats id="ssi"><rsp><mdb>0</mdb</rsp></stats>"#,
                serde_json::json!({"ssi": {"rsp": {"mdb": 0}}}),
            ),
            (
                r#"<stats id="cache"><rd><hits>7></hits></rd></stats>"#,
                serde_json::json!({"cache": {"rd": {"hits": 7}}}),
            ),
            (
                r#"<stats id="pss"><open>12<errs>1</errs></open>"#,
                serde_json::json!({"pss": {"open": {"errs": 1, "": 12}}}),
            ),
        ] {
            let (summary, faults) = decode(&format!("<statistics tod=\"1\">{body}</statistics>"));
            assert_eq!(Value::Object(summary.stats), expected);
            assert_eq!(faults.first().map(|f| f.kind), Some(FaultKind::MalformedSummary), "{body}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let mut faults = Vec::new();
        assert!(
            Summary::decode_xml(b"<134>1 - host xrootd - firefly-json - {}", &mut faults).is_none()
        );
        assert_eq!(faults.first().map(|f| f.kind), Some(FaultKind::NotStatistics));
    }
}
