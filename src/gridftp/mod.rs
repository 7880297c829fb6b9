//! Transfer logs of GridFTP servers.
//!
//! | file        | holds                                                          |
//! |-------------|----------------------------------------------------------------|
//! | `scanner`   | bytes to lines, lines to records: what is what                 |
//! | `netlogger` | the `KEY=value` form                                           |
//! | `fields`    | its values as a transfer                                       |
//! | `json`      | JSON, read in one pass                                         |
//! | `event`     | the JSON form as a transfer                                    |
//! | `notes`     | numbers, texts and peers, and what is wrong with them          |
//! | `time`      | times                                                          |
//! | `address`   | peers                                                          |
//! | `record`    | `Transfer`, and where it goes                                  |
//! | `unpack`    | gzip, xz and zstd, found out by their magic numbers            |
//! | `reading`   | from a file to records, counted                                |
//!
//! A log is what other people's programs wrote: whatever is in it, nothing panics, memory stays
//! bounded, and a record that can be read is read.

mod address;
mod canonical;
mod digits;
mod event;
mod fields;
mod json;
mod keys;
mod line;
mod marks;
mod netlogger;
mod notes;
pub mod reading;
pub mod record;
pub mod scanner;
mod statistics;
pub mod time;
pub mod unpack;

pub use record::{LogFault, LogSink, Transfer};
pub use scanner::Scanner;
