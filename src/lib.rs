//! The core of gridtap: from packets and log lines to records.
//!
//! Data flows one way: [`capture`] finds datagrams, [`xrootd`] decodes them, [`access`] correlates
//! them into records, [`export`] writes records. [`gridftp`] reads transfer logs, and
//! [`send`] puts datagrams on the network again. The Python module is a thin shell over these.

pub mod access;
pub mod capture;
pub mod collect;
pub mod columns;
pub mod cursor;
pub mod error;
pub mod export;
pub mod gridftp;
pub mod limits;
pub mod quote;
pub mod reading;
pub mod send;
pub mod xrootd;

#[cfg(feature = "python")]
mod bindings;
