//! Records that need no waiting: redirects, plug-in events, summary reports.

use serde_json::Value;
use std::borrow::Cow;

use super::correlator::Correlator;
use super::incarnation::Ident;
use super::record::{self, Json, PluginEvent, Sink};
use crate::capture::Peer;
use crate::xrootd::event::{self, Event};
use crate::xrootd::gstream::{Gstream, Lines, provider_name};
use crate::xrootd::gtext::TextPacket;
use crate::xrootd::redirect::{self, REDIRECT, REDLOCAL, RedirectEntry, Redirects};
use crate::xrootd::summary::Summary;

impl Correlator {
    pub(super) fn redirects(&mut self, server: u32, stream: &Redirects<'_>, out: &mut impl Sink) {
        let Some(row) = self.servers.get(server) else { return };
        let mut mark = None;
        for entry in stream.entries().flatten() {
            let redirect = match entry {
                RedirectEntry::Mark { window, time } => {
                    mark = Some((i64::from(time), i64::from(time) + i64::from(window)));
                    continue;
                }
                RedirectEntry::Redirect(redirect) => redirect,
            };
            let session = (redirect.dictid != 0)
                .then(|| self.sessions.find(server, redirect.dictid))
                .flatten()
                .and_then(|id| self.sessions.get(id));
            let user_id = (redirect.dictid != 0).then_some(i64::from(redirect.dictid));
            let (target, path) = redirect.target();
            let (target, path) =
                (target.map(String::from_utf8_lossy), String::from_utf8_lossy(path));
            let port = i64::from(redirect.port);
            out.redirect(&record::Redirect {
                server: row.columns(),
                user: session.map_or_else(
                    || record::User { user_id, ..record::User::default() },
                    |session| session.columns(),
                ),
                kind: match redirect.class() {
                    REDIRECT => Some("cluster"),
                    REDLOCAL => Some("configuration"),
                    _ => None,
                },
                operation: redirect::operation_name(redirect.operation()),
                target_host: target.as_deref().filter(|host| !host.is_empty()),
                target_port: (redirect.class() == REDLOCAL).then_some(port),
                port: Some(port),
                path: Some(&*path).filter(|path| !path.is_empty()),
                local: target.as_ref().map(|host| host.is_empty()),
                window_start: mark.map(|(start, _)| start),
                window_end: mark.map(|(_, end)| end),
            });
        }
    }

    pub(super) fn gstream(&mut self, server: u32, stream: &Gstream<'_>, out: &mut impl Sink) {
        let Some(row) = self.servers.get(server) else { return };
        let frame = Frame {
            server: row.columns(),
            provider: Some(stream.provider),
            window: Some((i64::from(stream.start), i64::from(stream.end))),
        };
        frame.emit(stream.lines(), out);
    }

    pub(super) fn text(&mut self, server: u32, text: &TextPacket<'_>, out: &mut impl Sink) {
        if text.code == b'=' {
            let owned = |value: &Option<Cow<'_, str>>| {
                value.as_deref().filter(|text| !text.is_empty()).map(Box::from)
            };
            // The text form does not name the user and process that the binary one does.
            let known = self.servers.get(server).and_then(|server| server.ident.as_deref());
            let (user, pid) = known.map_or((None, None), |known| (known.user.clone(), known.pid));
            let ident = Ident {
                host: owned(&text.src.host),
                port: text.src.port,
                instance: owned(&text.src.inst),
                program: owned(&text.src.pgm),
                version: owned(&text.src.ver),
                site: owned(&text.src.site),
                user,
                pid,
            };
            return self.set_ident(server, ident, out);
        }
        let Some(row) = self.servers.get(server) else { return };
        let frame = Frame {
            server: with_source(row.columns(), text),
            provider: text.provider,
            window: text.tbeg.zip(text.tend).map(|(b, e)| (i64::from(b), i64::from(e))),
        };
        frame.emit(text.lines(), out);
    }

    /// Events without a header: all that is known of their server is where they came from.
    pub(super) fn headerless(
        &mut self,
        peer: Option<&Peer>,
        text: &TextPacket<'_>,
        out: &mut impl Sink,
    ) {
        let address = peer.map(|peer| peer.host.to_string());
        let server = record::Server {
            server_address: address.as_deref(),
            server_udp_port: peer.and_then(|peer| peer.port).map(i64::from),
            ..record::Server::default()
        };
        Frame { server, provider: text.provider, window: None }.emit(text.lines(), out);
    }

    pub(super) fn summary(&mut self, peer: Option<&Peer>, summary: &Summary, out: &mut impl Sink) {
        let address = peer.map(|peer| peer.host.to_string());
        let stats = serde_json::to_string(&summary.stats).unwrap_or_default();
        let source = summary.src.as_deref().and_then(|src| src.rsplit_once(':'));
        let text = |value: &'_ Option<String>| value.clone().filter(|text| !text.is_empty());
        let (instance, program) = (text(&summary.ins), text(&summary.pgm));
        let (version, site) = (text(&summary.ver), text(&summary.site));
        out.summary(&record::Summary {
            server_address: address.as_deref(),
            server_udp_port: peer.and_then(|peer| peer.port).map(i64::from),
            server_started_at: summary.tos,
            server_host: source.map(|(host, _)| host).or(summary.src.as_deref()),
            server_port: source.and_then(|(_, port)| port.parse().ok()),
            server_instance: instance.as_deref(),
            server_program: program.as_deref(),
            server_version: version.as_deref(),
            server_site: site.as_deref(),
            server_pid: summary.pid,
            reported_at: summary.tod,
            stats: Some(Json(&stats)),
        });
    }
}

/// Adds what the header of a text packet says where the server has not identified itself yet.
fn with_source<'a>(mut server: record::Server<'a>, text: &'a TextPacket<'_>) -> record::Server<'a> {
    fn told<'a>(text: &'a Option<Cow<'_, str>>) -> Option<&'a str> {
        text.as_deref().filter(|text| !text.is_empty())
    }
    let src = &text.src;
    server.server_site = server.server_site.or(told(&src.site));
    server.server_host = server.server_host.or(told(&src.host));
    server.server_port = server.server_port.or(src.port);
    server.server_instance = server.server_instance.or(told(&src.inst));
    server.server_program = server.server_program.or(told(&src.pgm));
    server.server_version = server.server_version.or(told(&src.ver));
    server
}

/// What the events of one packet share.
struct Frame<'a> {
    server: record::Server<'a>,
    provider: Option<u8>,
    window: Option<(i64, i64)>,
}

impl Frame<'_> {
    fn emit(&self, lines: Lines<'_>, out: &mut impl Sink) {
        let letter = self.provider.map(|letter| char::from(letter).to_string());
        for (_, line) in lines {
            let text = String::from_utf8_lossy(line);
            let object = event::parse(line);
            let mut record = PluginEvent {
                server: self.server,
                provider: letter.as_deref(),
                provider_name: self.provider.and_then(provider_name),
                window_start: self.window.map(|(start, _)| start),
                window_end: self.window.map(|(_, end)| end),
                ..PluginEvent::default()
            };
            match &object {
                Some(object) => {
                    let name = object.get("event").or_else(|| object.get("type"));
                    record.event = name.and_then(Value::as_str);
                    record.data = Some(Json(&text));
                    fill(&mut record, &Event::typed(self.provider, object));
                    out.plugin(&record);
                }
                None => {
                    record.raw = Some(&text);
                    out.plugin(&record);
                }
            }
        }
    }
}

fn fill<'a>(record: &mut PluginEvent<'a>, event: &Event<'a>) {
    match event {
        Event::Cache(close) => {
            record.path = close.lfn;
            record.file_size_bytes = close.size;
            record.began_at = close.attach_t.map(|time| time as f64);
            record.ended_at = close.detach_t.map(|time| time as f64);
            record.cache_block_size_bytes = close.blk_size;
            record.cache_blocks = close.n_blks;
            record.cache_blocks_done = close.n_blks_done;
            record.cache_access_count = close.access_cnt;
            record.cache_hit_bytes = close.b_hit;
            record.cache_miss_bytes = close.b_miss;
            record.cache_bypass_bytes = close.b_bypass;
            record.cache_todisk_bytes = close.b_todisk;
            record.cache_prefetch_bytes = close.b_prefetch;
            record.cache_checksum_errors = close.n_cks_errs;
        }
        Event::Copy(copy) => {
            record.file_size_bytes = copy.size;
            record.began_at = copy.began_at;
            record.ended_at = copy.ended_at;
            record.copy_protocol = copy.protocol;
            record.copy_client = copy.client;
            record.copy_return_code = copy.return_code;
            record.copy_streams = copy.streams;
            record.copy_direction = copy.direction;
            record.copy_ip_version = copy.ip_version;
            record.copy_source = copy.source;
            record.copy_destination = copy.destination;
        }
        Event::Tcp(tcp) => {
            record.tcp_remote = tcp.remote;
            record.tcp_rtt_us = tcp.rtt;
            record.tcp_lost = tcp.lost;
            record.tcp_retransmits = tcp.retrans;
            record.tcp_in_bytes = tcp.bytes_in;
            record.tcp_out_bytes = tcp.bytes_out;
        }
        Event::Throttle(update) => {
            record.throttle_io_wait_s = update.io_wait;
            record.throttle_io_active = update.io_active;
            record.throttle_io_total = update.io_total;
        }
        Event::Counters | Event::Other => {}
    }
}
