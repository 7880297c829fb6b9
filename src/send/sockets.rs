//! Sockets, one for each original sender, and what goes out of them in batches.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use hashbrown::HashSet;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg};
use serde::Deserialize;

use super::pace::BATCH;
use crate::capture::{Host, Peer};
use crate::limits::MAX_REPLAY_SOCKETS;

/// How long to wait for a full queue of the device.
const FULL_WAIT: Duration = Duration::from_millis(1);

/// What a socket sends from.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Local {
    /// Whatever address leads there, and any port.
    #[default]
    Any,
    /// This address, and any port.
    Address(IpAddr),
    /// An address of the loopback network for each original host; the original port where it is free.
    Spread,
}

impl Local {
    /// # Errors
    ///
    /// One line: no packet from there gets to `to`.
    pub fn check(self, to: SocketAddr) -> Result<(), String> {
        match self {
            Self::Spread if !matches!(to.ip(), IpAddr::V4(ip) if ip.is_loopback()) => {
                Err(format!("addresses of the loopback network do not reach {}", to.ip()))
            }
            Self::Address(from) if from.is_ipv4() != to.is_ipv4() => {
                Err(format!("{from} and {} are not of one address family", to.ip()))
            }
            _ => Ok(()),
        }
    }
}

/// What became of the packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub packets: u64,
    pub bytes: u64,
    /// How often the other side answered that nobody listens there.
    pub refused: u64,
}

/// Packets on their way, and the sockets for them.
pub struct Sockets {
    to: SocketAddr,
    local: Local,
    sockets: Vec<UdpSocket>,
    /// The loopback address of each host so far.
    hosts: Vec<(Option<Host>, Ipv4Addr)>,
    taken: HashSet<Ipv4Addr>,
    bytes: Vec<u8>,
    /// Socket, and where the packet ends in `bytes`.
    waiting: Vec<(usize, usize)>,
    sent: Sent,
}

impl Sockets {
    pub fn new(to: SocketAddr, local: Local) -> Self {
        Self {
            to,
            local,
            sockets: Vec::new(),
            hosts: Vec::new(),
            taken: HashSet::new(),
            bytes: Vec::new(),
            waiting: Vec::with_capacity(BATCH),
            sent: Sent::default(),
        }
    }

    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// Where each socket is bound.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.sockets.iter().map(UdpSocket::local_addr).collect()
    }

    /// Opens the sockets that are still missing for these senders.
    ///
    /// # Errors
    ///
    /// The local address is not ours, the destination cannot be reached, no more files may be opened.
    pub fn open(&mut self, senders: &[Option<Peer>]) -> io::Result<()> {
        while let Some(sender) = senders.get(self.sockets.len()) {
            if self.sockets.len() == MAX_REPLAY_SOCKETS {
                break;
            }
            let socket = self.bind(sender.as_ref())?;
            socket.connect(self.to)?;
            self.sockets.push(socket);
        }
        Ok(())
    }

    /// Adds a packet to the batch, which goes when it is full.
    ///
    /// # Errors
    ///
    /// As [`Sockets::flush`].
    pub fn push(&mut self, sender: usize, payload: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(payload);
        self.waiting.push((sender % self.sockets.len().max(1), self.bytes.len()));
        if self.waiting.len() < BATCH { Ok(()) } else { self.flush() }
    }

    /// Sends what waits. Packets of one sender keep their order.
    ///
    /// # Errors
    ///
    /// Those of the system, but for an answer that nobody listens: that is counted.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut start = 0;
        let mut packets: Vec<(usize, &[u8])> = Vec::with_capacity(self.waiting.len());
        for (socket, end) in self.waiting.drain(..) {
            packets.push((socket, self.bytes.get(start..end).unwrap_or_default()));
            start = end;
        }
        // Anew for each batch: they point to its packets, and may not change threads.
        let mut headers = MultiHeaders::preallocate(packets.len(), None);
        packets.sort_by_key(|(socket, _)| *socket);
        for run in packets.chunk_by(|a, b| a.0 == b.0) {
            let socket = run.first().and_then(|(socket, _)| self.sockets.get(*socket));
            if let Some(socket) = socket {
                send(socket, run, &mut headers, &mut self.sent)?;
            }
        }
        self.bytes.clear();
        Ok(())
    }

    fn bind(&mut self, sender: Option<&Peer>) -> io::Result<UdpSocket> {
        let any = match (self.local, self.to) {
            (Local::Address(address), _) => address,
            (_, SocketAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
            (_, SocketAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        };
        if self.local != Local::Spread {
            return UdpSocket::bind((any, 0));
        }
        let address = self.loopback(sender.map(|sender| sender.host.clone()));
        let port = sender.and_then(|sender| sender.port).unwrap_or(0);
        UdpSocket::bind((address, port)).or_else(|_| UdpSocket::bind((address, 0)))
    }

    /// The address that stands for a host: its own where it is one of the loopback network, else the
    /// next of 127.1.0.1, 127.1.0.2, ...
    fn loopback(&mut self, host: Option<Host>) -> Ipv4Addr {
        if let Some((_, address)) = self.hosts.iter().find(|(known, _)| *known == host) {
            return *address;
        }
        let own = match host {
            Some(Host::Ip(IpAddr::V4(address))) if address.is_loopback() => Some(address),
            _ => None,
        };
        let others = (1..=u16::MAX).map(|n| {
            let [high, low] = n.to_be_bytes();
            Ipv4Addr::new(127, 1, high, low)
        });
        let free = own.into_iter().chain(others).find(|address| !self.taken.contains(address));
        let address = free.unwrap_or(Ipv4Addr::LOCALHOST);
        self.taken.insert(address);
        self.hosts.push((host, address));
        address
    }
}

/// Sends packets of one socket.
fn send(
    socket: &UdpSocket,
    packets: &[(usize, &[u8])],
    headers: &mut MultiHeaders<()>,
    sent: &mut Sent,
) -> io::Result<()> {
    let slices: Vec<_> = packets.iter().map(|(_, payload)| [IoSlice::new(payload)]).collect();
    let mut done = 0;
    while let Some(rest) = slices.get(done..).filter(|rest| !rest.is_empty()) {
        let none = vec![None; rest.len()];
        match sendmmsg(socket.as_raw_fd(), headers, rest, none, [], MsgFlags::empty()) {
            Ok(results) => {
                let count = results.count();
                let went = packets.get(done..done + count).unwrap_or_default();
                sent.packets += went.len() as u64;
                sent.bytes += went.iter().map(|(_, payload)| payload.len() as u64).sum::<u64>();
                done += count;
            }
            // The answer to an earlier packet; this one has not gone yet.
            Err(Errno::ECONNREFUSED) => sent.refused += 1,
            Err(Errno::ENOBUFS | Errno::EAGAIN) => std::thread::sleep(FULL_WAIT),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
