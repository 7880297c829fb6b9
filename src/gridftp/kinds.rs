//! What a line is, and where in it records are.

use memchr::{memmem, memrchr};

use super::netlogger::{Fields, next_record};

/// What stands before a record in a server's log.
const IN_SERVER_LOG: &[u8] = b"Transfer stats: ";

/// Where the first record of a line begins, even if its date is damaged.
pub fn first_record(line: &[u8]) -> Option<usize> {
    if line.starts_with(b"DATE=") {
        return Some(0);
    }
    let told = memmem::find(line, b"Transfer stats: DATE=").map(|at| at + IN_SERVER_LOG.len());
    match (told, next_record(line, 0)) {
        (Some(told), Some(next)) => Some(told.min(next)),
        (told, next) => told.or(next),
    }
}

/// Reads one record, which may be followed by what a server's log or syslog puts before the next.
pub fn read_one(record: &[u8]) -> Option<Fields<'_>> {
    Fields::tolerant(record).or_else(|| {
        let rest = record.strip_suffix(IN_SERVER_LOG.trim_ascii_end())?;
        let bracket = if rest.trim_ascii_end().ends_with(b"::") { b'[' } else { b'<' };
        Fields::tolerant(rest.get(..memrchr(bracket, rest)?)?.trim_ascii_end())
    })
}

/// Whether a line begins as a server's log, syslog, or the newer event log has it.
pub fn is_server_log(line: &[u8]) -> bool {
    let framed = |first: u8, last: u8| {
        let Some((begin, inside)) = line.split_first() else { return false };
        let digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *begin == first && digits > 0 && inside.get(digits) == Some(&last)
    };
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let is_month = |name: &[u8; 3]| MONTHS.as_chunks::<3>().0.contains(name);
    framed(b'[', b']')
        || framed(b'<', b'>')
        || line.starts_with(b"ts=")
        || matches!(line, [y, m, c, d, b'-', ..] if [y, m, c, d].iter().all(|b| b.is_ascii_digit()))
        || (line.first_chunk::<3>().is_some_and(is_month) && line.get(3) == Some(&b' '))
}

/// Whether a line is UTF-8 without control characters.
pub fn is_text(line: &[u8]) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    !line.iter().any(is_control) && str::from_utf8(line).is_ok()
}
