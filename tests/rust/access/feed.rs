//! Packets made by hand, and a correlator that writes down what comes out of it.

use gridtap::access::record::{
    FileAccess, IoEvent, PluginEvent, Record, Redirect, ServerIdent, Session, Sink, Summary,
};
use gridtap::access::sequence::{Class, Loss, Micros, SECOND};
use gridtap::access::{Config, Correlator};
use gridtap::capture::{Host, Peer};
use gridtap::error::Ignore;
use gridtap::export::json::Keys;
use gridtap::xrootd::fstat::{
    FileDsc, FileOpn, FileRecord, FileTod, FileXfr, StatOps, StatSsq, StatXfr, close_flag,
    open_flag, time_flag,
};
use gridtap::xrootd::trace::TraceRecord;
use gridtap::xrootd::{Header, Message};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

/// Start of the servers, UTC epoch seconds.
pub const START: u32 = 1_700_000_000;
/// The login, its userid and the file that most tests use.
pub const USER: u32 = 77;
pub const FILE: u32 = 501;
pub const PATH: &str = "/store/data/file.root";

/// A datagram on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    pub peer: Peer,
    pub bytes: Vec<u8>,
}

pub fn peer(number: u8, port: u16) -> Peer {
    let host = Host::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)));
    Peer { host, port: Some(port) }
}

/// One run of a server, seen from one destination: it has that destination's source port and main
/// counter.
#[derive(Clone, Debug)]
pub struct Server {
    pub peer: Peer,
    pub sid: u64,
    pub stod: u32,
    pub main: u8,
    pub files: u8,
    /// Sends time records of 16 bytes, as before 4.4.0.
    pub has_short_times: bool,
    /// Window of the next f packet.
    pub window: (u32, u32),
}

impl Server {
    pub fn new(number: u8) -> Self {
        Self {
            peer: peer(number, 41_000),
            sid: 0x4167_a378_0000 + u64::from(number),
            stod: START,
            main: 0,
            files: 0,
            has_short_times: false,
            window: (START + 100, START + 110),
        }
    }

    pub fn datagram(&self, code: u8, pseq: u8, body: &[u8]) -> Sent {
        let plen = u16::try_from(Header::SIZE + body.len()).expect("fits a datagram");
        let mut bytes = Vec::new();
        Header { code, pseq, plen, stod: self.stod }.encode(&mut bytes);
        bytes.extend(body);
        Sent { peer: self.peer.clone(), bytes }
    }

    /// A packet that counts in the main sequence.
    pub fn main(&mut self, code: u8, body: &[u8]) -> Sent {
        let pseq = self.main;
        self.main = self.main.wrapping_add(1);
        self.datagram(code, pseq, body)
    }

    pub fn map(&mut self, code: u8, dictid: u32, userid: &str, payload: &str) -> Sent {
        let mut body = dictid.to_be_bytes().to_vec();
        body.extend(userid.as_bytes());
        body.push(b'\n');
        body.extend(payload.as_bytes());
        self.main(code, &body)
    }

    pub fn userid(&self, user: &str) -> String {
        format!("xroot/{user}.7:{}@wn001.example.net", self.sid)
    }

    pub fn ident(&mut self) -> Sent {
        self.ident_of(1094, "xrootd")
    }

    pub fn ident_of(&mut self, port: u16, program: &str) -> Sent {
        let userid = format!("=/root.4321:{}@srv.example.org", self.sid);
        let info = format!("&site=HERE&port={port}&inst=anon&pgm={program}&ver=v5.7.1");
        self.map(b'=', 0, &userid, &info)
    }

    pub fn login(&mut self, dictid: u32, user: &str) -> Sent {
        let info = format!(
            "&p=gsi&n={user}&h=wn001.example.net&o=osg&r=analysis&g=/osg&m=/DC=org/CN={user}\
             &R=v5.7.1&x=root.exe&y=job&I=6"
        );
        self.map(b'u', dictid, &self.userid(user), &info)
    }

    pub fn path(&mut self, dictid: u32, user: &str, path: &str) -> Sent {
        self.map(b'd', dictid, &self.userid(user), path)
    }

    pub fn app(&mut self, user: &str, text: &str) -> Sent {
        self.map(b'i', 9001, &self.userid(user), text)
    }

    pub fn token(&mut self, uc: u32, user: &str, subject: &str) -> Sent {
        let text = format!("&Uc={uc}&s={subject}&n=mapped&o=https://issuer&r=&g=/a /b ");
        self.map(b'T', 9002, &self.userid(user), &text)
    }

    pub fn activity(&mut self, uc: u32, user: &str) -> Sent {
        self.map(b'U', 9003, &self.userid(user), &format!("&Uc={uc}&Ec=9&Ac=14"))
    }

    /// An f packet with these records behind its time record.
    pub fn files(&mut self, records: &[Vec<u8>]) -> Sent {
        let pseq = self.files;
        self.files = self.files.wrapping_add(1);
        let short = self.has_short_times;
        let transfers = records.iter().filter(|record| record[0] == 3).count();
        let time = FileTod {
            flags: if short { 0 } else { time_flag::HAS_SID },
            size: if short { 16 } else { 24 },
            records_xfr: u16::try_from(transfers).expect("few"),
            records_total: u16::try_from(records.len()).expect("few"),
            start: self.window.0,
            end: self.window.1,
            sid: (!short).then_some(self.sid),
        };
        let mut body = Vec::new();
        FileRecord::Time(time).encode(&mut body);
        body.extend(records.concat());
        self.datagram(b'f', pseq, &body)
    }

    /// A t packet with these records between two window marks.
    pub fn trace(&mut self, start: u32, end: u32, records: &[TraceRecord<'_>]) -> Sent {
        let sid = self.sid;
        let mut body = Vec::new();
        TraceRecord::Window { reserved: 0, sid, end: start, start }.encode(&mut body);
        records.iter().for_each(|record| record.encode(&mut body));
        TraceRecord::Window { reserved: 0, sid, end, start: end }.encode(&mut body);
        self.main(b't', &body)
    }
}

/// Writes a record's own length into it.
fn sized(mut record: Vec<u8>) -> Vec<u8> {
    let size = u16::try_from(record.len()).expect("fits a packet");
    record[2..4].copy_from_slice(&size.to_be_bytes());
    record
}

fn encoded(record: &FileRecord<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    record.encode(&mut out);
    sized(out)
}

/// An open with a name, read only.
pub fn open(fileid: u32, user: u32, path: &str) -> Vec<u8> {
    encoded(&FileRecord::Open(FileOpn {
        flags: open_flag::HAS_LFN,
        size: 0,
        fileid,
        filesize: 4_096_000,
        user: Some(user),
        lfn: Some(path.as_bytes()),
        padding: &[0; 5],
    }))
}

/// An open without a name, for writing.
pub fn open_bare(fileid: u32) -> Vec<u8> {
    let flags = open_flag::READ_WRITE;
    let filesize = 4_096_000;
    let (user, lfn, padding) = (None, None, &[][..]);
    encoded(&FileRecord::Open(FileOpn { flags, size: 0, fileid, filesize, user, lfn, padding }))
}

pub fn report(fileid: u32, [read, readv, write]: [i64; 3]) -> Vec<u8> {
    let totals = StatXfr::encode(read, readv, write);
    let xfr = StatXfr::new(&totals);
    encoded(&FileRecord::Transfer(FileXfr { flags: 0, size: 0, fileid, xfr, padding: &[] }))
}

pub fn close(fileid: u32, totals: [i64; 3]) -> Vec<u8> {
    close_with(fileid, 0, totals, None, None)
}

pub fn close_with(
    fileid: u32,
    flags: u8,
    [read, readv, write]: [i64; 3],
    ops: Option<&StatOps>,
    ssq: Option<&StatSsq>,
) -> Vec<u8> {
    let ops_flag = if ops.is_some() { close_flag::HAS_OPS } else { 0 };
    let ssq_flag = if ssq.is_some() { close_flag::HAS_SSQ } else { 0 };
    let mut out = vec![0, flags | ops_flag | ssq_flag, 0, 0];
    out.extend(fileid.to_be_bytes());
    out.extend(StatXfr::encode(read, readv, write));
    ops.inspect(|ops| ops.encode(&mut out));
    ssq.inspect(|ssq| ssq.encode(&mut out));
    sized(out)
}

pub fn disconnect(user: u32) -> Vec<u8> {
    encoded(&FileRecord::Disconnect(FileDsc { flags: 0, size: 0, user }))
}

/// Records as JSON, in the order of their coming.
#[derive(Default)]
pub struct Seen {
    pub accesses: Vec<Value>,
    pub sessions: Vec<Value>,
    pub redirects: Vec<Value>,
    pub io: Vec<Value>,
    pub plugins: Vec<Value>,
    pub servers: Vec<Value>,
    pub summaries: Vec<Value>,
    /// All of them as they would be written to a file.
    pub lines: Vec<u8>,
}

impl Seen {
    fn json<R: Record>(&mut self, record: &R) -> Value {
        let from = self.lines.len();
        Keys::new(&R::table()).write(record, &mut self.lines);
        serde_json::from_slice(&self.lines[from..]).expect("a line is JSON")
    }
}

macro_rules! writes_down {
    ($($method:ident, $record:ident, $list:ident;)*) => {
        impl Sink for Seen {
            $(fn $method(&mut self, record: &$record<'_>) {
                let value = self.json(record);
                self.$list.push(value);
            })*

            fn wants_io(&self) -> bool {
                true
            }
        }
    };
}

writes_down! {
    access, FileAccess, accesses;
    session, Session, sessions;
    redirect, Redirect, redirects;
    io, IoEvent, io;
    plugin, PluginEvent, plugins;
    server, ServerIdent, servers;
    summary, Summary, summaries;
}

/// A correlator with a clock that the test turns.
pub struct Run {
    pub correlator: Correlator,
    pub seen: Seen,
    pub now: Micros,
}

impl Run {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let now = Micros::from(START + 200) * SECOND;
        Self { correlator: Correlator::new(config), seen: Seen::default(), now }
    }

    pub fn feed(&mut self, sent: &Sent) {
        let Sent { peer, bytes } = sent;
        let (peer, now) = (Some(peer), Some(self.now));
        match Message::decode(bytes, &mut Ignore) {
            Some(message) => {
                self.correlator.message(peer, now, bytes, &message, &mut self.seen);
            }
            None => self.correlator.damaged(peer, now, bytes, &mut self.seen),
        }
    }

    pub fn feed_all<'a>(&mut self, packets: impl IntoIterator<Item = &'a Sent>) {
        packets.into_iter().for_each(|sent| self.feed(sent));
    }

    /// Lets time pass without any packet.
    pub fn pass(&mut self, seconds: u64) {
        self.now += seconds * SECOND;
        self.correlator.damaged(None, Some(self.now), b"", &mut self.seen);
    }

    pub fn finish(&mut self) {
        self.correlator.finish(&mut self.seen);
    }

    /// The only access so far.
    pub fn access(&self) -> &Value {
        assert_eq!(self.seen.accesses.len(), 1, "{:#?}", self.seen.accesses);
        &self.seen.accesses[0]
    }

    /// Counts of one class, over all servers and ports.
    pub fn loss(&self, class: Class) -> Loss {
        let mut sum = Loss::default();
        for ((_, found), loss) in self.correlator.losses() {
            if found == class {
                sum.received += loss.received;
                sum.lost += loss.lost;
                sum.late += loss.late;
                sum.duplicates += loss.duplicates;
            }
        }
        sum
    }

    pub fn columns(&self, column: &str) -> Vec<Value> {
        self.seen.accesses.iter().map(|access| access[column].clone()).collect()
    }
}

/// The records of a run that is fed these packets and then ends.
pub fn correlate<'a>(packets: impl IntoIterator<Item = &'a Sent>) -> Seen {
    let mut run = Run::new();
    run.feed_all(packets);
    run.finish();
    run.seen
}

/// Accesses in an order of their own, without what depends on the order of packets.
pub fn unordered(mut accesses: Vec<Value>) -> Vec<Value> {
    for access in &mut accesses {
        access["loss_suspected"] = Value::Null;
    }
    accesses.sort_by_key(Value::to_string);
    accesses
}
