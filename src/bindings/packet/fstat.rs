//! Classes of the f-stream.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::frame::{Layout, expect_code};
use super::record::{Getter, Record, field, instance_of, make};
use super::values::{bytes, float, int, none, optional, optional_bytes, recent};
use crate::bindings::buffer;
use crate::bindings::fault::{self, LastFault};
use crate::cursor::Block;
use crate::error::{DecodeError, FaultKind};
use crate::xrootd::SID_MASK;
use crate::xrootd::fstat::{
    FileCls, FileErr, FileOpn, FileRecord, FileTod, FileXfr, Fstat as Stream, StatErr as WireErr,
    StatOps, StatSsq,
};

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// The f-stream: one open and one close for each file access, behind the window they belong to.
    Fstat(tod, records) derived (start, end) {
        fn derive<'py>(py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            match args.first() {
                Some(tod) if !tod.is_none() => Ok(vec![tod.getattr("start")?, tod.getattr("end")?]),
                _ => Ok(vec![none(py), none(py)]),
            }
        }
    }
}

record! {
    /// The window of the records behind it, UNIX seconds; `sid` is None from servers before 4.4.0.
    FileTOD(flags, records_xfr, records_total, start, end, sid)
}

record! {
    /// A client disconnected.
    FileDSC(flags, dictid)
}

record! {
    /// A file was opened. `user` and `lfn` are None if the server does not send names.
    FileOPN(flags, size, fileid, filesize; user = None, lfn = None) {
        const ALIASES: &'static [(&'static str, usize)] = &[("fsz", 3)];
        const GETTERS: &'static [Getter] = &[Getter { name: c"ufn", get: name_view }];
    }
}

record! {
    /// The user and the name of an open, as the structure on the wire groups them.
    FileLFNView(_file_opn) derived (user, lfn) {
        fn derive<'py>(_py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            attributes(args.first(), &["user", "lfn"])
        }
    }
}

record! {
    /// Counts and extremes of the operations of one access; sizes in bytes.
    StatOPS(read, readv, write, rsmin, rsmax, rsegs, rdmin, rdmax, rvmin, rvmax, wrmin, wrmax)
}

record! {
    /// Sums of the squared sizes of the operations of one access.
    StatSSQ(read, readv, rsegs, write)
}

record! {
    /// Why an operation failed: XRootD error code, category (1 open, 2 read, 3 write, 4 close, 5
    /// authorization) and message.
    StatERR(code, category, message)
}

record! {
    /// A file was closed: bytes moved, and what the server was configured to count.
    FileCLS(flags, size, fileid, read, readv, write, ops, ssq; err = None) {
        const GETTERS: &'static [Getter] =
            &[Getter { name: c"xfr", get: |record| transfer_view::<FileCLS>(record, 3) }];
    }
}

record! {
    /// Bytes moved so far for a file that is still open.
    FileXFR(flags, fileid, read, readv, write) {
        const GETTERS: &'static [Getter] =
            &[Getter { name: c"xfr", get: |record| transfer_view::<FileXFR>(record, 2) }];
    }
}

record! {
    /// The byte totals of a record, as the structure on the wire groups them.
    StatXFRView(_file_struct) derived (read, readv, write) {
        fn derive<'py>(_py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            attributes(args.first(), &["read", "readv", "write"])
        }
    }
}

record! {
    /// An operation that failed without a close of its own, such as a denied open.
    FileERR(flags, size, fileid, err; user = None, lfn = None)
}

fn attributes<'py>(object: Option<&Any<'py>>, names: &[&str]) -> PyResult<Vec<Any<'py>>> {
    let Some(object) = object else { return Ok(Vec::new()) };
    names.iter().map(|name| object.getattr(*name)).collect()
}

fn transfer_view<'py, R: Record>(record: &Any<'py>, first: usize) -> PyResult<Any<'py>> {
    let total = |at| field::<R>(record, first + at);
    make::<StatXFRView, 4>(record.py(), [record.clone(), total(0)?, total(1)?, total(2)?])
}

fn name_view<'py>(record: &Any<'py>) -> PyResult<Any<'py>> {
    let (user, lfn) = (field::<FileOPN>(record, 4)?, field::<FileOPN>(record, 5)?);
    if lfn.is_none() {
        return Ok(lfn);
    }
    make::<FileLFNView, 3>(record.py(), [record.clone(), user, lfn])
}

fn window<'py>(py: Python<'py>, tod: &FileTod) -> PyResult<Any<'py>> {
    make::<FileTOD, 6>(
        py,
        [
            int(py, tod.flags),
            int(py, tod.records_xfr),
            int(py, tod.records_total),
            recent(py, tod.start.into()),
            recent(py, tod.end.into()),
            optional(py, tod.sid, |py, sid| recent(py, sid & SID_MASK)),
        ],
    )
}

fn open<'py>(py: Python<'py>, open: &FileOpn<'_>) -> PyResult<Any<'py>> {
    make::<FileOPN, 6>(
        py,
        [
            int(py, open.flags),
            int(py, open.size),
            recent(py, open.fileid.into()),
            int(py, open.filesize),
            optional(py, open.user, |py, user| recent(py, user.into())),
            optional_bytes(py, open.lfn),
        ],
    )
}

fn close<'py>(py: Python<'py>, close: &FileCls<'_>) -> PyResult<Any<'py>> {
    let ops = close.ops().map_or_else(|| Ok(none(py)), |ops| counts(py, &ops))?;
    let ssq = close.ssq().map_or_else(|| Ok(none(py)), |ssq| squares(py, &ssq))?;
    let err = close.err().map_or_else(|| Ok(none(py)), |err| failure(py, &err))?;
    make::<FileCLS, 9>(
        py,
        [
            int(py, close.flags),
            int(py, close.size),
            recent(py, close.fileid.into()),
            int(py, close.xfr.read()),
            int(py, close.xfr.readv()),
            int(py, close.xfr.write()),
            ops,
            ssq,
            err,
        ],
    )
}

fn transfer<'py>(py: Python<'py>, transfer: &FileXfr<'_>) -> PyResult<Any<'py>> {
    make::<FileXFR, 5>(
        py,
        [
            int(py, transfer.flags),
            recent(py, transfer.fileid.into()),
            int(py, transfer.xfr.read()),
            int(py, transfer.xfr.readv()),
            int(py, transfer.xfr.write()),
        ],
    )
}

fn counts<'py>(py: Python<'py>, ops: &StatOps) -> PyResult<Any<'py>> {
    make::<StatOPS, 12>(
        py,
        [
            int(py, ops.read),
            int(py, ops.readv),
            int(py, ops.write),
            int(py, ops.rsmin),
            int(py, ops.rsmax),
            int(py, ops.rsegs),
            super::values::recent_i32(py, ops.rdmin),
            super::values::recent_i32(py, ops.rdmax),
            super::values::recent_i32(py, ops.rvmin),
            super::values::recent_i32(py, ops.rvmax),
            super::values::recent_i32(py, ops.wrmin),
            super::values::recent_i32(py, ops.wrmax),
        ],
    )
}

fn squares<'py>(py: Python<'py>, ssq: &StatSsq) -> PyResult<Any<'py>> {
    make::<StatSSQ, 4>(
        py,
        [float(py, ssq.read), float(py, ssq.readv), float(py, ssq.rsegs), float(py, ssq.write)],
    )
}

fn failure<'py>(py: Python<'py>, err: &WireErr<'_>) -> PyResult<Any<'py>> {
    make::<StatERR, 3>(py, [int(py, err.code), int(py, err.category), bytes(py, err.message)])
}

fn refusal<'py>(py: Python<'py>, error: &FileErr<'_>) -> PyResult<Any<'py>> {
    make::<FileERR, 6>(
        py,
        [
            int(py, error.flags),
            int(py, error.size),
            recent(py, error.fileid.into()),
            failure(py, &error.err)?,
            optional(py, error.user, |py, user| recent(py, user.into())),
            optional_bytes(py, error.lfn),
        ],
    )
}

#[inline]
fn record<'py>(py: Python<'py>, record: &FileRecord<'_>) -> PyResult<Any<'py>> {
    match record {
        FileRecord::Close(record) => close(py, record),
        FileRecord::Open(record) => open(py, record),
        FileRecord::Time(record) => window(py, record),
        FileRecord::Transfer(record) => transfer(py, record),
        FileRecord::Disconnect(record) => {
            make::<FileDSC, 2>(py, [int(py, record.flags), recent(py, record.user.into())])
        }
        FileRecord::Error(record) => refusal(py, record),
        FileRecord::Unknown(record) => super::unknown_record(py, record.kind, record.bytes),
    }
}

/// `Fstat` from the body of a packet. Records that cannot be decoded are left out.
pub fn stream<'py>(py: Python<'py>, stream: &Stream<'_>) -> PyResult<Any<'py>> {
    let mut records = stream.records();
    let mut objects = Vec::new();
    let mut tod = none(py);
    let (mut start, mut end) = (none(py), none(py));
    match records.next() {
        Some(Ok(FileRecord::Time(first))) => {
            objects.reserve(first.records_total.min(MOST_RECORDS).into());
            tod = window(py, &first)?;
            (start, end) = (recent(py, first.start.into()), recent(py, first.end.into()));
        }
        Some(Ok(first)) => objects.push(record(py, &first)?),
        _ => {}
    }
    for wire in records.flatten() {
        objects.push(record(py, &wire)?);
    }
    make::<Fstat, 4>(py, [tod, PyList::new(py, objects)?.into_any(), start, end])
}

/// A packet with more records grows its list; the count is only a claim.
const MOST_RECORDS: u16 = 64;

fn one_record<'py, R: Record>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let py = buffer.py();
    let data = buffer::datagram(buffer)?;
    let mut faults = LastFault::default();
    let Some(stream) = Stream::decode(data.as_bytes(), &mut faults) else {
        return Err(faults.exception(py));
    };
    let object = match stream.records().next() {
        Some(Ok(wire)) => record(py, &wire)?,
        Some(Err(error)) => return Err(fault::exception(py, error)),
        None => return Err(faults.exception(py)),
    };
    instance_of::<R>(object)
}

fn block<'py, const N: usize>(
    buffer: &Any<'py>,
    convert: impl FnOnce(Python<'py>, Block<'_, N>) -> PyResult<Any<'py>>,
) -> PyResult<Any<'py>> {
    let py = buffer.py();
    let data = buffer::datagram(buffer)?;
    match Block::first(data.as_bytes()) {
        Some(block) => convert(py, block),
        None => {
            let short = DecodeError::new(FaultKind::FstatRecordSize, 0, "statistics block");
            Err(fault::exception(py, short))
        }
    }
}

fn one_counts<'py>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    block(buffer, |py, block| counts(py, &StatOps::decode(block)))
}

fn one_squares<'py>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    block(buffer, |py, block| squares(py, &StatSsq::decode(block)))
}

#[pyfunction(name = "from_record", signature = (record_data, record_code = None))]
fn fstat_from_record<'py>(
    record_data: &Any<'py>,
    record_code: Option<&Any<'py>>,
) -> PyResult<Any<'py>> {
    expect_code(record_code, b'f')?;
    let data = buffer::datagram(record_data)?;
    let mut faults = LastFault::default();
    match Stream::decode(data.as_bytes(), &mut faults) {
        Some(found) => stream(record_data.py(), &found),
        None => Err(faults.exception(record_data.py())),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let from_record = wrap_pyfunction!(fstat_from_record, module)?.into_any();
    Fstat::register(module, &[("from_record", from_record)])?;
    let layout = |format, size| Layout { format, size };
    from_buffer!(module, FileTOD, one_record::<FileTOD>, layout("!B B H H H L L Q", Some(24)));
    from_buffer!(module, FileDSC, one_record::<FileDSC>, layout("!B B H L", Some(8)));
    from_buffer!(module, FileOPN, one_record::<FileOPN>, layout("!B B H L q", None));
    from_buffer!(module, FileCLS, one_record::<FileCLS>, layout("!B B H L q q q", None));
    from_buffer!(module, FileXFR, one_record::<FileXFR>, layout("!B B H L q q q", Some(32)));
    from_buffer!(module, FileERR, one_record::<FileERR>, layout("!B B H L", None));
    from_buffer!(module, StatOPS, one_counts, layout("!3l h h q 6l", Some(48)));
    from_buffer!(module, StatSSQ, one_squares, layout("!4d", Some(32)));
    StatERR::register(module, &[])?;
    StatXFRView::register(module, &[])?;
    FileLFNView::register(module, &[])
}
