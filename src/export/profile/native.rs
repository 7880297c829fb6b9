//! gridtap's own records.

use super::{AnyRecord, Context};
use crate::access::record::{
    FileAccess, IoEvent, PacketLine, PluginEvent, Record, Redirect, ServerIdent, Session, Summary,
};
use crate::capture::{Datagram, Peer};
use crate::columns::Target;
use crate::export::json::Keys;
use crate::reading::packet_line;
use crate::xrootd::Message;

pub(super) struct Native {
    accesses: Keys,
    sessions: Keys,
    redirects: Keys,
    io: Keys,
    plugins: Keys,
    servers: Keys,
    summaries: Keys,
    packets: Keys,
}

impl Default for Native {
    fn default() -> Self {
        Self {
            accesses: Keys::new(&FileAccess::table()),
            sessions: Keys::new(&Session::table()),
            redirects: Keys::new(&Redirect::table()),
            io: Keys::new(&IoEvent::table()),
            plugins: Keys::new(&PluginEvent::table()),
            servers: Keys::new(&ServerIdent::table()),
            summaries: Keys::new(&Summary::table()),
            packets: Keys::new(&PacketLine::table()),
        }
    }
}

/// Where one record goes.
struct Line<'a> {
    keys: &'a mut Keys,
    out: &'a mut Vec<u8>,
}

impl Target for Line<'_> {
    fn push(&mut self, record: &impl Record) {
        self.keys.write(record, self.out);
    }
}

impl Native {
    #[inline]
    pub fn write(
        &mut self,
        record: &AnyRecord<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        match record {
            AnyRecord::Access(access) => self.accesses.write(*access, out),
            AnyRecord::Session(session) => self.sessions.write(*session, out),
            AnyRecord::Redirect(redirect) => self.redirects.write(*redirect, out),
            AnyRecord::Io(event) => self.io.write(*event, out),
            AnyRecord::Plugin(event) => self.plugins.write(*event, out),
            AnyRecord::Server(server) => self.servers.write(*server, out),
            AnyRecord::Summary(summary) => self.summaries.write(*summary, out),
            AnyRecord::Datagram { peer, payload } => {
                packet(*peer, payload, context, &mut Line { keys: &mut self.packets, out });
            }
        }
        true
    }
}

/// A datagram as a record of its own.
pub fn packet(
    peer: Option<&Peer>,
    payload: &[u8],
    context: &Context<'_>,
    target: &mut impl Target,
) {
    let mut faults = Vec::new();
    let message = Message::decode(payload, &mut faults);
    if let Some(message) = &message {
        message.check(&mut faults);
    }
    let datagram = Datagram {
        payload,
        peer: peer.cloned(),
        destination_port: None,
        received_at: Some(context.now).filter(|now| *now != 0),
        number: 0,
        offset: 0,
    };
    packet_line(&datagram, message.as_ref(), &faults, target);
}
