//! From packets to one record for each file access.
//!
//! | file       | holds                                                                     |
//! |------------|---------------------------------------------------------------------------|
//! | `record`   | the records and their columns                                             |
//! | `slab`     | tables of rows with lists through them                                    |
//! | `sequence` `numbers` | lost, late and repeated packets: of one class, of a server      |
//! | `servers` `sessions` `files` | the three tables                                        |
//! | `user`     | what is known of a login's user                                           |
//! | `prefetch` | memory that will be needed soon                                           |
//! | `incarnation` `recent` | one row of `servers`; which one a sender's packet belongs to  |
//! | `correlator` | the state: what a packet does to it, the end of rows                    |
//! | `config` `stats` | ceilings and waits; what is counted                                 |
//! | `clock`    | the time, and clocks that are set                                         |
//! | `budget`   | what happens when a table or all of memory is full                        |
//! | `snapshot` | the state as a file                                                       |
//! | `waits` `expiry` | which rows wait for a time; what happens then                       |
//! | `closed`   | files whose record has gone out                                           |
//! | `maps` `fstream` `tstream` `events` | what each kind of packet does to it              |
//! | `emit`     | from rows to records                                                      |
//! | `view`     | what can be seen of the state                                             |
//!
//! A pure state machine: time is passed in, there is no clock and no I/O, and equal input gives
//! equal output. Maps may come late or after the records that need them, packets may be reordered,
//! repeated or lost, servers may restart. What cannot be known is null in the record; what was
//! never seen is never invented.
//!
//! Tables are bounded. When one is full its row that was used longest ago leaves: an open file goes
//! out with the reason `evicted`, a login takes its files along, a server its logins.

mod budget;
mod clock;
mod closed;
mod config;
mod correlator;
mod emit;
mod events;
mod expiry;
mod files;
mod fstream;
mod incarnation;
mod maps;
mod numbers;
mod prefetch;
mod recent;
pub mod record;
pub mod sequence;
mod servers;
mod sessions;
mod slab;
mod snapshot;
mod stats;
mod tstream;
mod user;
mod view;
mod waits;

pub use config::Config;
pub use correlator::Correlator;
pub use stats::{Evicted, Reason, Stats, Usage};

pub use snapshot::{Restored, SnapshotError};
pub use view::ServerView;
