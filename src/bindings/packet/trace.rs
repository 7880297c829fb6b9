//! Classes of the t-stream.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};

use super::frame::{Layout, expect_code};
use super::record::{Record, instance_of, make};
use super::refcount::share;
use super::values::{bytes, int, recent, recent_i32, unsigned};
use crate::bindings::{buffer, fault};
use crate::cursor::cut_at_nul;
use crate::error::{DecodeError, FaultKind, Ignore};
use crate::xrootd::trace::{Trace, TraceRecord};

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// The t-stream: every open, read, write and close, between window marks.
    Buff(records)
}

record! {
    /// A marker that an application set; without its padding.
    AppId(appid)
}

record! {
    /// A file was closed: bytes read and written. Totals of 4 GiB and more lack their low bits.
    Close(rtot, wtot, dictid)
}

record! {
    /// A client disconnected; `buflen`, also called `seconds`, is how long it was connected.
    Disc(flags, buflen, dictid) {
        const ALIASES: &'static [(&'static str, usize)] = &[("seconds", 1)];
    }
}

record! {
    /// A file was opened: its size in bytes.
    Open(filesize, dictid)
}

record! {
    /// A read (`buflen` above 0) or write (below 0) at the offset `val`.
    ReadWrite(val, buflen, dictid) derived (readlen, writelen) {
        fn derive<'py>(py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            let (zero, Some(length)) = (int(py, 0u8), args.get(1)) else { return Ok(Vec::new()) };
            Ok(if length.gt(&zero)? {
                vec![length.clone(), zero]
            } else {
                vec![zero, length.neg()?]
            })
        }
    }
}

record! {
    /// A vector read: number of segments and sum of their lengths.
    Read(readid, count, buflen, dictid) {
        const OPEN: bool = true;
    }
}

record! {
    /// A vector read that is followed by one `ReadWrite` for each segment.
    ReadU(readid, count, buflen, dictid) {
        fn base(py: Python<'_>) -> Option<Bound<'_, PyType>> {
            Read::class().type_object(py).ok()
        }
    }
}

record! {
    /// A vector read whose segments are not listed.
    ReadV(readid, count, buflen, dictid) {
        fn base(py: Python<'_>) -> Option<Bound<'_, PyType>> {
            Read::class().type_object(py).ok()
        }
    }
}

record! {
    /// A window mark: the window before it ended at `end`, the one behind it began at `start`.
    Window(sid, end, start)
}

/// The object for a record; nothing for a close whose shifts are impossible.
#[inline]
pub fn record<'py>(py: Python<'py>, record: &TraceRecord<'_>) -> PyResult<Option<Any<'py>>> {
    let id = |value: u32| recent(py, value.into());
    let object = match *record {
        TraceRecord::ReadWrite { offset, buflen, dictid } => {
            let length = recent_i32(py, buflen);
            let (readlen, writelen) = if buflen > 0 {
                (share(&length), int(py, 0u8))
            } else {
                (int(py, 0u8), recent(py, u64::from(buflen.unsigned_abs())))
            };
            make::<ReadWrite, 5>(py, [int(py, offset), length, id(dictid), readlen, writelen])
        }
        TraceRecord::Open { filesize, dictid, .. } => {
            make::<Open, 2>(py, [unsigned(py, filesize), id(dictid)])
        }
        TraceRecord::Readv { unpacked, readid, count, buflen, dictid, .. } => {
            let fields = [int(py, readid), int(py, count), recent_i32(py, buflen), id(dictid)];
            if unpacked { make::<ReadU, 4>(py, fields) } else { make::<ReadV, 4>(py, fields) }
        }
        TraceRecord::AppId { text, .. } => make::<AppId, 1>(py, [bytes(py, cut_at_nul(text).0)]),
        TraceRecord::Close { dictid, .. } => match record.close_totals() {
            Some((read, written)) => {
                make::<Close, 3>(py, [unsigned(py, read), unsigned(py, written), id(dictid)])
            }
            None => return Ok(None),
        },
        TraceRecord::Disc { flags, seconds, user, .. } => {
            make::<Disc, 3>(py, [int(py, flags), id(seconds), id(user)])
        }
        TraceRecord::Window { sid, end, start, .. } => {
            make::<Window, 3>(py, [recent(py, sid), id(end), id(start)])
        }
        TraceRecord::Unknown { bytes } => {
            super::unknown_record(py, bytes.first().copied().unwrap_or_default(), bytes)
        }
    };
    object.map(Some)
}

/// `Buff` from the body of a packet.
pub fn stream<'py>(py: Python<'py>, trace: &Trace<'_>) -> PyResult<Any<'py>> {
    let records = trace.records();
    let mut objects = Vec::with_capacity(records.len());
    for wire in records {
        if let Some(object) = record(py, &wire)? {
            objects.push(object);
        }
    }
    make::<Buff, 1>(py, [PyList::new(py, objects)?.into_any()])
}

fn one_record<'py, R: Record>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let py = buffer.py();
    let data = buffer::datagram(buffer)?;
    let short = || DecodeError::new(FaultKind::TracePartialRecord, 0, "trace record");
    let Some(wire) = data.as_bytes().first_chunk::<16>() else {
        return Err(fault::exception(py, short()));
    };
    let object = record(py, &TraceRecord::decode(wire))?.ok_or_else(|| {
        let bad = DecodeError::new(FaultKind::TraceBadShift, 0, "close shifts by more than 31");
        fault::exception(py, bad)
    })?;
    instance_of::<R>(object)
}

#[pyfunction(name = "from_record", signature = (record_data, record_code = None))]
fn buff_from_record<'py>(
    record_data: &Any<'py>,
    record_code: Option<&Any<'py>>,
) -> PyResult<Any<'py>> {
    expect_code(record_code, b't')?;
    let data = buffer::datagram(record_data)?;
    stream(record_data.py(), &Trace::decode(data.as_bytes(), &mut Ignore))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let from_record = wrap_pyfunction!(buff_from_record, module)?.into_any();
    Buff::register(module, &[("from_record", from_record)])?;
    let layout = |format| Layout { format, size: Some(16) };
    from_buffer!(module, AppId, one_record::<AppId>, layout("!B 3x 12s"));
    from_buffer!(module, Close, one_record::<Close>, layout("!B B B x I I L"));
    from_buffer!(module, Disc, one_record::<Disc>, layout("!B B 6x I L"));
    from_buffer!(module, Open, one_record::<Open>, layout("!B 7s 4x L"));
    from_buffer!(module, ReadWrite, one_record::<ReadWrite>, layout("!q i L"));
    from_buffer!(module, Read, one_record::<Read>, layout("!B B H 4x i L"));
    from_buffer!(module, ReadU, one_record::<ReadU>, layout("!B B H 4x i L"));
    from_buffer!(module, ReadV, one_record::<ReadV>, layout("!B B H 4x i L"));
    from_buffer!(module, Window, one_record::<Window>, layout("!B x 6s I I"));
    Ok(())
}
