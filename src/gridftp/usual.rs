//! What the last usual line said of its server: the next one nearly always says the same, and to
//! compare is faster than to read.

use super::address::{Peer, peer};
use super::line::Line;

/// What the last line said, and memory that records borrow.
#[derive(Debug, Default)]
pub struct Usual {
    pub server: Server,
    pub sizes: Sizes,
    pub peer: LastPeer,
    pub retransmits: Vec<Option<i64>>,
}

/// From ` HOST=` to the end of `NL.EVNT`.
#[derive(Debug, Default)]
pub struct Server {
    run: String,
    pub host: String,
    pub program: String,
    pub event: String,
}

impl Server {
    #[inline(always)]
    pub fn read(&mut self, line: &mut Line<'_>) -> Option<()> {
        if !line.skip(&self.run) {
            *line = self.learn(*line)?;
        }
        Some(())
    }

    #[cold]
    fn learn<'a>(&mut self, mut line: Line<'a>) -> Option<Line<'a>> {
        let begin = line.position();
        self.run.clear();
        replace(&mut self.host, line.text(b" HOST=")?);
        replace(&mut self.program, line.text(b" PROG=")?);
        replace(&mut self.event, line.text(b" NL.EVNT=")?);
        self.run.push_str(line.since(begin)?);
        Some(line)
    }
}

fn replace(to: &mut String, from: Option<&str>) {
    to.clear();
    to.push_str(from.unwrap_or_default());
}

/// From ` BUFFER=` to the end of `BLOCK`.
#[derive(Debug, Default)]
pub struct Sizes {
    run: String,
    pub buffer: i64,
    pub block: i64,
}

impl Sizes {
    #[inline(always)]
    pub fn read(&mut self, line: &mut Line<'_>) -> Option<()> {
        if !line.skip(&self.run) {
            *line = self.learn(*line)?;
        }
        Some(())
    }

    #[cold]
    fn learn<'a>(&mut self, mut line: Line<'a>) -> Option<Line<'a>> {
        let begin = line.position();
        self.run.clear();
        self.buffer = line.number(b" BUFFER=")?;
        self.block = line.number(b" BLOCK=")?;
        self.run.push_str(line.since(begin)?);
        Some(line)
    }
}

/// The last peer that was not written as an IPv4 address in brackets.
#[derive(Debug, Default)]
pub struct LastPeer {
    text: String,
    address: String,
}

impl LastPeer {
    #[inline(always)]
    pub fn read<'t: 'u, 'u>(&'u mut self, line: &mut Line<'t>) -> Option<Option<&'u str>> {
        let (text, address) = line.peer(b" DEST=")?;
        if address.is_some() {
            return Some(address);
        }
        if text != self.text || text.is_empty() {
            self.learn(text)?;
        }
        Some(Some(&*self.address).filter(|address| !address.is_empty()))
    }

    #[cold]
    fn learn(&mut self, text: &str) -> Option<()> {
        self.text.clear();
        let mut buffer = String::new();
        let known = match peer(text.as_bytes(), &mut buffer) {
            (Peer::Known(address), false) => Some(address),
            (Peer::Unknown, false) => None,
            _ => return None,
        };
        replace(&mut self.address, known);
        self.text.push_str(text);
        Some(())
    }
}
