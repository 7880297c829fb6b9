//! The line as today's servers write it, read in one pass.
//!
//! Nearly every line of a netlogger log has all keys in their order, one blank before each, no blank
//! in a value, times of 21 characters, and nothing wrong with it. Such a line is read here, from its
//! first byte to its line feed. What hardly changes from line to line, the server and the sizes of
//! its buffers, is compared with that of the last line instead of being read again.
//!
//! For every other line the answer is `None`, which is no verdict: it is then read with care, by
//! `scanner`, `netlogger` and `fields`. Those are right by definition. What is read here has to be
//! what they would have read, byte by byte, and without a fault: tests/rust/gridftp/canonical.rs and
//! the fuzz target hold them together.

use super::fields::Place;
use super::line::Line;
use super::notes::{seconds, throughput};
use super::record::{LogSink, Transfer};
use super::time::Day;
use super::usual::Usual;

/// Hands over the transfer of the line that `text` begins with. Answers how long the line is, its line
/// feed included.
#[inline(always)]
pub fn deliver<S: LogSink>(
    text: &str,
    place: &Place<'_>,
    usual: &mut Usual,
    day: &mut Day,
    sink: &mut S,
) -> Option<usize> {
    let Usual { server, sizes, peer, retransmits } = usual;
    let mut line = Line::new(text);
    let ended = line.time(b"DATE=", day)?;
    server.read(&mut line)?;
    let started = line.time(b" START=", day)?;
    line.look();
    let user = line.text(b" USER=")?;
    let path = line.text(b" FILE=")?;
    sizes.read(&mut line)?;
    let transferred_bytes = Some(line.number(b" NBYTES=")?);
    line.look();
    let volume = line.text(b" VOLUME=")?;
    let streams = Some(line.few(b" STREAMS=")?);
    let stripes = Some(line.few(b" STRIPES=")?);
    let remote_address = peer.read(&mut line)?;
    let operation = line.text(b" TYPE=")?;
    let code = Some(line.few(b" CODE=")?);
    let has_task = !line.skip(" TASKID=none") && line.is_at(b" TASKID=");
    let task_id = if has_task { line.text(b" TASKID=")? } else { None };
    let has_retransmits = line.is_at(b" retrans=");
    if has_retransmits {
        line.counts(b" retrans=", retransmits)?;
    }
    let length = line.finish()?;
    if ended < started {
        return None;
    }
    let (started, ended) = (Some(started), Some(ended));
    sink.transfer(&Transfer {
        started_at: seconds(started),
        ended_at: seconds(ended),
        operation,
        code,
        host: Some(&*server.host).filter(|host| !host.is_empty()),
        remote_address,
        path,
        transferred_bytes,
        streams,
        stripes,
        tcp_buffer_bytes: Some(sizes.buffer),
        block_bytes: Some(sizes.block),
        user,
        volume,
        program: Some(&*server.program).filter(|program| !program.is_empty()),
        event: Some(&*server.event).filter(|event| !event.is_empty()),
        task_id,
        retransmits: has_retransmits.then_some(retransmits),
        throughput_bps: throughput(transferred_bytes, started, ended),
        log_file: place.file,
        log_line: Some(place.line as i64),
        log_offset_bytes: Some(place.offset as i64),
        ..Transfer::default()
    });
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gridftp::record::LogFault;

    #[derive(Default)]
    struct Paths(Vec<Option<String>>);

    impl LogSink for Paths {
        fn transfer(&mut self, transfer: &Transfer<'_>) {
            self.0.push(transfer.path.map(str::to_owned));
        }

        fn fault(&mut self, fault: &LogFault) {
            panic!("{fault:?}");
        }
    }

    const LINE: &str = "DATE=20240312082208.000000 HOST=dtn1.example.net \
                        PROG=globus-gridftp-server NL.EVNT=FTP_INFO START=20240312082200.000000 \
                        USER=alice FILE=/a BUFFER=4194304 BLOCK=262144 NBYTES=1000000000 VOLUME=/ \
                        STREAMS=2 STRIPES=1 DEST=[203.0.113.25] TYPE=RETR CODE=226 TASKID=none \
                        retrans=1,0";

    fn is_read(line: &str) -> bool {
        let mut paths = Paths::default();
        let place = Place { file: None, line: 1, offset: 0 };
        let (mut usual, mut day) = (Usual::default(), Day::default());
        let length = deliver(line, &place, &mut usual, &mut day, &mut paths);
        assert!(length.is_none_or(|length| line.as_bytes().get(length - 1) == Some(&b'\n')));
        assert_eq!(paths.0.len(), usize::from(length.is_some()));
        length.is_some()
    }

    #[test]
    fn usual_lines_are_read() {
        for (from, to) in [
            ("", ""),
            (" retrans=1,0", ""),
            (" TASKID=none", ""),
            ("TASKID=none", "TASKID=8c1d6c4a-5f02-11ee"),
            (" TASKID=none retrans=1,0", ""),
            ("FILE=/a", "FILE="),
            ("FILE=/a", "FILE=/Müller/k=v"),
            ("203.0.113.25", "2001:DB8::7"),
            ("203.0.113.25", "0.0.0.0"),
            ("retrans=1,0", "retrans=1,0\r"),
            ("retrans=1,0", "retrans=-1,123456,-1"),
        ] {
            let line = LINE.replacen(from, to, 1);
            assert!(is_read(&format!("{line}\n")), "{line}");
            assert!(is_read(&format!("{line}\n{line}\n")), "{line}");
            assert!(!is_read(&line), "it has no end");
        }
    }

    #[test]
    fn other_lines_are_left_alone() {
        for (from, to) in [
            ("DATE=", "x DATE="),
            ("FILE=/a", "FILE=/a b"),
            ("FILE=/a", "FILE=/a\tb"),
            (".000000", ".0"),
            ("DATE=2024", "DATE=2023"),
            ("NBYTES=1000000000", "NBYTES=-1"),
            ("203.0.113.25", "client.example.org"),
            ("retrans=1,0", "retrans=-2"),
            ("retrans=1,0", "retrans=-12"),
            ("retrans=1,0", "retrans=1,,0"),
            ("retrans=1,0", "retrans=1,0 color=blue"),
            ("TASKID=none", "TASKID=none "),
            ("STRIPES=1 ", ""),
        ] {
            let line = LINE.replacen(from, to, 1);
            assert!(!is_read(&format!("{line}\n")), "{line}");
        }
    }
}
