//! The core of gridtap: from packets and log lines to records.
//!
//! Data flows one way: [`capture`] finds datagrams, [`xrootd`] decodes them, [`access`] correlates
//! them into records, [`export`] writes records. The Python module is a thin shell over these.

pub mod access;
pub mod capture;
pub mod cursor;
pub mod error;
pub mod export;
pub mod limits;
pub mod reading;
pub mod xrootd;

#[cfg(feature = "python")]
mod bindings;
