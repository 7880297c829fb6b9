//! One bound socket: what is asked of it, and what it tells of itself.

use nix::sys::socket::{SockType, getsockopt, setsockopt, sockopt};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::sys;

/// The kernel's numbers are signed, and it doubles this one.
const LARGEST_BUFFER: usize = (1 << 30) - 1;

/// A UDP socket that datagrams are received from.
pub struct Socket {
    socket: UdpSocket,
    address: SocketAddr,
    asked_buffer_bytes: usize,
}

impl Socket {
    /// Takes over a bound UDP socket, and has the kernel tell when each datagram came.
    ///
    /// The buffer asked for is what the socket has already where `buffer_bytes` is 0.
    ///
    /// # Errors
    ///
    /// One line: it is not a bound UDP socket, or the kernel cannot tell times.
    pub fn new(fd: OwnedFd, buffer_bytes: usize) -> Result<Self, String> {
        if getsockopt(&fd, sockopt::SockType) != Ok(SockType::Datagram) {
            return Err("it is no UDP socket".into());
        }
        let socket = UdpSocket::from(fd);
        // Datagram sockets of other families have no address of the internet.
        let address = socket.local_addr().map_err(|_| "it is no UDP socket".to_owned())?;
        if address.port() == 0 {
            return Err("it is not bound".into());
        }
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)
            .map_err(|error| format!("{address}: the kernel tells no receive times: {error}"))?;
        let mut socket = Self { socket, address, asked_buffer_bytes: buffer_bytes };
        if buffer_bytes > 0 {
            socket.enlarge(buffer_bytes);
        } else {
            socket.asked_buffer_bytes = socket.buffer_bytes();
        }
        Ok(socket)
    }

    /// The kernel keeps twice what it is told, for its own bookkeeping, so that is what it answers. With
    /// the right to pass its limit (`net.core.rmem_max`) that is done, else it grants up to the limit.
    fn enlarge(&self, bytes: usize) {
        let bytes = bytes.min(LARGEST_BUFFER);
        // Refusals show in `buffer_bytes`.
        if self.buffer_bytes() < bytes
            && setsockopt(&self.socket, sockopt::RcvBufForce, &bytes).is_err()
        {
            let _ = setsockopt(&self.socket, sockopt::RcvBuf, &bytes);
        }
    }

    /// Where it is bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn asked_buffer_bytes(&self) -> usize {
        self.asked_buffer_bytes
    }

    /// What the kernel granted, as it was asked for (half of what it sets aside).
    pub fn buffer_bytes(&self) -> usize {
        getsockopt(&self.socket, sockopt::RcvBuf).map_or(0, |bytes| bytes / 2)
    }

    /// Datagrams that found the buffer full.
    pub fn kernel_drops(&self) -> u32 {
        sys::drops(self.socket.as_fd()).unwrap_or(0)
    }

    /// Whether other sockets may share its address.
    pub fn is_shared(&self) -> bool {
        getsockopt(&self.socket, sockopt::ReusePort).unwrap_or(false)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Deals the sockets out: those of one address belong to the workers in the order in which they were
/// bound. The answer has one list for each worker, and each list one socket for each address.
///
/// # Errors
///
/// One line: an address has not exactly one socket for each worker, or they do not share it.
pub fn deal(sockets: Vec<Socket>, workers: usize) -> Result<Vec<Vec<Socket>>, String> {
    let mut groups: Vec<(SocketAddr, Vec<Socket>)> = Vec::new();
    for socket in sockets {
        let address = socket.address();
        match groups.iter_mut().find(|(known, _)| *known == address) {
            Some((_, group)) => group.push(socket),
            None => groups.push((address, vec![socket])),
        }
    }
    let mut dealt: Vec<Vec<Socket>> = (0..workers).map(|_| Vec::new()).collect();
    for (address, group) in groups {
        if group.len() != workers {
            let count = group.len();
            return Err(format!(
                "{address} has {count} socket(s) for {workers} worker(s): bind one for each worker, \
                 all with SO_REUSEPORT"
            ));
        }
        if workers > 1 {
            if let Some(alone) = group.iter().find(|socket| !socket.is_shared()) {
                return Err(format!("a socket of {} has no SO_REUSEPORT", alone.address()));
            }
            if let Some(first) = group.first() {
                super::shard::attach(&first.fd(), workers).map_err(|error| {
                    format!("{address}: the kernel cannot deal senders to workers: {error}")
                })?;
            }
        }
        for (list, socket) in dealt.iter_mut().zip(group) {
            list.push(socket);
        }
    }
    Ok(dealt)
}

/// The address of a socket as people write it.
pub fn shown(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => format!("{ip}:{}", address.port()),
        IpAddr::V6(ip) => format!("[{ip}]:{}", address.port()),
    }
}

/// Makes a second descriptor of a socket that belongs to somebody else.
///
/// # Errors
///
/// There is no such descriptor, or no room for another one.
pub fn duplicate(number: i32) -> io::Result<OwnedFd> {
    sys::duplicate(number)
}
