//! The collector for Python: settings and sockets in, batches out.

use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyMemoryView};
use serde_json::Value;
use std::ffi::c_int;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::arrow_stream::capsule_of;
use super::shared::Shared;
use super::source::{Called, exception, open};
use crate::access::SnapshotError;
use crate::access::sequence::SECOND;
use crate::capture::udp::{Socket, duplicate};
use crate::collect::{Content, Engine, Explainer, RestoreError, Settings, Taken};

/// The longest wait between two looks at signals.
const LOOK: Duration = Duration::from_millis(200);

/// Receives, decodes, correlates and encodes without the interpreter lock.
#[pyclass(module = "gridtap._core", frozen)]
struct Collector {
    engine: Engine,
}

#[pymethods]
impl Collector {
    #[new]
    fn new(settings: &str, sockets: Vec<i32>) -> PyResult<Self> {
        let settings = read(settings)?;
        let mut bound = Vec::new();
        for number in sockets {
            let named = |error: String| PyValueError::new_err(format!("socket {number}: {error}"));
            let fd = duplicate(number).map_err(|error| named(error.to_string()))?;
            bound.push(Socket::new(fd, settings.receive_buffer_bytes).map_err(named)?);
        }
        let engine = Engine::new(settings, bound).map_err(PyValueError::new_err)?;
        Ok(Self { engine })
    }

    fn start(&self) -> PyResult<()> {
        self.engine.start().map_err(PyRuntimeError::new_err)
    }

    fn next(&self, py: Python<'_>, sink: usize, timeout_s: f64) -> PyResult<Option<Batch>> {
        self.is_drained(sink)?;
        let longest = Duration::try_from_secs_f64(timeout_s)
            .map_err(|_| PyValueError::new_err("timeout_s is no length of time"))?;
        let began = Instant::now();
        loop {
            let left = longest.saturating_sub(began.elapsed());
            if let Some(batch) = py.detach(|| self.engine.next(sink, left.min(LOOK))) {
                return Ok(Some(Batch { sink, batch }));
            }
            if left <= LOOK || self.is_drained(sink)? {
                return Ok(None);
            }
            py.check_signals()?;
        }
    }

    #[pyo3(name = "drained")]
    fn is_drained(&self, sink: usize) -> PyResult<bool> {
        let drained = self.engine.is_drained(sink);
        drained.ok_or_else(|| PyIndexError::new_err(format!("there is no sink {sink}")))
    }

    fn index(&self, name: &str) -> PyResult<usize> {
        let number = self.engine.number(name);
        number.ok_or_else(|| PyValueError::new_err(format!("there is no sink {name:?}")))
    }

    #[pyo3(signature = (source, ports = Vec::new()))]
    fn feed(&self, py: Python<'_>, source: &Bound<'_, PyAny>, ports: Vec<u16>) -> PyResult<()> {
        let mut source = open(source, &ports, Called::Detached)?;
        let read = py.detach(|| self.engine.feed(source.as_mut()));
        Ok(read.map_err(PyRuntimeError::new_err)??)
    }

    #[pyo3(signature = (source, ports = Vec::new()))]
    fn explain(&self, source: &Bound<'_, PyAny>, ports: Vec<u16>) -> PyResult<Explanation> {
        let source = open(source, &ports, Called::Detached)?;
        let explainer = self.engine.explain(source).map_err(PyValueError::new_err)?;
        Ok(Explanation { state: Shared::new(explainer) })
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let status = py.detach(|| self.engine.status());
        object(py, &status)
    }

    fn reload(&self, py: Python<'_>, settings: &str) -> PyResult<()> {
        let settings = read(settings)?;
        py.detach(|| self.engine.reload(settings)).map_err(PyValueError::new_err)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let saved = py.detach(|| self.engine.save(&path));
        saved.map_err(|error| exception(error, Some(&path)))
    }

    fn restore(&self, py: Python<'_>, path: PathBuf) -> PyResult<usize> {
        let restored = py.detach(|| self.engine.restore(&path)).map_err(PyRuntimeError::new_err)?;
        restored.map_err(|error| match error {
            RestoreError::Io(error) | RestoreError::Snapshot(SnapshotError::Io(error)) => {
                exception(error, Some(&path))
            }
            RestoreError::Snapshot(error) => {
                PyValueError::new_err(format!("{} {error}", path.display()))
            }
        })
    }

    #[pyo3(signature = (snapshot = None))]
    fn stop(&self, py: Python<'_>, snapshot: Option<PathBuf>) -> PyResult<()> {
        let stopped = py.detach(|| self.engine.stop(snapshot.as_deref()));
        stopped.map_err(|error| exception(error, snapshot.as_deref()))
    }
}

fn read(settings: &str) -> PyResult<Settings> {
    Settings::read(settings).map_err(PyValueError::new_err)
}

/// A JSON value as Python has it.
fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (_, Some(number)) => number.into_pyobject(py)?.into_any(),
            _ => number.as_f64().into_pyobject(py)?.into_any(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(object(py, value)?)?;
            }
            list.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                dict.set_item(key, object(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// One record with what each sink says to it.
type Line = (&'static str, String, Vec<(String, &'static str)>);

/// What would become of the records of a capture, one by one.
#[pyclass(module = "gridtap._core", frozen)]
struct Explanation {
    state: Shared<Explainer>,
}

#[pymethods]
impl Explanation {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Line>> {
        let explained = self.state.detached(py, Explainer::next_record)??;
        Ok(explained.map(|record| {
            let verdicts = record.verdicts.into_iter();
            let verdicts = verdicts.map(|(sink, verdict)| (sink.to_string(), verdict)).collect();
            (record.kind, record.summary, verdicts)
        }))
    }
}

/// Records of one sink, where the core wrote them: nothing is copied until somebody wants bytes.
#[pyclass(module = "gridtap._core", frozen)]
struct Batch {
    #[pyo3(get)]
    sink: usize,
    batch: Taken,
}

impl Batch {
    fn lines(&self) -> &[u8] {
        match &self.batch.content {
            Content::Lines(lines) => lines,
            Content::Arrow(_) => &[],
        }
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn records(&self) -> u64 {
        self.batch.records
    }

    #[getter]
    fn kind(&self) -> Option<&'static str> {
        self.batch.kind
    }

    #[getter]
    fn data<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(this)
    }

    #[getter]
    fn oldest_received_at(&self) -> f64 {
        self.batch.oldest_received_at as f64 / SECOND as f64
    }

    /// # Safety
    ///
    /// For the interpreter, which gives a `view` to fill.
    unsafe fn __getbuffer__(
        this: &Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let lines = this.get().lines();
        let length = lines.len().try_into()?;
        let start = lines.as_ptr().cast_mut().cast();
        // SAFETY: the interpreter's `view` is passed on to it. It is told that the memory is to be read
        // only, and keeps a reference to this object in it; the object never changes, so the memory
        // stays as long as somebody has the view.
        let filled =
            unsafe { ffi::PyBuffer_FillInfo(view, this.as_ptr(), start, length, 1, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(this.py())) }
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        match &self.batch.content {
            Content::Arrow(rows) => capsule_of(py, rows.clone()),
            Content::Lines(_) => Err(PyValueError::new_err("a batch of lines has no Arrow form")),
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Collector>()?;
    module.add_class::<Explanation>()?;
    module.add_class::<Batch>()
}
