//! Classes of the r-stream.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};

use super::frame::{Layout, expect_code};
use super::record::{Getter, Record, field, instance_of, make};
use super::values::{self, boolean, bytes, int, none, optional_bytes, recent};
use crate::bindings::buffer;
use crate::bindings::fault::{self, LastFault};
use crate::xrootd::redirect::{Redirect as WireRedirect, RedirectEntry, Redirects};

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// The r-stream: where clients were sent, between window marks.
    Burr(sid, records) derived (start, end) {
        fn derive<'py>(py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            let Some(records) = args.get(1) else { return Ok(Vec::new()) };
            let records = records.cast::<PyList>()?;
            let time = |record: Option<Any<'py>>| match record {
                Some(record) if record.hasattr("timestamp")? => record.getattr("timestamp"),
                _ => Ok(none(py)),
            };
            let last = records.len().saturating_sub(1);
            Ok(vec![time(records.get_item(0).ok())?, time(records.get_item(last).ok())?])
        }
    }
}

record! {
    /// Identification of the server that sends the packet.
    ServerIdent(sid)
}

record! {
    /// A tick of the sender's clock, UNIX seconds. `prev_duration`, also called `window`, is the
    /// configured length of every window, not what the last one took.
    WindowMark(timestamp, prev_duration) {
        const ALIASES: &'static [(&'static str, usize)] = &[("window", 1)];
        const GETTERS: &'static [Getter] = &[
            Getter { name: c"arg0", get: |mark| mark_view::<WindowMarkArg0View>(mark, 1) },
            Getter { name: c"arg1", get: |mark| mark_view::<WindowMarkArg1View>(mark, 0) },
        ];
    }
}

record! {
    /// The first half of a window mark.
    WindowMarkArg0View(_window) derived (window) {
        fn derive<'py>(_py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            args.first().map(|mark| mark.getattr("prev_duration")).into_iter().collect()
        }
    }
}

record! {
    /// The second half of a window mark.
    WindowMarkArg1View(_window) derived (window) {
        fn derive<'py>(_py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            args.first().map(|mark| mark.getattr("timestamp")).into_iter().collect()
        }
    }
}

record! {
    /// A client was sent elsewhere. `type` says who decided, `subtype` what was asked for; `dent`
    /// counts the 8-byte units behind the first; an empty `server` is a redirection to a local file.
    Redirect(type, subtype, dent, port, dictid, server, path) derived (size, local) {
        const GETTERS: &'static [Getter] = &[
            Getter { name: c"arg0", get: first_view },
            Getter { name: c"arg1", get: second_view },
        ];

        fn derive<'py>(py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            let (Some(dent), Some(server)) = (args.get(2), args.get(5)) else {
                return Ok(Vec::new());
            };
            let local = !server.is_none() && !server.is_truthy()?;
            Ok(vec![dent.add(1)?.mul(8)?, boolean(py, local)])
        }
    }
}

record! {
    /// The first half of a redirect's fixed part.
    RedirectArg0View(_redirect) derived (type, dent, port) {
        fn derive<'py>(_py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            let Some(redirect) = args.first() else { return Ok(Vec::new()) };
            let kind = redirect.getattr("type")?.bitor(redirect.getattr("subtype")?)?;
            Ok(vec![kind, redirect.getattr("dent")?, redirect.getattr("port")?])
        }
    }
}

record! {
    /// The second half of a redirect's fixed part, with its text.
    RedirectArg1View(_redirect) derived (dictid, server, path, serverpath) {
        fn derive<'py>(py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            let Some(redirect) = args.first() else { return Ok(Vec::new()) };
            let (server, path) = (redirect.getattr("server")?, redirect.getattr("path")?);
            let head = if server.is_none() { bytes(py, b"") } else { server.clone() };
            let serverpath = head.add(bytes(py, b":"))?.add(&path)?;
            Ok(vec![redirect.getattr("dictid")?, server, path, serverpath])
        }
    }
}

fn mark_view<'py, V: Record>(mark: &Any<'py>, index: usize) -> PyResult<Any<'py>> {
    make::<V, 2>(mark.py(), [mark.clone(), field::<WindowMark>(mark, index)?])
}

fn first_view<'py>(redirect: &Any<'py>) -> PyResult<Any<'py>> {
    RedirectArg0View::class().type_object(redirect.py())?.call1((redirect,))
}

fn second_view<'py>(redirect: &Any<'py>) -> PyResult<Any<'py>> {
    RedirectArg1View::class().type_object(redirect.py())?.call1((redirect,))
}

/// The member of `gridtap.xrootd.redir.XROOTD_MON` for each byte that has one.
struct Names(Vec<Option<Py<PyAny>>>);

fn named(py: Python<'_>, value: u8) -> PyResult<Any<'_>> {
    static NAMES: PyOnceLock<Names> = PyOnceLock::new();
    let names = NAMES.get_or_try_init(py, || {
        let members = py.import("gridtap.xrootd.redir")?.getattr("XROOTD_MON")?;
        let members = members.getattr("_value2member_map_")?.cast_into::<PyDict>()?;
        let member = |value: u8| Ok(members.get_item(value)?.map(Bound::unbind));
        Ok::<_, PyErr>(Names((0..=u8::MAX).map(member).collect::<PyResult<_>>()?))
    })?;
    Ok(match names.0.get(usize::from(value)) {
        // 0 is the name of the time mark, not of an operation.
        Some(Some(name)) if value != 0 => name.clone_ref(py).into_bound(py),
        _ => int(py, value),
    })
}

fn redirect<'py>(py: Python<'py>, redirect: &WireRedirect<'_>) -> PyResult<Any<'py>> {
    let (server, path) = redirect.target();
    make::<Redirect, 9>(
        py,
        [
            named(py, redirect.class())?,
            named(py, redirect.operation())?,
            int(py, redirect.dent),
            recent(py, redirect.port.into()),
            recent(py, redirect.dictid.into()),
            optional_bytes(py, server),
            bytes(py, path),
            recent(py, 8 * (u64::from(redirect.dent) + 1)),
            boolean(py, server.is_some_and(<[u8]>::is_empty)),
        ],
    )
}

fn entry<'py>(py: Python<'py>, entry: &RedirectEntry<'_>) -> PyResult<Any<'py>> {
    match entry {
        RedirectEntry::Mark { window, time } => {
            make::<WindowMark, 2>(py, [recent(py, (*time).into()), recent(py, (*window).into())])
        }
        RedirectEntry::Redirect(found) => redirect(py, found),
    }
}

/// `Burr` from the body of a packet, as far as it can be followed.
pub fn stream<'py>(py: Python<'py>, redirects: &Redirects<'_>) -> PyResult<Any<'py>> {
    let (mut start, mut end) = (None, None);
    let mut objects = Vec::new();
    for wire in redirects.entries().flatten() {
        let time = match wire {
            RedirectEntry::Mark { time, .. } => Some(time),
            RedirectEntry::Redirect(_) => None,
        };
        if objects.is_empty() {
            start = time;
        }
        end = time;
        objects.push(entry(py, &wire)?);
    }
    let time = |time: Option<u32>| values::optional(py, time, |py, time| recent(py, time.into()));
    let sid = make::<ServerIdent, 1>(py, [recent(py, redirects.sid)])?;
    make::<Burr, 4>(py, [sid, PyList::new(py, objects)?.into_any(), time(start), time(end)])
}

/// Largest entry: 8 bytes and 255 units of text.
const LARGEST_ENTRY: usize = 8 * 256;

fn one_entry<'py, R: Record>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let py = buffer.py();
    let data = buffer::datagram(buffer)?;
    let data = data.as_bytes();
    // A packet of this one entry, behind an identification.
    let mut body = [0xf0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    body.extend(data.get(..LARGEST_ENTRY).unwrap_or(data));
    let mut faults = LastFault::default();
    let packet = Redirects::decode(&body, &mut faults).ok_or_else(|| faults.exception(py))?;
    let object = match packet.entries().next() {
        Some(Ok(wire)) => entry(py, &wire)?,
        Some(Err(error)) => return Err(fault::exception(py, error)),
        None => return Err(LastFault::default().exception(py)),
    };
    instance_of::<R>(object)
}

fn one_server<'py>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let py = buffer.py();
    let data = buffer::datagram(buffer)?;
    let mut faults = LastFault::default();
    match Redirects::decode(data.as_bytes(), &mut faults) {
        Some(found) => make::<ServerIdent, 1>(py, [recent(py, found.sid)]),
        None => Err(faults.exception(py)),
    }
}

#[pyfunction(name = "from_record", signature = (record_data, record_code = None))]
fn burr_from_record<'py>(
    record_data: &Any<'py>,
    record_code: Option<&Any<'py>>,
) -> PyResult<Any<'py>> {
    expect_code(record_code, b'r')?;
    let data = buffer::datagram(record_data)?;
    let mut faults = LastFault::default();
    match Redirects::decode(data.as_bytes(), &mut faults) {
        Some(found) => stream(record_data.py(), &found),
        None => Err(faults.exception(record_data.py())),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let from_record = wrap_pyfunction!(burr_from_record, module)?.into_any();
    Burr::register(module, &[("from_record", from_record)])?;
    let layout = |format, size| Layout { format, size };
    from_buffer!(module, ServerIdent, one_server, layout("!Q", Some(8)));
    from_buffer!(module, WindowMark, one_entry::<WindowMark>, layout("!L L", Some(8)));
    from_buffer!(module, Redirect, one_entry::<Redirect>, layout("!B B H L", None));
    RedirectArg0View::register(module, &[])?;
    RedirectArg1View::register(module, &[])?;
    WindowMarkArg0View::register(module, &[])?;
    WindowMarkArg1View::register(module, &[])
}
