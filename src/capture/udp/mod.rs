//! Datagrams from UDP sockets, a batch at a time.
//!
//! | file     | holds                                                                    |
//! |----------|--------------------------------------------------------------------------|
//! | `sys`    | the system calls that need `unsafe`                                      |
//! | `socket` | buffer size, receive times, drops; which socket belongs to which worker  |
//! | `shard`  | which worker a sender belongs to                                         |
//! | `wait`   | waiting, and being woken                                                 |
//!
//! The sockets are bound by somebody else: a service manager that keeps them over a restart, or whoever
//! starts the collector.

pub mod shard;
mod socket;
mod sys;
mod wait;

pub use socket::{Socket, deal, duplicate, shown};
pub use sys::{Received, Ring};
pub use wait::{Bell, Woken};
