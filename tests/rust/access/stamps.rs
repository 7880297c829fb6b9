//! What is remembered of a login or a server is what would be written anew.

use crate::chaos::any_packet;
use crate::feed::{PATH, START, Sent, Server, close, open};
use gridtap::access::record::{
    FileAccess, IoEvent, Record, Redirect, ServerIdent, Session, Sink, Summary,
};
use gridtap::access::sequence::SECOND;
use gridtap::access::{Config, Correlator};
use gridtap::error::Ignore;
use gridtap::export::json::Keys;
use gridtap::xrootd::Message;
use gridtap::xrootd::trace::TraceRecord;
use proptest::prelude::*;

/// Writes each record twice: with the memory of those before, and without.
struct Twice {
    accesses: Keys,
    sessions: Keys,
    redirects: Keys,
    io: Keys,
    servers: Keys,
    summaries: Keys,
    different: Vec<String>,
}

fn compare<R: Record>(keys: &mut Keys, record: &R, different: &mut Vec<String>) {
    let (mut remembered, mut anew) = (Vec::new(), Vec::new());
    keys.write(record, &mut remembered);
    Keys::new(&R::table()).write(record, &mut anew);
    if remembered != anew {
        different.push(String::from_utf8_lossy(&remembered).into_owned());
    }
}

impl Twice {
    fn new() -> Self {
        Self {
            accesses: Keys::new(&FileAccess::table()),
            sessions: Keys::new(&Session::table()),
            redirects: Keys::new(&Redirect::table()),
            io: Keys::new(&IoEvent::table()),
            servers: Keys::new(&ServerIdent::table()),
            summaries: Keys::new(&Summary::table()),
            different: Vec::new(),
        }
    }
}

impl Sink for Twice {
    fn access(&mut self, record: &FileAccess<'_>) {
        compare(&mut self.accesses, record, &mut self.different);
    }

    fn session(&mut self, record: &Session<'_>) {
        compare(&mut self.sessions, record, &mut self.different);
    }

    fn redirect(&mut self, record: &Redirect<'_>) {
        compare(&mut self.redirects, record, &mut self.different);
    }

    fn io(&mut self, record: &IoEvent<'_>) {
        compare(&mut self.io, record, &mut self.different);
    }

    fn server(&mut self, record: &ServerIdent<'_>) {
        compare(&mut self.servers, record, &mut self.different);
    }

    fn summary(&mut self, record: &Summary<'_>) {
        compare(&mut self.summaries, record, &mut self.different);
    }

    fn wants_io(&self) -> bool {
        true
    }
}

struct Run {
    correlator: Correlator,
    now: u64,
}

impl Run {
    fn new(config: Config) -> Self {
        Self { correlator: Correlator::new(config), now: u64::from(START) * SECOND }
    }

    fn feed(&mut self, sent: &Sent, seconds: u64, out: &mut Twice) {
        self.now += seconds * SECOND;
        let (peer, now) = (Some(&sent.peer), Some(self.now));
        match Message::decode(&sent.bytes, &mut Ignore) {
            Some(message) => self.correlator.message(peer, now, &sent.bytes, &message, out),
            None => self.correlator.damaged(peer, now, &sent.bytes, out),
        }
    }
}

/// What happens to a login and its file, which have the same number.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ident,
    Login,
    Path,
    App,
    Token,
    Activity,
    Access,
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    // A read tells at once who reads.
    prop::sample::select(vec![
        Ident, Login, Path, App, Token, Activity, Access, Read, Read, Read, Read,
    ])
}

fn sent(server: &mut Server, step: Step, number: u32, value: u32) -> Sent {
    let name = format!("user{number}");
    match step {
        Step::Ident => server.ident_of(value as u16, "xrootd"),
        Step::Login => server.login(number, &name),
        Step::Path => server.path(100 + number, &name, PATH),
        Step::App => server.app(&name, &format!("app{value}")),
        Step::Token => server.token(number, &name, &format!("sub{value}")),
        Step::Activity => server.activity(number, &name),
        Step::Access => {
            let file = 1000 + value;
            server.files(&[open(file, number, PATH), close(file, [1; 3])])
        }
        Step::Read => {
            let dictid = 100 + number;
            let read = TraceRecord::ReadWrite { offset: 0, buflen: 9, dictid };
            server.trace(START, START + 60, &[read])
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_is_remembered_of_a_login_is_out_of_date(
        steps in prop::collection::vec((step(), 1u32..4, any::<u32>(), 0u64..4), 1..120),
    ) {
        let (mut out, mut server) = (Twice::new(), Server::new(1));
        let mut run = Run::new(Config::default());
        for (step, number, value, seconds) in steps {
            run.feed(&sent(&mut server, step, number, value % 50), seconds, &mut out);
        }
        run.correlator.finish(&mut out);
        prop_assert_eq!(out.different, Vec::<String>::new());
    }

    #[test]
    fn nothing_that_is_remembered_is_out_of_date_in_chaos(
        packets in prop::collection::vec((any_packet(), 0u64..3), 1..600),
        max_rows in 20usize..2000,
    ) {
        let config = Config {
            max_open_files: max_rows,
            max_sessions: max_rows,
            max_servers: max_rows / 10,
            ..Config::default()
        };
        // What writes lives on when a state ends, as in the collector.
        let mut out = Twice::new();
        for part in packets.chunks(300) {
            let mut run = Run::new(config.clone());
            for (sent, seconds) in part {
                run.feed(sent, *seconds, &mut out);
            }
            run.correlator.finish(&mut out);
        }
        prop_assert_eq!(out.different, Vec::<String>::new());
    }
}
