//! Waiting for datagrams, with a bell that ends it.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use super::socket::Socket;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody rang, whatever else there may be.
    ByBell,
    ByPackets,
    /// Time, or a signal.
    ByNothing,
}

/// Wakes a thread that waits for its sockets.
pub struct Bell {
    event: EventFd,
}

impl Bell {
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        Ok(Self { event: EventFd::from_flags(flags)? })
    }

    /// Ends the wait that is on or the next one.
    pub fn ring(&self) {
        // It fails when the counter is full: then it has been rung.
        let _ = self.event.write(1);
    }

    /// Waits until a socket has something, the bell rings or the time is over.
    pub fn wait(&self, sockets: &[Socket], longest: Duration) -> io::Result<Woken> {
        let wanted = PollFlags::POLLIN;
        let mut fds: Vec<_> = sockets.iter().map(|s| PollFd::new(s.fd(), wanted)).collect();
        fds.push(PollFd::new(self.event.as_fd(), wanted));
        // Rounded up: a wait that ends a little early would be followed by many of no length.
        let longest = longest.as_micros().div_ceil(1000).min(60_000);
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::ZERO);
        let woken = match poll(&mut fds, timeout) {
            Ok(0) | Err(Errno::EINTR) => Woken::ByNothing,
            Ok(_) => Woken::ByPackets,
            Err(error) => return Err(error.into()),
        };
        Ok(if self.event.read().is_ok() { Woken::ByBell } else { woken })
    }
}
