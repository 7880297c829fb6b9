//! Every ceiling on untrusted input, with the reason for the number.

/// Largest datagram: `plen` has 16 bits, and no UDP payload is longer (65,527 bytes on IPv6).
pub const MAX_DATAGRAM: usize = 65_535;

/// Deepest JSON nesting of a g-stream event. Real events have two levels; deeper ones stay raw
/// so that a hostile line cannot grow the stack.
pub const MAX_JSON_DEPTH: usize = 64;

/// Longest line of a file of bus envelopes: a full datagram in base64 plus keys and a generous
/// sender name. A longer line is skipped without being kept.
pub const MAX_ENVELOPE_LINE: usize = 128 * 1024;

/// Largest frame of a capture, or block of a pcapng file that has to be read as a whole. Packet
/// capture libraries stop at 256 KiB; a longer one is a damaged length.
pub const MAX_CAPTURE_BLOCK: usize = 1024 * 1024;

/// Interfaces of one pcapng section. A host has a few dozen.
pub const MAX_INTERFACES: usize = 4096;

/// Datagrams of which only some IP fragments have come; the oldest is forgotten. Each is at most
/// 64 KiB, and the fragments of one usually come together.
pub const MAX_WAITING_FRAGMENTS: usize = 64;

/// Open files kept at once, over all servers.
pub const MAX_OPEN_FILES: usize = 1_000_000;

/// Paths announced by `d` maps for files that nothing else has mentioned yet.
pub const MAX_NAMED_FILES: usize = 1_000_000;

/// Login sessions kept at once, over all servers.
pub const MAX_SESSIONS: usize = 1_000_000;

/// Server incarnations kept at once: the largest federations have a few thousand servers, and a
/// spoofer must not be able to buy memory with start times.
pub const MAX_SERVERS: usize = 10_000;

/// Processes whose last summary report is kept to compare the next one with: as many as servers.
pub const MAX_SUMMARY_SOURCES: usize = MAX_SERVERS;

/// File ids remembered after their record went out, so that the second copy of a t-stream close
/// (some servers send two) is not taken for another file.
pub const MAX_CLOSED_IDS: usize = 65_536;

/// Longest line of a transfer log, or piece of one between two records. Servers write records of
/// 4,095 bytes at most; JSON ones grow with their streams, a few hundred bytes each.
pub const MAX_LOG_LINE: usize = 1024 * 1024;

/// Deepest nesting of a JSON transfer record. Real ones have four levels.
pub const MAX_RECORD_DEPTH: usize = 32;

/// Most memory that a compressed log may claim to need, in KiB. The strongest settings that are in
/// use take 64 MiB (`xz -9`) and 128 MiB (`zstd --ultra -22`).
pub const MAX_DICTIONARY_KIB: u32 = 192 * 1024;

/// Sockets of a replay, each for one original sender; more senders share them. A process may open
/// 1024 files by default.
pub const MAX_REPLAY_SOCKETS: usize = 512;
