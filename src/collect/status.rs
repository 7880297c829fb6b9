//! What the collector tells of itself.

use serde_json::{Map, Value, json};

use super::book::Book;
use super::counters::Counters;
use super::engine::Engine;
use super::names::Counts;
use super::tally::Tally;
use super::worker::clock;
use crate::access::sequence::{Micros, SECOND};
use crate::access::{ServerView, Usage};
use crate::capture::udp::shown;
use crate::reading::Outcome;

/// Servers told of one by one: the largest federations have a few thousand.
const MAX_SERVERS: usize = 4096;

fn seconds(micros: Micros) -> f64 {
    micros as f64 / SECOND as f64
}

/// All workers summed up.
#[derive(Default)]
struct Sums {
    counters: Counters,
    outcome: Outcome,
    usage: Usage,
    servers: Vec<ServerView>,
    sinks: Vec<Tally>,
}

impl Engine {
    /// Counters and levels, as one JSON object.
    pub fn status(&self) -> Value {
        // Held all the time, so that no reload changes what is being summed up.
        let book = self.book();
        let sums = self.sums();
        let Sums { counters, outcome, usage, .. } = &sums;
        let evicted = usage.evicted;
        let names = book.resolver.as_ref().map_or(Counts::default(), |resolver| resolver.counts());
        let losses = outcome.losses.iter().map(|((server, class), loss)| {
            let class = class.to_string();
            json!([server, class, loss.received, loss.lost, loss.late, loss.duplicates])
        });
        let accesses = outcome.accesses.iter();
        let accesses = accesses.map(|(reason, count)| (reason.name().into(), json!(count)));
        json!({
            "sockets": self.sockets(),
            "packets": {
                "received": counters.received,
                "bytes": counters.bytes,
                "by_code": counters.by_code(),
            },
            "duplicate_packets": outcome.duplicate_packets,
            "stale_packets": outcome.stale_packets,
            "failed_operations": outcome.failed_operations,
            "receive_errors": counters.receive_errors,
            "internal_errors": counters.internal_errors,
            "rejected": counters.rejections.rows(),
            "faults": counters.faults(),
            "records": counters.records(),
            "accesses": accesses.collect::<Map<_, _>>(),
            "losses": losses.collect::<Vec<_>>(),
            "state": {
                "files": usage.files,
                "names": usage.names,
                "sessions": usage.sessions,
                "servers": usage.servers,
                "bytes": usage.bytes,
                "max_bytes": book.settings.state.max_bytes,
                "evicted": {
                    "files": evicted.files,
                    "sessions": evicted.sessions,
                    "servers": evicted.servers,
                },
            },
            "dns": {
                "lookups": names.lookups,
                "failures": names.failures,
                "cached": names.cached,
                "pending": names.pending,
            },
            "servers": sums.servers.iter().take(MAX_SERVERS).map(server).collect::<Vec<_>>(),
            "io": io(counters),
            "sinks": sinks(&book, &sums.sinks),
            "uptime_s": self.began.elapsed().as_secs_f64(),
            "now": seconds(clock()),
        })
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for worker in &self.workers {
            let state = worker.state();
            sums.counters.merge(&state.counters);
            sums.outcome.add(&state.outcome());
            sums.usage.add(state.usage());
            sums.servers.extend(state.correlator.servers_seen(MAX_SERVERS));
            sums.sinks.resize_with(state.outlets.len().max(sums.sinks.len()), Tally::default);
            for (sum, outlet) in sums.sinks.iter_mut().zip(&state.outlets) {
                sum.add(outlet.tally());
            }
        }
        sums.servers.sort_by_key(|server| std::cmp::Reverse(server.last_seen));
        sums
    }

    fn sockets(&self) -> Vec<Value> {
        let sockets = self.workers.iter().flat_map(|worker| worker.sockets());
        let told = sockets.map(|socket| {
            json!({
                "address": shown(socket.address()),
                "receive_buffer_bytes": socket.buffer_bytes(),
                "asked_buffer_bytes": socket.asked_buffer_bytes(),
                "kernel_drops": socket.kernel_drops(),
            })
        });
        told.collect()
    }
}

fn server(server: &ServerView) -> Value {
    json!({
        "address": server.address,
        "host": server.host,
        "instance": server.instance,
        "site": server.site,
        "program": server.program,
        "version": server.version,
        "started_at": server.started_at,
        "packets": server.packets,
        "last_seen_at": seconds(server.last_seen),
    })
}

fn io(counters: &Counters) -> Vec<Value> {
    let rows = counters.io.rows().into_iter();
    let told = rows.map(|(address, site, operation, moved)| {
        json!([address, site, operation, moved.bytes, moved.operations])
    });
    told.collect()
}

/// Sinks of all times: each has its number by its place in this list.
fn sinks(book: &Book, open: &[Tally]) -> Vec<Value> {
    let told = book.rows.iter().map(|row| {
        let mut tally = row.queue.tally();
        if let Some(more) = book.position(&row.name).and_then(|at| open.get(at)) {
            tally.add(more);
        }
        let level = row.queue.level();
        json!({
            "name": row.name,
            "records": tally.records,
            "bytes": tally.bytes,
            "queued_bytes": level.bytes,
            "queued_records": level.records,
            "dropped_records": level.dropped_records,
            "refused": tally.refused,
            "unformed": tally.unformed,
            "current": row.is_current,
        })
    });
    told.collect()
}
