//! Classes of the g-stream. The events themselves are Python classes: they come a few per minute,
//! and their shape belongs to the plug-ins that send them.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use serde_json::Value;

use super::frame::expect_code;
use super::record::make;
use super::values::{self, bytes, float, imported, int, none, recent, string};
use crate::bindings::buffer;
use crate::bindings::fault::LastFault;
use crate::xrootd::event;
use crate::xrootd::gstream::{Gstream, Lines};

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// The g-stream: events of one plug-in. `tBeg` and `tEnd` are the UNIX times of the first and
    /// the last; `provider` is the plug-in's letter.
    Plugin(tBeg, tEnd, records; provider = None, sid = None)
}

/// A JSON value as Python's own parser would give it.
pub fn json<'py>(py: Python<'py>, value: &Value) -> PyResult<Any<'py>> {
    Ok(match value {
        Value::Null => none(py),
        Value::Bool(value) => values::boolean(py, *value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => int(py, number),
            (None, Some(number)) => values::unsigned(py, number),
            (None, None) => float(py, number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => string(py, text),
        Value::Array(items) => {
            let items = items.iter().map(|item| json(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(entries) => object(py, entries)?.into_any(),
    })
}

/// A JSON object as a dict.
pub fn object<'py>(
    py: Python<'py>,
    entries: &serde_json::Map<String, Value>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in entries {
        dict.set_item(key, json(py, value)?)?;
    }
    Ok(dict)
}

/// The events of a packet, typed by the letter of their provider.
pub fn events<'py>(py: Python<'py>, provider: &Any<'py>, lines: Lines<'_>) -> PyResult<Any<'py>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = imported(py, &MAKE, "gridtap.xrootd.plugin", "event_from_line")?;
    let mut objects = Vec::new();
    for (_, line) in lines {
        let data = match event::parse(line) {
            Some(entries) => object(py, &entries)?.into_any(),
            None => none(py),
        };
        objects.push(make.call1((provider, bytes(py, line), data))?);
    }
    Ok(PyList::new(py, objects)?.into_any())
}

/// `Plugin` from the body of a packet.
pub fn stream<'py>(py: Python<'py>, stream: &Gstream<'_>) -> PyResult<Any<'py>> {
    let provider = bytes(py, &[stream.provider]);
    make::<Plugin, 5>(
        py,
        [
            recent(py, stream.start.into()),
            recent(py, stream.end.into()),
            events(py, &provider, stream.lines())?,
            provider,
            recent(py, stream.sid),
        ],
    )
}

#[pyfunction(name = "from_record", signature = (record_data, record_code = None))]
fn plugin_from_record<'py>(
    record_data: &Any<'py>,
    record_code: Option<&Any<'py>>,
) -> PyResult<Any<'py>> {
    expect_code(record_code, b'g')?;
    let data = buffer::datagram(record_data)?;
    let mut faults = LastFault::default();
    // Without the header there is no start time to tell the byte order of the times by.
    match Gstream::decode(data.as_bytes(), 0, &mut faults) {
        Some(found) => stream(record_data.py(), &found),
        None => Err(faults.exception(record_data.py())),
    }
}

/// The JSON object in a g-stream line, or None if the line is something else.
#[pyfunction]
fn parse_event<'py>(line: &Any<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let data = buffer::datagram(line)?;
    event::parse(data.as_bytes()).map(|entries| object(line.py(), &entries)).transpose()
}

/// UTC epoch seconds of a time in a third-party copy event, whose fraction is a count of
/// microseconds; None if it is no such time.
#[pyfunction]
fn copy_time(text: &str) -> Option<f64> {
    event::copy_time(text)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let from_record = wrap_pyfunction!(plugin_from_record, module)?.into_any();
    Plugin::register(module, &[("from_record", from_record)])?;
    module.add_function(wrap_pyfunction!(parse_event, module)?)?;
    module.add_function(wrap_pyfunction!(copy_time, module)?)
}
