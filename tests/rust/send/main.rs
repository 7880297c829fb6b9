//! Captures sent over real sockets, and what is done to their packets on the way.

mod disturb;
mod pace;
mod sockets;
