//! The collector over real sockets of the loopback interface.

mod captures;
// Shared with the tests of correlation, which use all of it.
#[allow(dead_code)]
#[path = "../access/feed.rs"]
mod feed;
mod gate;
mod life;
mod receiving;
mod restart;
mod rig;
mod sharding;
