//! What the state may hold, and for how long.

use super::sequence::{Micros, SECOND};
use crate::limits;

/// Ceilings and waits.
#[derive(Clone, Debug)]
pub struct Config {
    pub max_open_files: usize,
    pub max_named_files: usize,
    pub max_sessions: usize,
    pub max_servers: usize,
    /// Bytes of all tables and of what their rows point to.
    pub max_bytes: usize,
    /// An open file without a record for so long is given up (`expired`).
    pub file_ttl: Micros,
    pub session_ttl: Micros,
    pub server_ttl: Micros,
    /// How long a closed file waits for an open or for maps that have not come yet (those of a login
    /// younger than this always may), and a disconnected login for closes; at least, for longer
    /// f-stream windows get more.
    pub late_grace: Micros,
    /// How long an old incarnation stays after a new one was seen.
    pub restart_grace: Micros,
    /// How long a close of the t-stream waits for the better one of the f-stream.
    pub trace_wait: Micros,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_open_files: limits::MAX_OPEN_FILES,
            max_named_files: limits::MAX_NAMED_FILES,
            max_sessions: limits::MAX_SESSIONS,
            max_servers: limits::MAX_SERVERS,
            max_bytes: usize::MAX,
            file_ttl: 24 * 3600 * SECOND,
            session_ttl: 24 * 3600 * SECOND,
            server_ttl: 24 * 3600 * SECOND,
            late_grace: 5 * SECOND,
            restart_grace: 60 * SECOND,
            trace_wait: 300 * SECOND,
        }
    }
}
