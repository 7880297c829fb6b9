//! One worker: a thread that receives, and the state that it receives into.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::state::{State, TICK};
use crate::access::sequence::Micros;
use crate::capture::udp::{Bell, Received, Ring, Socket, Woken};
use crate::capture::{Datagram, Peer};
use crate::limits::MAX_DATAGRAM;

/// Datagrams taken in one call. More would not make the call cheaper, and the lock is held for so many.
const BATCH: usize = 128;

/// Once packets come, others follow: they are taken together after so long, which costs a fraction of
/// waking up for each. Their times are the kernel's. It has to have room for what may come meanwhile.
const GATHER: Duration = Duration::from_millis(1);
const ROOM_TO_GATHER: usize = 2 << 20;

/// A socket that fails is left alone for so long.
const AFTER_ERROR: Duration = Duration::from_millis(100);

pub struct Worker {
    sockets: Vec<Socket>,
    bell: Bell,
    state: Mutex<State>,
    /// Threads that wait for the state. A mutex is not fair: without this a busy worker would take it
    /// again and again.
    waiting: AtomicUsize,
    is_stopping: AtomicBool,
    /// All sockets have room for packets that are not taken at once.
    gathers: bool,
}

/// Now, by the clock of the host.
pub fn clock() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

impl Worker {
    pub fn new(sockets: Vec<Socket>, state: State) -> std::io::Result<Self> {
        let gathers = sockets.iter().all(|socket| socket.buffer_bytes() >= ROOM_TO_GATHER);
        Ok(Self {
            sockets,
            bell: Bell::new()?,
            state: Mutex::new(state),
            waiting: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
            gathers,
        })
    }

    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// The state, between two packets.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        state
    }

    fn own_state(&self) -> MutexGuard<'_, State> {
        while self.waiting.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the thread to read what the kernel still has, and to end.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    /// Something has changed: look at the state.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// The thread.
    pub fn run(&self) {
        let mut ring = Ring::new(BATCH, MAX_DATAGRAM);
        let mut asked_at = None;
        loop {
            if asked_at.is_none() && self.is_stopping.load(Ordering::SeqCst) {
                asked_at = Some(clock());
            }
            let (mut most, mut newest) = (0, 0);
            for socket in &self.sockets {
                let (count, time) = self.receive(socket, &mut ring);
                (most, newest) = (most.max(count), newest.max(time));
            }
            if let Some(asked_at) = asked_at {
                if most == 0 || newest > asked_at {
                    return;
                }
            } else if most < BATCH {
                self.idle();
            }
        }
    }

    /// Takes a batch from a socket. Answers how many datagrams it was, and the newest time.
    fn receive(&self, socket: &Socket, ring: &mut Ring) -> (usize, Micros) {
        let received = ring.receive(socket.fd());
        let Ok(count) = received else {
            self.own_state().counters.receive_errors += 1;
            thread::sleep(AFTER_ERROR);
            return (0, 0);
        };
        if count == 0 {
            return (0, 0);
        }
        let (now, port) = (clock(), socket.address().port());
        let mut newest = 0;
        let mut state = self.own_state();
        let mut batch = ring.iter();
        // A mistake in the code behind may cost the packet that brought it to light, not all others.
        while let Err(_told) = catch_unwind(AssertUnwindSafe(|| {
            for received in &mut batch {
                newest = newest.max(received.received_at.unwrap_or(now));
                state.take(&datagram(&received, port, now), received.is_truncated, now);
            }
        })) {
            state.counters.internal_errors += 1;
        }
        pass(&mut state);
        (count, newest)
    }

    /// Waits for packets, or until there is something else to do.
    fn idle(&self) {
        let next = pass(&mut self.own_state());
        let longest = next.saturating_duration_since(Instant::now());
        match self.bell.wait(&self.sockets, longest.min(TICK)) {
            Ok(Woken::ByPackets) if self.gathers => thread::sleep(GATHER),
            Ok(_) => {}
            Err(_) => thread::sleep(AFTER_ERROR),
        }
    }
}

/// Lets time pass for a state.
fn pass(state: &mut State) -> Instant {
    let now = Instant::now();
    let passed = catch_unwind(AssertUnwindSafe(|| state.pass(now, clock)));
    passed.unwrap_or_else(|_| {
        state.counters.internal_errors += 1;
        now + TICK
    })
}

fn datagram<'a>(received: &Received<'a>, port: u16, now: Micros) -> Datagram<'a> {
    let peer =
        received.sender.map(|sender| Peer { host: sender.ip().into(), port: Some(sender.port()) });
    Datagram {
        payload: received.payload,
        peer,
        destination_port: Some(port),
        received_at: Some(received.received_at.unwrap_or(now)),
        number: 0,
        offset: 0,
    }
}
