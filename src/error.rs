//! Faults: what was wrong with a datagram, where, and what it cost.
//!
//! Malformed input is data here, not an exception. A decoder hands out what it could read
//! and, beside it, one [`DecodeError`] for each thing that was wrong. It holds no input
//! bytes and no heap, so a flood of bad packets costs nothing but counting.

use std::fmt;

/// What a fault cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The datagram was not decoded.
    Dropped,
    /// A record, or the rest of the packet behind it, was lost; what came before was kept.
    Lost,
    /// Delivered as decoded, with this remark.
    Flagged,
}

macro_rules! fault_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $severity:ident;)*) => {
        /// One kind of fault. The name is the same in Rust, Python, metric labels and docs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum FaultKind { $($(#[$doc])* $kind,)* }

        impl FaultKind {
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$kind,)*];

            /// The stable name used in output, metrics and documentation.
            pub fn name(self) -> &'static str {
                match self { $(FaultKind::$kind => $name,)* }
            }

            pub fn severity(self) -> Severity {
                match self { $(FaultKind::$kind => Severity::$severity,)* }
            }
        }
    };
}

fault_kinds! {
    /// A datagram without a byte.
    EmptyDatagram = "empty_datagram", Dropped;
    /// A binary datagram shorter than its 8-byte header.
    ShortHeader = "short_header", Dropped;
    /// `plen` is smaller than the header it counts.
    BadPacketLength = "bad_packet_length", Dropped;
    /// `plen` is larger than the datagram: cut by a relay, a small buffer or a snapshot length.
    TruncatedDatagram = "truncated_datagram", Dropped;
    /// Bytes behind `plen`.
    SurplusBytes = "surplus_bytes", Flagged;
    /// A packet code nobody has defined.
    UnknownCode = "unknown_code", Flagged;
    /// `stod` is 0: no process started in 1970.
    BadStartTime = "bad_start_time", Flagged;
    /// A map without room for its dictid.
    ShortMap = "short_map", Dropped;
    /// The sender cut the map's text; memory of the server follows the NUL.
    TruncatedMap = "truncated_map", Flagged;
    /// A key whose value should be a number is not.
    BadNumber = "bad_number", Flagged;
    /// A t-stream body that is not a multiple of 16 bytes.
    TracePartialRecord = "trace_partial_record", Lost;
    /// A t-stream packet without a record.
    TraceNoRecords = "trace_no_records", Flagged;
    /// A t-stream packet that does not begin and end with a window mark.
    TraceNoWindow = "trace_no_window", Flagged;
    /// A t-stream record type nobody has defined.
    TraceUnknownRecord = "trace_unknown_record", Flagged;
    /// A t-stream close whose shift is above 31.
    TraceBadShift = "trace_bad_shift", Lost;
    /// An r-stream packet without its server identification.
    RedirectNoServer = "redirect_no_server", Dropped;
    /// An r-stream body that is not a multiple of 8 bytes.
    RedirectPartialEntry = "redirect_partial_entry", Lost;
    /// An r-stream entry type below 0x80 that is not a time mark.
    RedirectBadEntry = "redirect_bad_entry", Lost;
    /// An r-stream entry that reaches past the packet.
    RedirectOverrun = "redirect_overrun", Lost;
    /// An r-stream entry that says it has no text.
    RedirectNoText = "redirect_no_text", Flagged;
    /// An r-stream text without a colon between server and path.
    RedirectNoColon = "redirect_no_colon", Flagged;
    /// An f-stream packet without room for one record.
    ShortFstat = "short_fstat", Dropped;
    /// An f-stream packet that does not begin with its time record.
    FstatNoTime = "fstat_no_time", Flagged;
    /// An f-stream record size below 8, or past the packet.
    FstatRecordOverrun = "fstat_record_overrun", Lost;
    /// An f-stream record too small for its type and flags.
    FstatRecordSize = "fstat_record_size", Lost;
    /// An f-stream record type nobody has defined.
    FstatUnknownRecord = "fstat_unknown_record", Flagged;
    /// An f-stream close with sums of squares but without counts.
    FstatSquaresWithoutCounts = "fstat_squares_without_counts", Flagged;
    /// The record counts of the time record are not what was found.
    FstatCountMismatch = "fstat_count_mismatch", Flagged;
    /// A window, or a transfer, that ends before it begins.
    ClockStep = "clock_step", Flagged;
    /// A sum of squares that is negative, infinite or not a number.
    BadSumOfSquares = "bad_sum_of_squares", Flagged;
    /// A count or byte total below zero.
    NegativeCount = "negative_count", Flagged;
    /// A binary g-stream packet without its 24-byte header.
    ShortGstream = "short_gstream", Dropped;
    /// A g-stream line that is not a JSON object.
    BadEventLine = "bad_event_line", Flagged;
    /// A text g-stream header without a field that it must have.
    BadTextHeader = "bad_text_header", Dropped;
    /// A summary report that is not well-formed; the tolerant scanner read it.
    MalformedSummary = "malformed_summary", Flagged;
    /// A text that begins like a summary report and is none.
    NotStatistics = "not_statistics", Dropped;
    /// Bytes between the packets of a raw dump.
    LostFraming = "lost_framing", Lost;
    /// A line of a bus file that is not an envelope.
    BadEnvelope = "bad_envelope", Dropped;
    /// A captured frame that holds no UDP datagram.
    BadFrame = "bad_frame", Dropped;
    /// The capture file itself ends early or contradicts itself.
    BadCapture = "bad_capture", Dropped;
    /// IP fragments whose rest never came.
    MissingFragments = "missing_fragments", Dropped;
    /// A line of a transfer log that is neither a record nor anything else that a server logs.
    NotARecord = "not_a_record", Dropped;
    /// A record of a transfer log without its end (servers cut at 4,095 bytes) or with damaged keys.
    CutRecord = "cut_record", Dropped;
    /// A line that begins like a JSON record and is not valid JSON.
    BadJson = "bad_json", Dropped;
    /// A line longer than any record; it was skipped without being kept.
    LongLine = "long_line", Dropped;
    /// The last line of a log has no line feed: its end is still to be written, or was lost.
    UnfinishedLine = "unfinished_line", Dropped;
    /// A time that cannot be: null, its text is in `extra`.
    BadTime = "bad_time", Flagged;
    /// A peer that is no IP address: null, its text is in `extra`.
    BadAddress = "bad_address", Flagged;
    /// A text of a log that is not UTF-8: what is wrong in it is shown as U+FFFD.
    BadEncoding = "bad_encoding", Flagged;
    /// Fewer than six digits of a second, read as a count of microseconds; said once a log.
    UnpaddedFraction = "unpadded_fraction", Flagged;
    /// A compressed log that is damaged or ends early; what came before was read.
    BadCompression = "bad_compression", Lost;
}

/// A fault with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    pub kind: FaultKind,
    /// Byte offset in the datagram (in the file, for faults of the file itself).
    pub offset: u32,
    /// What was being read, for people.
    pub context: &'static str,
}

impl DecodeError {
    pub fn new(kind: FaultKind, offset: usize, context: &'static str) -> Self {
        Self { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX), context }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.kind.name(), self.offset, self.context)
    }
}

impl std::error::Error for DecodeError {}

/// Where a decoder puts the faults it meets.
pub trait Faults {
    fn fault(&mut self, error: DecodeError);
}

impl Faults for Vec<DecodeError> {
    fn fault(&mut self, error: DecodeError) {
        self.push(error);
    }
}

/// For callers that only want what could be decoded.
pub struct Ignore;

impl Faults for Ignore {
    fn fault(&mut self, _: DecodeError) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultKind::ALL.len());
    }

    #[test]
    fn a_fault_is_small() {
        assert!(size_of::<DecodeError>() <= 24);
    }
}
