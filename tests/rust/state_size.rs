//! Bytes of memory that the correlator holds, counted by an allocator of this test's own. Without
//! the test harness, whose threads allocate too.

// Each test program uses another part of the packet builder.
#[allow(dead_code)]
#[path = "access/feed.rs"]
mod feed;

use feed::{START, Sent, Server, USER, close, disconnect, open, peer};
use gridtap::access::record::Sink;
use gridtap::access::sequence::SECOND;
use gridtap::access::{Config, Correlator};
use gridtap::error::Ignore;
use gridtap::xrootd::Message;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only sums are kept beside it, and
// keeping them allocates nothing. Counting live bytes exactly is not possible without this trait.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `at` came from `System` with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Counts records and keeps nothing.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn access(&mut self, _: &gridtap::access::record::FileAccess<'_>) {
        self.0 += 1;
    }
}

const NOW: u64 = 1_700_000_200 * SECOND;

fn feed(correlator: &mut Correlator, now: u64, sent: &Sent, out: &mut Count) {
    let message = Message::decode(&sent.bytes, &mut Ignore).expect("decodes");
    correlator.message(Some(&sent.peer), Some(now), &sent.bytes, &message, out);
}

const MB: usize = 1 << 20;

fn main() {
    // The first line allocates the buffer of the output.
    println!("state that the correlator holds:");
    open_files_are_small();
    a_million_open_files_fit();
    the_budget_is_held_in_bytes_of_the_heap();
    hostile_input_stays_bounded("files", &Config::default(), |round| {
        let mut server = Server { files: round as u8, ..Server::new(1) };
        server.files(&[close(round, [1; 3])])
    });
    hostile_input_stays_bounded("logins", &Config::default(), |round| {
        let mut server = Server { main: round as u8, ..Server::new(1) };
        server.login(round, &format!("user{round}"))
    });
    hostile_input_stays_bounded("texts", &Config::default(), |round| {
        let mut server = Server { main: round as u8, ..Server::new(1) };
        server.app(&format!("user{round}"), "x")
    });
    hostile_input_stays_bounded("joined logins", &Config::default(), |round| {
        let (login, step) = (1 + round / 3, round % 3);
        let mut server = Server { main: round as u8, files: round as u8, ..Server::new(1) };
        match step {
            0 => server.files(&[open(login, login, "/x")]),
            1 => server.app(&format!("user{login}"), "x"),
            _ => server.login(login, &format!("user{login}")),
        }
    });
    hostile_input_stays_bounded("disconnects", &Config::default(), |round| {
        let mut server = Server { main: round as u8, files: round as u8, ..Server::new(1) };
        if round % 2 == 0 {
            server.login(1 + round / 2, "user")
        } else {
            server.files(&[disconnect(1 + round / 2)])
        }
    });
    hostile_input_stays_bounded("servers", &Config::default(), |round| {
        let mut server = Server { stod: START + round, ..Server::new(1) };
        server.ident_of(round as u16, "xrootd")
    });
    hostile_input_stays_bounded("senders", &Config::default(), |round| {
        let mut server = Server { sid: u64::from(round), ..Server::new(round as u8) };
        server.peer = peer(round as u8, (round >> 8) as u16);
        server.files(&[open(round, USER, "/x")])
    });
    hostile_input_stays_bounded("gaps", &Config::default(), |round| {
        let main = (round / 4000).wrapping_mul(101) as u8;
        let mut server = Server { main, sid: u64::from(round % 100), ..Server::new(1) };
        server.peer = peer(1, (round % 4000) as u16);
        server.app("user", "x")
    });
}

fn open_files_are_small() {
    const FILES: u32 = 200_000;
    let before = live();
    let mut correlator = Correlator::new(Config::default());
    let (mut server, mut out) = (Server::new(1), Count::default());
    feed(&mut correlator, NOW, &server.ident(), &mut out);
    feed(&mut correlator, NOW, &server.login(USER, "alice"), &mut out);
    let mut paths = 0;
    for file in 1..=FILES {
        let path = format!("/store/{file}");
        paths += path.len();
        feed(&mut correlator, NOW, &server.files(&[open(file, USER, &path)]), &mut out);
    }
    let each = (live() - before - paths) as f64 / f64::from(FILES);
    println!("{each:.1} bytes for each open file beside its path");
    assert!(each <= 160.0, "{each}");
    assert_eq!(correlator.open_files(), FILES as usize);
    correlator.finish(&mut out);
    assert_eq!(out.0, FILES as usize);
    drop(correlator);
    drop(server);
    assert_eq!(live(), before, "everything is freed");
}

/// What the account leaves out: the table of losses, sums of a fixed number of kinds, and the sender
/// of the last packet.
const UNCOUNTED: usize = MB;

fn a_million_open_files_fit() {
    const FILES: u32 = 1_000_000;
    let before = live();
    let mut correlator = Correlator::new(Config::default());
    let (mut server, mut out) = (Server::new(1), Count::default());
    for file in 1..=FILES {
        let path = format!("/store/{file:093}");
        assert_eq!(path.len(), 100);
        feed(&mut correlator, NOW, &server.files(&[open(file, USER, &path)]), &mut out);
    }
    assert_eq!(correlator.open_files(), FILES as usize);
    let (held, told) = (live() - before, correlator.usage().bytes);
    println!("{} MB for a million open files with paths of 100 bytes", held / 1_000_000);
    assert!(held < 400_000_000, "{held}");
    assert!(held.abs_diff(told) < UNCOUNTED, "{held} held, {told} told");
}

/// Hostile streams against a budget, with no other ceiling in their way.
fn the_budget_is_held_in_bytes_of_the_heap() {
    let long = |length: usize| "/x".repeat(length / 2);
    hostile_input_stays_within_the_budget("random packets", 200_000, |round| {
        let random = round.wrapping_mul(2_654_435_761);
        let mut server = Server::new(random as u8 % 8);
        (server.main, server.files) = ((random >> 9) as u8, (random >> 13) as u8);
        let mut sent = match random >> 29 {
            0 => server.ident(),
            1 => server.login(random >> 3, "user"),
            2 => server.path(random >> 5, "user", &long(200)),
            _ => server.files(&[open(random, random >> 20, &long(90)), close(random >> 1, [1; 3])]),
        };
        let at = (random >> 11) as usize % sent.bytes.len();
        sent.bytes[at] ^= random as u8;
        sent
    });
    hostile_input_stays_within_the_budget("spoofed servers", 1_000_000, |round| {
        let mut server = Server { sid: u64::from(round), stod: round, ..Server::new(round as u8) };
        server.peer = peer(round as u8, (round >> 8) as u16);
        server.files(&[open(round, USER, "/x")])
    });
    hostile_input_stays_within_the_budget("servers that identify themselves", 400_000, |round| {
        let mut server = Server { sid: u64::from(round), stod: round, ..Server::new(round as u8) };
        server.peer = peer(round as u8, (round >> 8) as u16);
        server.ident_of(round as u16, &long(400))
    });
    hostile_input_stays_within_the_budget("files never closed", 1_000_000, |round| {
        let mut server = Server { files: round as u8, ..Server::new(1) };
        server.files(&[open(round, round / 100, "/store/data")])
    });
    hostile_input_stays_within_the_budget("giant paths", 20_000, |round| {
        let mut server = Server { main: round as u8, ..Server::new(1) };
        server.path(round, "user", &long(60_000))
    });
    hostile_input_stays_within_the_budget("giant maps", 20_000, |round| {
        let mut server = Server { main: round as u8, ..Server::new(round as u8 % 50) };
        match round % 3 {
            0 => server.app(&format!("user{round}"), &long(60_000)),
            1 => server.token(round, &format!("user{round}"), &long(60_000)),
            _ => server.ident_of(round as u16, &long(60_000)),
        }
    });
    hostile_input_stays_within_the_budget("numbers from many ports", 400_000, |round| {
        let main = (round / 480).wrapping_mul(101) as u8;
        let mut server = Server { main, ..Server::new(1) };
        (server.sid, server.peer) = (u64::from(round % 997), peer(1, (round % 4800) as u16));
        server.app("user", "x")
    });
    hostile_input_stays_within_the_budget(
        "first files, then logins, then names",
        600_000,
        |round| {
            let mut server = Server { main: round as u8, files: round as u8, ..Server::new(1) };
            match round / 200_000 {
                0 => server.files(&[open(round, USER, "/x")]),
                1 => server.login(round, &format!("user{round}")),
                _ => server.path(round, "user", "/x"),
            }
        },
    );
}

fn hostile_input_stays_within_the_budget(name: &str, packets: u32, packet: impl Fn(u32) -> Sent) {
    const BUDGET: usize = 16 * MB;
    let config = Config { max_bytes: BUDGET, ..Config::default() };
    let before = live();
    let (mut correlator, mut out) = (Correlator::new(config), Count::default());
    let (mut most, mut apart) = (0, 0);
    for round in 0..packets {
        let sent = packet(round);
        let now = NOW + u64::from(round) * 100;
        match Message::decode(&sent.bytes, &mut Ignore) {
            Some(message) => {
                correlator.message(Some(&sent.peer), Some(now), &sent.bytes, &message, &mut out);
            }
            None => correlator.damaged(Some(&sent.peer), Some(now), &sent.bytes, &mut out),
        }
        drop(sent);
        let (held, told) = (live() - before, correlator.usage().bytes);
        assert!(told <= BUDGET, "{name}: {told} bytes told");
        most = most.max(held);
        apart = apart.max(held.abs_diff(told));
    }
    println!("{name}: {} KiB at most, {} bytes from the account", most >> 10, apart);
    assert!(most <= BUDGET + UNCOUNTED, "{name}: {most} bytes");
    assert!(apart <= UNCOUNTED, "{name}: {apart} bytes apart");
    assert!(most >= BUDGET / 2, "{name}: most of the budget is of use, {most} bytes");
    drop(correlator);
    assert_eq!(live(), before, "{name}: everything is freed");
}

/// Feeds a million hostile packets into small tables, all at one moment, and compares the memory
/// after half of them with that at the worst moment of the rest.
fn hostile_input_stays_bounded(name: &str, base: &Config, packet: impl Fn(u32) -> Sent) {
    const PACKETS: u32 = 1_000_000;
    let config = Config {
        max_open_files: 2000,
        max_named_files: 2000,
        max_sessions: 2000,
        max_servers: 100,
        ..base.clone()
    };
    let before = live();
    let (mut correlator, mut out) = (Correlator::new(config), Count::default());
    let mut early = 0;
    for round in 0..PACKETS {
        if round == PACKETS / 2 {
            early = PEAK.load(Ordering::Relaxed).saturating_sub(before);
        }
        if round == 0 {
            PEAK.store(live(), Ordering::Relaxed);
        }
        feed(&mut correlator, NOW, &packet(round), &mut out);
    }
    let late = PEAK.load(Ordering::Relaxed) - before;
    println!("{name}: {} KiB after half, {} KiB at most", early >> 10, late >> 10);
    assert!(correlator.open_files() <= 2000, "{name}");
    assert!(late <= early + MB / 4, "{name}: {early} then {late} bytes");
    assert!(late <= 16 * MB, "{name}: {late} bytes");
    correlator.finish(&mut out);
    drop(correlator);
    assert_eq!(live(), before, "{name}: everything is freed");
}
