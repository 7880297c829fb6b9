//! Transfer logs of GridFTP servers.
//!
//! | file         | holds                                                          |
//! |--------------|----------------------------------------------------------------|
//! | `scanner`    | bytes to lines, lines to records                               |
//! | `kinds`      | what a line is, and where records begin                        |
//! | `canonical`  | usual netlogger lines, read in one pass                        |
//! | `line`       | their values, one after the other                              |
//! | `usual`      | what they say again and again                                  |
//! | `marks`      | where their values end                                         |
//! | `digits`     | their numbers                                                  |
//! | `netlogger`  | the `KEY=value` form, read with care                           |
//! | `fields`     | its values as a transfer                                       |
//! | `json`       | JSON, read in one pass                                         |
//! | `text`       | the texts in it                                                |
//! | `keys`       | its keys, remembered                                           |
//! | `event`      | the JSON form as a transfer                                    |
//! | `statistics` | what it says of disks, processors and connections              |
//! | `notes`      | numbers, texts and peers, and what is wrong with them          |
//! | `time`       | times                                                          |
//! | `address`    | peers                                                          |
//! | `record`     | `Transfer`, and where it goes                                  |
//! | `unpack`     | gzip, xz and zstd, found out by their magic numbers            |
//! | `reading`    | from a file to records, counted                                |
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
mod kinds;
mod line;
mod marks;
mod netlogger;
mod notes;
pub mod reading;
pub mod record;
pub mod scanner;
mod statistics;
mod text;
pub mod time;
pub mod unpack;
mod usual;

pub use record::{LogFault, LogSink, Transfer};
pub use scanner::Scanner;
