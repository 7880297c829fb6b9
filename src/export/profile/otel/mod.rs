//! OpenTelemetry log records, under the names of the collector that XRootD itself may get
//! (`XrdMonCollect`, github.com/xrootd/xrootd pull request 2855).
//!
//! | file         | holds                                                         |
//! |--------------|---------------------------------------------------------------|
//! | `attributes` | the two ways to write attributes                              |
//! | `identity`   | the server, the user, the file; trace and span                |
//! | `events`     | what each kind of record says                                 |

mod attributes;
mod events;
mod identity;

use super::clock;
use super::object::Object;
use super::settings::{OtelForm, ProfileSettings};
use super::{AnyRecord, Context};
use crate::access::record::{Server, User};
use crate::quote::quote;
use attributes::{Attributes, Style};
use identity::Ids;

const SCOPE: &str =
    concat!("\"scope\":{\"name\":\"gridtap\",\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}");

pub(super) struct Otel {
    form: OtelForm,
    /// The line before each document.
    action: Vec<u8>,
}

/// What all events have.
struct Event<'a> {
    name: &'a str,
    /// UTC epoch seconds.
    at: Option<f64>,
    is_error: bool,
    server: &'a Server<'a>,
    user: Option<&'a User<'a>>,
    /// Tells apart the spans of one session; `None` for the session itself.
    span: Option<(i64, f64)>,
}

impl Otel {
    pub fn new(settings: &ProfileSettings) -> Self {
        let mut action = Vec::new();
        if settings.otel_form == OtelForm::Bulk {
            let mut line = Object::begin(&mut action);
            let mut create = line.object("create");
            create.known_text("_index", settings.index.as_deref());
            create.end();
            line.end_line();
        }
        Self { form: settings.otel_form, action }
    }

    pub fn write(&self, record: &AnyRecord<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        match record {
            AnyRecord::Access(access) => {
                let Some(event) = events::access(access) else { return false };
                self.event(&event, context, out, |a| events::of_access(access, a));
            }
            AnyRecord::Session(session) => {
                let Some(event) = events::session(session) else { return false };
                self.event(&event, context, out, |a| events::of_session(session, a));
            }
            AnyRecord::Redirect(redirect) => {
                let event = events::redirect(redirect);
                self.event(&event, context, out, |a| events::of_redirect(redirect, a));
            }
            AnyRecord::Io(io) => {
                let name = events::io_name(io.operation.unwrap_or("unknown"));
                let event = events::io(io, &name);
                self.event(&event, context, out, |a| events::of_io(io, a));
            }
            AnyRecord::Plugin(plugin) => {
                let event = events::plugin(plugin);
                self.event(&event, context, out, |a| events::of_plugin(plugin, a));
            }
            AnyRecord::Server(server) => {
                let event = events::server(server);
                self.event(&event, context, out, |_| {});
            }
            AnyRecord::Summary(_) | AnyRecord::Datagram { .. } => return false,
        }
        true
    }

    fn event(
        &self,
        event: &Event<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        let style = match self.form {
            OtelForm::Ndjson | OtelForm::Bulk => Style::Object,
            OtelForm::Otlp => Style::List,
        };
        out.extend_from_slice(&self.action);
        match style {
            Style::Object => {
                out.extend_from_slice(b"{\"resource\":");
                identity::resource(event.server, style, out);
                out.push(b',');
                out.extend_from_slice(SCOPE.as_bytes());
                out.push(b',');
                if let Some(at) = event.at {
                    out.extend_from_slice(b"\"@timestamp\":");
                    quote(&clock::millis(at), out);
                    out.push(b',');
                }
            }
            Style::List => {
                out.extend_from_slice(b"{\"resourceLogs\":[{\"resource\":{\"attributes\":");
                identity::resource(event.server, style, out);
                out.extend_from_slice(b"},\"scopeLogs\":[{");
                out.extend_from_slice(SCOPE.as_bytes());
                out.extend_from_slice(b",\"logRecords\":[{");
            }
        }
        head(event, context, out);
        let mut attributes = Attributes::begin(style, out);
        attributes.text("event.name", Some(event.name));
        fill(&mut attributes);
        attributes.end();
        let closing: &[u8] = if style == Style::Object { b"}\n" } else { b"}]}]}]}\n" };
        out.extend_from_slice(closing);
    }
}

/// The keys between the resource and the attributes.
fn head(event: &Event<'_>, context: &Context<'_>, out: &mut Vec<u8>) {
    let mut key = |name: &str, value: &str| {
        quote(name, out);
        out.push(b':');
        quote(value, out);
        out.push(b',');
    };
    if let Some(at) = event.at {
        key("timeUnixNano", &clock::nanos(at));
    }
    key("observedTimeUnixNano", &format!("{}000", context.now));
    let ids = Ids::new(event);
    key("traceId", &ids.trace());
    key("spanId", &ids.span());
    key("severityText", if event.is_error { "ERROR" } else { "INFO" });
    key("eventName", event.name);
    out.extend_from_slice(b"\"severityNumber\":");
    out.extend_from_slice(if event.is_error { b"17" } else { b"9" });
    out.extend_from_slice(b",\"attributes\":");
}
