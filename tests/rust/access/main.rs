//! What comes out of the correlator for packets in every order and with every kind of damage.

// A whole record as one `json!` is deeper than the default.
#![recursion_limit = "512"]

mod bounds;
mod budget;
mod chaos;
mod ends;
mod events;
mod feed;
mod golden;
mod identity;
mod joins;
mod losses;
mod orders;
mod sessions;
mod snapshots;
mod stamps;
mod traces;
