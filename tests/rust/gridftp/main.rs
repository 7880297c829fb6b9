//! Transfer logs: what real servers wrote, every known hazard, damage, and any way to cut them up.

mod canonical;
mod captures;
mod hazards;
mod hostile;
mod json;
mod log;
mod pieces;
