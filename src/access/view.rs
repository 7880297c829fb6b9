//! What can be seen of the state from outside.

use super::correlator::Correlator;
use super::sequence::Micros;
use super::servers::next_of;
use super::slab::Linked;

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
    pub last_seen: Micros,
}

impl Correlator {
    /// The servers heard of last, at most `most` of them, the newest one first.
    pub fn servers_seen(&self, most: usize) -> Vec<ServerView> {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let mut seen = Vec::new();
        let mut at = self.servers.oldest();
        let mut surplus = self.servers.rows.len().saturating_sub(most);
        while let Some(server) = at.and_then(|id| self.servers.get(id)) {
            at = next_of(Linked::links(server));
            if surplus > 0 {
                surplus -= 1;
                continue;
            }
            let ident = server.ident.as_deref().cloned().unwrap_or_default();
            seen.push(ServerView {
                address: text(&server.address),
                host: text(&ident.host),
                instance: text(&ident.instance),
                site: text(&ident.site),
                program: text(&ident.program),
                version: text(&ident.version),
                started_at: server.key.stod,
                packets: server.serial,
                last_seen: server.last_seen,
            });
        }
        seen.reverse();
        seen
    }

    /// Rows kept now: open files, logins, servers.
    pub fn rows(&self) -> [usize; 3] {
        [self.files.active.len(), self.sessions.by_age.len(), self.servers.rows.len()]
    }
}
