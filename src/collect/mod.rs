//! The collector: from live sockets to batches of records, without Python.
//!
//! ```text
//! socket -> gate -> decoder -> correlator -> outlet of each sink -> queue of the sink -> Python
//! ```
//!
//! | file         | holds                                                               |
//! |--------------|---------------------------------------------------------------------|
//! | `settings`   | what the collector is told                                          |
//! | `networks`   | sets of networks                                                    |
//! | `gate`       | who may send, and how much                                          |
//! | `rejections` | what did not come in, by kind and sender                            |
//! | `state`      | the way of a packet through one worker                              |
//! | `outlet`     | from records to batches                                             |
//! | `tally`      | what one sink got, and what not                                     |
//! | `queue`      | finished batches                                                    |
//! | `names`      | reverse DNS                                                         |
//! | `counters`   | what one worker counted                                             |
//! | `worker`     | the thread                                                          |
//! | `book`       | settings and sinks of all workers                                   |
//! | `engine`     | all workers together                                                |
//! | `snapshot`   | the state of all workers as a file                                  |
//! | `explain`    | what would become of records                                        |
//! | `status`     | what it tells of itself                                             |
//!
//! Each worker has a state of its own, and all packets of one sender go to one worker, so nothing is
//! shared between them but the queues. A worker's lock is taken once for a batch of packets; whoever
//! else wants something of it (a reload, a snapshot, the counters) takes it between two batches.

mod book;
mod counters;
mod engine;
mod explain;
mod gate;
mod names;
mod networks;
mod outlet;
mod queue;
mod rejections;
mod settings;
mod snapshot;
mod state;
mod status;
mod tally;
mod worker;

pub use engine::Engine;
pub use explain::{Explained, Explainer};
pub use queue::{Batch, Content, Taken};
pub use settings::Settings;
pub use snapshot::RestoreError;
