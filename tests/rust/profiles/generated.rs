//! Whatever a record says, what is written is whole lines of JSON.

use gridtap::access::record::{
    FileAccess, IoEvent, Json, PluginEvent, Redirect, Server, ServerIdent, Session, Stamp, Summary,
    User,
};
use gridtap::capture::{Host, Peer};
use gridtap::export::profile::{AnyRecord, Context, Encoder, NoNames};
use proptest::prelude::*;
use serde_json::Value;

/// Every form, with its options.
pub const PROFILES: &[&str] = &[
    r#"{}"#,
    r#"{"profile": "osg-go"}"#,
    r#"{"profile": "osg-go", "strict": true, "user_dn": "best"}"#,
    r#"{"profile": "osg-py"}"#,
    r#"{"profile": "osg-py", "strict": true}"#,
    r#"{"profile": "wlcg", "extended": true}"#,
    r#"{"profile": "wlcg", "strict": true}"#,
    r#"{"profile": "wlcg", "strict": true, "time_unit": "ms"}"#,
    r#"{"profile": "otel"}"#,
    r#"{"profile": "otel", "otel_form": "bulk", "index": "a\"b"}"#,
    r#"{"profile": "otel", "otel_form": "otlp"}"#,
    r#"{"profile": "envelope"}"#,
];

/// Values of every column, taken in turn.
#[derive(Clone, Debug)]
struct Values {
    texts: Vec<Option<String>>,
    ints: Vec<Option<i64>>,
    floats: Vec<Option<f64>>,
    json: Value,
    open_seen: Option<bool>,
    close_seen: Option<bool>,
    bytes: Vec<u8>,
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        2 => any::<String>().prop_map(Some),
        2 => "[ -~\\n\\r\\t\\x00\\x1b\u{2028}\u{85}]{0,20}".prop_map(Some),
        2 => "(/[a-z._]{0,6}){0,6}".prop_map(Some),
        1 => "(/store|/user|/ospool|//)[/a-z.]{0,12}".prop_map(Some),
        1 => "[a-z]{1,5}(\\.[a-z]{1,5}){0,3}".prop_map(Some),
        1 => "(CN=|::|_|=|/){0,6}".prop_map(Some),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        "lfn|b_todisk|b_bypass|b_prefetch|remotes|TPC|Xeq|Beg|Src|from|sid|event|link|xrootd|tot",
        any::<String>(),
    ];
    let inner = prop::collection::vec((key.clone(), leaf.clone()), 0..5)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()));
    prop::collection::vec((key, prop_oneof![leaf, inner]), 0..8)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

fn values() -> impl Strategy<Value = Values> {
    let ints = prop_oneof![
        1 => Just(None),
        2 => any::<i64>().prop_map(Some),
        2 => (0_i64..10).prop_map(Some),
        1 => (-3_i64..0).prop_map(Some),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX)].prop_map(Some),
    ];
    let floats = prop_oneof![
        1 => Just(None),
        1 => any::<f64>().prop_map(Some),
        2 => (1.0e9_f64..2.0e9).prop_map(Some),
    ];
    (
        prop::collection::vec(text(), 23),
        prop::collection::vec(ints, 19),
        prop::collection::vec(floats, 5),
        json(),
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        prop::collection::vec(any::<u8>(), 0..80),
    )
        .prop_map(|(texts, ints, floats, json, open_seen, close_seen, bytes)| Values {
            texts,
            ints,
            floats,
            json,
            open_seen,
            close_seen,
            bytes,
        })
}

impl Values {
    fn text(&self, at: usize) -> Option<&str> {
        self.texts[at % self.texts.len()].as_deref()
    }

    fn int(&self, at: usize) -> Option<i64> {
        self.ints[at % self.ints.len()]
    }

    fn float(&self, at: usize) -> Option<f64> {
        self.floats[at % self.floats.len()]
    }

    fn server(&self) -> Server<'_> {
        Server {
            stamp: Stamp::default(),
            server_address: self.text(0),
            server_udp_port: self.int(0),
            server_started_at: self.int(1),
            server_id: self.int(2),
            server_host: self.text(1),
            server_port: self.int(3),
            server_instance: self.text(2),
            server_program: self.text(3),
            server_version: self.text(4),
            server_site: self.text(5),
        }
    }

    fn user(&self) -> User<'_> {
        User {
            stamp: Stamp::default(),
            user_id: self.int(4),
            user_name: self.text(6),
            user_host: self.text(7),
            user_protocol: self.text(8),
            user_pid: self.int(5),
            auth_protocol: self.text(9),
            auth_name: self.text(10),
            auth_host: self.text(11),
            auth_vo: self.text(12),
            auth_role: self.text(13),
            auth_groups: self.text(14),
            auth_info: self.text(15),
            auth_app: self.text(16),
            auth_moninfo: self.text(17),
            ip_version: self.int(6),
            app_info: self.text(18),
            token_subject: self.text(19),
            token_name: self.text(20),
            token_vo: self.text(21),
            token_role: self.text(22),
            token_groups: self.text(0),
            experiment_id: self.int(7),
            activity_id: self.int(8),
        }
    }

    fn access(&self) -> FileAccess<'_> {
        FileAccess {
            server: self.server(),
            file_id: self.int(0),
            path: self.text(1),
            path_raw: None,
            file_size_bytes: self.int(2),
            mode: Some(if self.bytes.len().is_multiple_of(2) { "read" } else { "read-write" }),
            user: self.user(),
            opened_at: self.float(0),
            closed_at: self.float(1),
            open_window_start: self.int(3),
            open_window_end: self.int(4),
            close_window_start: self.int(5),
            close_window_end: self.int(6),
            read_bytes: self.int(7),
            readv_bytes: self.int(8),
            write_bytes: self.int(9),
            read_ops: self.int(10),
            readv_ops: self.int(11),
            write_ops: self.int(12),
            readv_segments: self.int(13),
            read_min_bytes: self.int(14),
            read_max_bytes: self.int(15),
            readv_min_bytes: self.int(16),
            readv_max_bytes: self.int(17),
            write_min_bytes: self.int(18),
            write_max_bytes: self.int(0),
            readv_min_segments: self.int(1),
            readv_max_segments: self.int(2),
            read_sigma_bytes: self.float(2),
            readv_sigma_bytes: self.float(3),
            write_sigma_bytes: self.float(4),
            readv_sigma_segments: self.float(0),
            open_seen: self.open_seen,
            close_seen: self.close_seen,
            close_reason: Some(if self.bytes.len().is_multiple_of(3) {
                "expired"
            } else {
                "closed"
            }),
            loss_suspected: self.open_seen,
        }
    }

    fn plugin<'a>(&'a self, data: &'a str) -> PluginEvent<'a> {
        let is_json = !self.bytes.len().is_multiple_of(4);
        PluginEvent {
            server: self.server(),
            provider: Some(["C", "P", "T", "R"][self.bytes.len() % 4]),
            provider_name: self.text(2),
            event: self.text(3),
            window_end: self.int(0),
            path: self.text(1),
            copy_source: self.text(4),
            copy_destination: self.text(5),
            data: is_json.then_some(Json(data)),
            raw: self.text(6).filter(|_| !is_json),
            ..PluginEvent::default()
        }
    }

    fn summary<'a>(&'a self, stats: &'a str) -> Summary<'a> {
        Summary {
            server_address: self.text(0),
            server_started_at: self.int(0),
            server_version: self.text(1),
            server_site: self.text(2),
            server_pid: Some(1),
            reported_at: self.int(1),
            stats: Some(Json(stats)),
            ..Summary::default()
        }
    }

    fn io(&self) -> IoEvent<'_> {
        IoEvent {
            server: self.server(),
            user: self.user(),
            file_id: self.int(0),
            path: self.text(1),
            operation: self.text(2),
            at: self.float(0),
            offset_bytes: self.int(1),
            length_bytes: self.int(2),
            file_size_bytes: self.int(3),
            ..IoEvent::default()
        }
    }
}

fn check(profile: &str, out: &[u8], written: usize, is_native: bool) -> Result<(), TestCaseError> {
    prop_assert_eq!(written == 0, out.is_empty());
    let text = std::str::from_utf8(out).expect("UTF-8");
    let lines: Vec<_> = text.split_terminator('\n').collect();
    let per_record = if profile.contains("bulk") { 2 } else { 1 };
    prop_assert_eq!(lines.len(), written * per_record);
    prop_assert!(text.is_empty() || text.ends_with('\n'));
    for line in lines {
        let value: Value = serde_json::from_str(line).expect(line);
        prop_assert!(value.is_object());
        prop_assert!(!line.contains('\r'));
        if !is_native {
            let object = value.as_object().expect("object");
            prop_assert!(!object.contains_key(""), "keys have names");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_record_is_lines_of_json(values in values(), more in values()) {
        let (data, stats) = (values.json.to_string(), more.json.to_string());
        let access = values.access();
        let session = Session {
            server: values.server(),
            user: values.user(),
            started_at: values.float(0),
            ended_at: values.float(1),
            duration_s: values.int(0),
            end_reason: Some("disconnect"),
            files: values.int(1),
            ..Session::default()
        };
        let redirect = Redirect {
            server: values.server(),
            user: values.user(),
            kind: values.text(0),
            operation: values.text(1),
            target_host: values.text(2),
            port: values.int(0),
            path: values.text(3),
            window_start: values.int(1),
            ..Redirect::default()
        };
        let io = values.io();
        let plugin = values.plugin(&data);
        let ident = ServerIdent {
            server: values.server(),
            first_seen_at: values.float(0),
            ..ServerIdent::default()
        };
        let reports = [values.summary(&stats), more.summary(&data), values.summary(&data)];
        let peer = values.text(0).map(|name| Peer { host: Host::Name(name.into()), port: Some(7) });
        let mut records = vec![
            AnyRecord::Access(&access),
            AnyRecord::Session(&session),
            AnyRecord::Redirect(&redirect),
            AnyRecord::Io(&io),
            AnyRecord::Plugin(&plugin),
            AnyRecord::Server(&ident),
            AnyRecord::Datagram { peer: peer.as_ref(), payload: &values.bytes },
        ];
        records.extend(reports.iter().map(AnyRecord::Summary));
        for profile in PROFILES {
            let mut encoder = Encoder::new(&crate::feed::settings(profile)).expect("good settings");
            let host = values.text(9).unwrap_or("");
            let context =
                Context { now: 1_700_000_300_000_000, collector_host: host, names: &NoNames };
            for record in &records {
                // Keys of events and reports are whatever was sent.
                let is_free = matches!(record, AnyRecord::Plugin(_));
                let mut out = Vec::new();
                let written = encoder.write(record, &context, &mut out);
                check(profile, &out, written, is_free)?;
            }
        }
    }
}
