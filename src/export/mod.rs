//! Records as text and as columns.
//!
//! | file    | holds                                             |
//! |---------|---------------------------------------------------|
//! | `json`  | one JSON object a line, every key always there    |
//! | `csv`   | one header line, then one line a record           |
//! | `arrow` | record batches for whoever speaks Arrow           |
//! | `table` | columns for people to look at                     |

pub mod arrow;
pub mod csv;
pub mod json;
pub mod table;
