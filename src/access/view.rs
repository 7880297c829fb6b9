//! What can be seen of the state from outside.

use std::cmp::Reverse;

use super::correlator::Correlator;
use super::sequence::Micros;

/// One incarnation of a server that is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    pub address: Option<String>,
    pub host: Option<String>,
    pub instance: Option<String>,
    pub site: Option<String>,
    pub program: Option<String>,
    pub version: Option<String>,
    /// `stod`, UTC epoch seconds.
    pub started_at: u32,
    pub packets: u32,
    /// UTC epoch microseconds, by the clock as it is set now.
    pub last_seen: Micros,
}

impl Correlator {
    /// The servers heard of last, at most `most` of them, the newest one first.
    pub fn servers_seen(&self, most: usize) -> Vec<ServerView> {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let mut seen: Vec<_> = self.servers.ids().filter_map(|id| self.servers.get(id)).collect();
        seen.sort_unstable_by_key(|server| Reverse(server.last_seen));
        seen.truncate(most);
        let views = seen.into_iter().map(|server| {
            let ident = server.ident.as_deref().cloned().unwrap_or_default();
            ServerView {
                address: text(&server.address),
                host: text(&ident.host),
                instance: text(&ident.instance),
                site: text(&ident.site),
                program: text(&ident.program),
                version: text(&ident.version),
                started_at: server.key.stod,
                packets: server.serial,
                last_seen: self.clock.wall(server.last_seen),
            }
        });
        views.collect()
    }
}
