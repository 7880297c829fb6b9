//! The wire: what XRootD servers send about every login, open, read, write and close.
//!
//! | file       | holds                                                                |
//! |------------|----------------------------------------------------------------------|
//! | `header`   | the 8 bytes before every binary packet                               |
//! | `userid`   | the connection descriptor in every map                               |
//! | `cgi`      | `&key=value` texts that nobody escapes                               |
//! | `map`      | codes `= d i u T U x p`: the frame of a dictionary entry             |
//! | `payload`  | what each kind of map says                                           |
//! | `fstat`    | code `f`: one open and one close for each file access                |
//! | `trace`    | code `t`: every request                                              |
//! | `redirect` | code `r`: where clients were sent                                    |
//! | `gstream`  | code `g`: events of plug-ins, binary framing                         |
//! | `gtext`    | the same events in their text framings                               |
//! | `event`    | one event, typed by its provider                                     |
//! | `summary`  | `xrd.report` counters, XML and JSON                                  |
//! | `packet`   | a datagram, whatever it holds                                        |
//!
//! All of it is the protocol of XRootD 6.1.0 with its history back to 3.0.0; the source files that
//! define it are named in each module and are all in the public XRootD source tree. Numbers are
//! big-endian. Structs borrow the datagram; nothing here allocates but JSON and XML.

pub mod cgi;
pub mod event;
pub mod fstat;
pub mod gstream;
pub mod gtext;
pub mod header;
pub mod map;
pub mod packet;
pub mod payload;
pub mod redirect;
pub mod summary;
pub mod trace;
pub mod userid;

pub use header::Header;
pub use packet::{Body, Message, Packet};

/// Only the low 48 bits of the 8 bytes around a server id are the id.
pub const SID_MASK: u64 = 0x0000_ffff_ffff_ffff;
