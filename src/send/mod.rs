//! Datagrams of a capture, sent again.
//!
//! | file      | holds                                                                  |
//! |-----------|------------------------------------------------------------------------|
//! | `feed`    | the datagrams, one look ahead; once from the source, or held in memory |
//! | `disturb` | loss, duplicates and reordering                                        |
//! | `chance`  | the random numbers behind these                                        |
//! | `pace`    | when the next ones are due                                             |
//! | `sockets` | a socket for each original sender; batches out                         |
//! | `replay`  | the loop over all of them                                              |
//!
//! What a datagram means is not known here; its bytes are sent as they were received.

mod chance;
mod disturb;
mod feed;
mod pace;
mod replay;
mod settings;
mod sockets;

pub use disturb::{Disturbance, Taken};
pub use pace::{Due, Pace};
pub use replay::{Counts, Failure, Replay};
pub use settings::Settings;
pub use sockets::Local;
