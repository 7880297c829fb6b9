//! Records in the forms of other collectors: known packets, hostile ones, and any record at all.

// A whole record as one `json!` is deeper than the default.
#![recursion_limit = "512"]

mod captures;
mod datagrams;
mod defects;
mod feed;
mod filters;
mod generated;
mod golden;
mod hostile;
mod opentelemetry;
