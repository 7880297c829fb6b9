//! Records as text and as columns.
//!
//! | file        | holds                                           |
//! |-------------|-------------------------------------------------|
//! | `json`      | one JSON object a line, every key always there  |
//! | `fragments` | parts of such lines that come again             |
//! | `line`      | one such line while it is put together          |
//! | `csv`       | one header line, then one line a record         |
//! | `arrow`     | record batches for whoever speaks Arrow         |
//! | `table`     | columns for people to look at                   |
//! | `profile`   | records as other collectors send them           |
//! | `filter`    | which records a sink takes                      |

pub mod arrow;
pub mod csv;
mod date;
pub mod filter;
mod fragments;
pub mod json;
mod line;
pub mod profile;
pub mod table;
