//! Readers: sources in, Python objects, Arrow batches or formatted text out.
//!
//! All the work happens in the core without the interpreter lock; only making Python objects needs
//! it.

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyTuple};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::packet::whole::message_object;
use crate::access::Config;
use crate::access::record::{Record, Visitor};
use crate::capture::{self, Host, Source};
use crate::error::Ignore;
use crate::export::arrow::Batch;
use crate::export::csv::Table;
use crate::export::json::Lines;
use crate::export::table::Rows;
use crate::reading::{Placed, Reading, Select, Target, What};
use crate::xrootd::Message;

/// Datagrams read in one go before Python may look at signals.
const STRIDE: usize = 4096;

/// Rows of one Arrow batch, and of one list of Python records.
const BATCH_ROWS: usize = 8192;

/// Faults of one kind that are kept for showing; the rest is only counted.
const SHOWN_FAULTS: usize = 5;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Python object with a `read` method, as a reader.
struct PyFile(Py<PyAny>);

impl Read for PyFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let data = self.0.call_method1(py, "read", (buffer.len(),))?;
            let data = data.bind(py).cast::<PyBytes>().map_err(PyErr::from)?.as_bytes();
            let slot = buffer.get_mut(..data.len()).ok_or_else(|| {
                PyValueError::new_err("read() returned more bytes than it was asked for")
            })?;
            slot.copy_from_slice(data);
            Ok(data.len())
        })
        .map_err(|error: PyErr| io::Error::other(error))
    }
}

/// A path, `-` for standard input, or an object with a `read` method.
fn open(source: &Bound<'_, PyAny>, ports: &[u16]) -> PyResult<Box<dyn Source + Send>> {
    let reader: Box<dyn Read + Send> = if source.hasattr("read")? {
        Box::new(PyFile(source.clone().unbind()))
    } else {
        let path: std::path::PathBuf = source.extract()?;
        if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(std::fs::File::open(&path).map_err(|error| os_error(&error, &path))?)
        }
    };
    Ok(capture::open(reader, ports)?)
}

fn os_error(error: &io::Error, path: &std::path::Path) -> PyErr {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    PyOSError::new_err((error.raw_os_error(), text, path.to_path_buf()))
}

/// A record's cells, owned, until Python takes them.
enum Cell {
    Null,
    Text(Box<str>),
    Int(i64),
    Float(f64),
    Bool(bool),
}

#[derive(Default)]
struct Cells {
    cells: Vec<Cell>,
    rows: usize,
}

impl Target for Cells {
    fn push(&mut self, record: &impl Record) {
        record.visit(self);
        self.rows += 1;
    }
}

impl Visitor for Cells {
    fn text(&mut self, value: Option<&str>) {
        self.cells.push(value.map_or(Cell::Null, |text| Cell::Text(text.into())));
    }

    fn int(&mut self, value: Option<i64>) {
        self.cells.push(value.map_or(Cell::Null, Cell::Int));
    }

    fn float(&mut self, value: Option<f64>) {
        self.cells.push(value.map_or(Cell::Null, Cell::Float));
    }

    fn boolean(&mut self, value: Option<bool>) {
        self.cells.push(value.map_or(Cell::Null, Cell::Bool));
    }

    fn json(&mut self, value: Option<&str>) {
        self.text(value);
    }
}

impl Cells {
    /// The rows as tuples.
    fn take<'py>(&mut self, py: Python<'py>, width: usize) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        for row in self.cells.chunks(width.max(1)) {
            let cells = row.iter().map(|cell| -> PyResult<Bound<'py, PyAny>> {
                Ok(match cell {
                    Cell::Null => py.None().into_bound(py),
                    Cell::Text(text) => text.into_pyobject(py)?.into_any(),
                    Cell::Int(number) => number.into_pyobject(py)?.into_any(),
                    Cell::Float(number) => number.into_pyobject(py)?.into_any(),
                    Cell::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
                })
            });
            rows.append(PyTuple::new(py, cells.collect::<PyResult<Vec<_>>>()?)?)?;
        }
        *self = Self::default();
        Ok(rows)
    }
}

/// One source being read for one kind of record.
struct State {
    reading: Reading,
    source: Option<Box<dyn Source + Send>>,
    what: What,
}

impl State {
    /// Reads on until the target has enough or a stride is done. `false` at the end.
    fn read<T: Target>(&mut self, target: &mut T, enough: impl Fn(&T) -> bool) -> io::Result<bool> {
        let Some(source) = &mut self.source else { return Ok(false) };
        let mut select = Select { what: self.what, target };
        for _ in 0..STRIDE {
            if !self.reading.step(source.as_mut(), &mut select, &mut |_| {})? {
                self.reading.finish(&mut select);
                self.source = None;
                return Ok(false);
            }
            if enough(select.target) {
                break;
            }
        }
        Ok(true)
    }
}

/// Records of one source: as tuples, or as a stream of Arrow record batches.
#[pyclass(module = "gridtap._core", frozen)]
struct RecordReader {
    state: Arc<Mutex<State>>,
    width: usize,
}

#[pymethods]
impl RecordReader {
    #[new]
    #[pyo3(signature = (source, what, ports = Vec::new()))]
    fn new(source: &Bound<'_, PyAny>, what: &str, ports: Vec<u16>) -> PyResult<Self> {
        let what = kind(what)?;
        let state = State {
            reading: Reading::new(Config::default()),
            source: Some(open(source, &ports)?),
            what,
        };
        Ok(Self { state: Arc::new(Mutex::new(state)), width: what.columns().len() })
    }

    /// The next records as tuples; an empty list at the end.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut cells = Cells::default();
        loop {
            let more = py.detach(|| {
                locked(&self.state).read(&mut cells, |cells| cells.rows >= BATCH_ROWS)
            })?;
            if cells.rows > 0 || !more {
                return cells.take(py, self.width);
            }
            py.check_signals()?;
        }
    }

    /// The records as an Arrow C stream: whoever speaks Arrow can read them without copies.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol leaves it to the producer whether to follow a requested schema.
        drop(requested_schema);
        let batch = Batch::new(&locked(&self.state).what.columns());
        let stream = Batches { state: self.state.clone(), batch };
        let stream = FFI_ArrowArrayStream::new(Box::new(stream));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// What was read so far, as `Extractor.counts`.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counts(py, &locked(&self.state).reading)
    }
}

struct Batches {
    state: Arc<Mutex<State>>,
    batch: Batch,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut state = locked(&self.state);
        loop {
            match state.read(&mut self.batch, |batch| batch.rows() >= BATCH_ROWS) {
                Ok(true) if self.batch.rows() < BATCH_ROWS => {}
                Ok(false) if self.batch.rows() == 0 => return None,
                Ok(_) => return Some(self.batch.take()),
                Err(error) => {
                    return Some(Err(ArrowError::IoError(error.to_string(), error)));
                }
            }
        }
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }
}

/// Packets of one source as objects, with where the newest one came from.
#[pyclass(module = "gridtap._core")]
struct PacketReader {
    source: Mutex<Box<dyn Source + Send>>,
    #[pyo3(get)]
    peer: Option<(String, Option<u16>)>,
    #[pyo3(get)]
    received_at: Option<f64>,
    #[pyo3(get)]
    number: u64,
    #[pyo3(get)]
    offset: u64,
    #[pyo3(get)]
    skipped: u64,
}

#[pymethods]
impl PacketReader {
    #[new]
    #[pyo3(signature = (source, ports = Vec::new()))]
    fn new(source: &Bound<'_, PyAny>, ports: Vec<u16>) -> PyResult<Self> {
        Ok(Self {
            source: Mutex::new(open(source, &ports)?),
            peer: None,
            received_at: None,
            number: 0,
            offset: 0,
            skipped: 0,
        })
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let source = self.source.get_mut().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut faults = 0;
            let Some(datagram) = source.next(&mut |_| faults += 1)? else {
                self.skipped += faults;
                return Ok(None);
            };
            self.skipped += faults;
            let Some(message) = Message::decode(datagram.payload, &mut Ignore) else {
                self.skipped += 1;
                py.check_signals()?;
                continue;
            };
            self.number = datagram.number;
            self.offset = datagram.offset;
            self.received_at = datagram.received_at.map(|micros| micros as f64 / 1e6);
            self.peer = datagram.peer.map(|peer| {
                let host = match &peer.host {
                    Host::Ip(ip) => ip.to_string(),
                    Host::Name(name) => name.to_string(),
                };
                (host, peer.port)
            });
            return message_object(py, &message, datagram.payload).map(Some);
        }
    }
}

/// A sink for formatted records.
enum Output {
    Json(Lines<Box<dyn Write + Send>>),
    Csv(Box<Table<Box<dyn Write + Send>>>),
    Table(Rows<Box<dyn Write + Send>>),
    Arrow(Batch),
}

impl Output {
    /// An output that cannot be written ends the reading.
    fn check(&mut self) -> io::Result<()> {
        match self {
            Self::Json(lines) => lines.check(),
            Self::Csv(table) => table.check(),
            Self::Table(rows) => rows.check(),
            Self::Arrow(_) => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Json(lines) => lines.flush(),
            Self::Csv(table) => table.flush(),
            Self::Table(rows) => rows.flush(),
            Self::Arrow(_) => Ok(()),
        }
    }
}

impl Target for Output {
    fn push(&mut self, record: &impl Record) {
        match self {
            Self::Json(lines) => lines.push(record),
            Self::Csv(table) => table.push(record),
            Self::Table(rows) => rows.push(record),
            Self::Arrow(batch) => batch.push(record),
        }
    }
}

/// Some records as one Arrow record batch, to be taken once.
#[pyclass(module = "gridtap._core", frozen)]
struct ArrowRecords {
    batch: RecordBatch,
}

#[pymethods]
impl ArrowRecords {
    #[getter]
    fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = [Ok(self.batch.clone())];
        let stream = RecordBatchIterator::new(batches, self.batch.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(stream));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

/// Reads sources one after the other and writes their records as text, or hands them over as Arrow.
#[pyclass(module = "gridtap._core")]
struct Extractor {
    inner: Mutex<Extraction>,
}

struct Extraction {
    reading: Reading,
    what: What,
    ports: Vec<u16>,
    strict: bool,
    source: Option<Box<dyn Source + Send>>,
    output: Output,
    faults: Vec<Placed>,
}

#[pymethods]
impl Extractor {
    /// `format` is `jsonl`, `csv`, `table` or `arrow`; `path` is where text goes, standard output if
    /// `None`.
    #[new]
    #[pyo3(signature = (what, format, path = None, ports = Vec::new(), strict = false, width = None))]
    fn new(
        what: &str,
        format: &str,
        path: Option<std::path::PathBuf>,
        ports: Vec<u16>,
        strict: bool,
        width: Option<u16>,
    ) -> PyResult<Self> {
        let what = kind(what)?;
        let sink = || -> PyResult<Box<dyn Write + Send>> {
            let Some(path) = &path else { return Ok(Box::new(io::stdout())) };
            Ok(Box::new(std::fs::File::create(path).map_err(|error| os_error(&error, path))?))
        };
        let columns = what.columns();
        let output = match format {
            "jsonl" => Output::Json(Lines::new(&columns, sink()?)),
            "csv" => Output::Csv(Box::new(Table::new(&columns, sink()?))),
            "table" => Output::Table(Rows::new(what, &columns, width, sink()?)),
            "arrow" => Output::Arrow(Batch::new(&columns)),
            other => return Err(PyValueError::new_err(format!("unknown format {other:?}"))),
        };
        let reading = Reading::new(Config::default());
        let (source, faults) = (None, Vec::new());
        let inner = Extraction { reading, what, ports, strict, source, output, faults };
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// Goes on with another source.
    fn open(&self, source: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut inner = locked(&self.inner);
        inner.source = Some(open(source, &inner.ports)?);
        inner.reading.begin_source();
        inner.faults.clear();
        Ok(())
    }

    /// Reads on for a while. Answers whether there is more, and how many bytes of the source are
    /// behind.
    fn step(&self, py: Python<'_>) -> PyResult<(bool, u64)> {
        Ok(py.detach(|| locked(&self.inner).step())?)
    }

    /// The records so far, for the format `arrow`; empties it.
    fn take(&self) -> PyResult<ArrowRecords> {
        match &mut locked(&self.inner).output {
            Output::Arrow(batch) => {
                let batch = batch.take().map_err(|e| PyValueError::new_err(e.to_string()))?;
                Ok(ArrowRecords { batch })
            }
            _ => Err(PyValueError::new_err("take() is for the format arrow")),
        }
    }

    /// The first faults of each kind in this source: (kind, number, offset, offset in the packet,
    /// what was being read).
    fn faults(&self) -> Vec<(&'static str, u64, u64, Option<u32>, &'static str)> {
        let inner = locked(&self.inner);
        let shown = inner.faults.iter();
        shown.map(|f| (f.kind.name(), f.number, f.offset, f.within, f.context)).collect()
    }

    /// Ends everything that is still open and writes what is left.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| locked(&self.inner).finish())?;
        Ok(())
    }

    /// What was read so far.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counts(py, &locked(&self.inner).reading)
    }
}

impl Extraction {
    fn step(&mut self) -> io::Result<(bool, u64)> {
        let Some(source) = &mut self.source else { return Ok((false, 0)) };
        let mut select = Select { what: self.what, target: &mut self.output };
        let (faults, strict) = (&mut self.faults, self.strict);
        let mut more = true;
        for _ in 0..STRIDE {
            let mut keep = |fault: &Placed| {
                if faults.iter().filter(|f| f.kind == fault.kind).count() < SHOWN_FAULTS {
                    faults.push(*fault);
                }
            };
            more = self.reading.step(source.as_mut(), &mut select, &mut keep)?;
            if !more || (strict && !faults.is_empty()) {
                break;
            }
        }
        let position = source.position();
        if !more {
            self.source = None;
        }
        self.output.check()?;
        Ok((more, position))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.reading.finish(&mut Select { what: self.what, target: &mut self.output });
        self.output.flush()
    }
}

fn kind(what: &str) -> PyResult<What> {
    What::of(what).ok_or_else(|| PyValueError::new_err(format!("unknown kind of record {what:?}")))
}

fn counts<'py>(py: Python<'py>, reading: &Reading) -> PyResult<Bound<'py, PyDict>> {
    let (counts, outcome) = (reading.counts(), reading.outcome());
    let dict = PyDict::new(py);
    dict.set_item("datagrams", counts.datagrams)?;
    dict.set_item("bytes", counts.bytes)?;
    dict.set_item("packets", counts.packets.clone())?;
    let faults = PyDict::new(py);
    for (kind, count) in &counts.faults {
        faults.set_item(kind.name(), count)?;
    }
    dict.set_item("faults", faults)?;
    let accesses = PyDict::new(py);
    for (reason, count) in &outcome.accesses {
        accesses.set_item(reason.name(), count)?;
    }
    dict.set_item("accesses", accesses)?;
    let losses = outcome.losses.iter().map(|((server, class), loss)| {
        (server, class.to_string(), loss.received, loss.lost, loss.late, loss.duplicates)
    });
    dict.set_item("losses", losses.collect::<Vec<_>>())?;
    dict.set_item("duplicate_packets", outcome.duplicate_packets)?;
    dict.set_item("stale_packets", outcome.stale_packets)?;
    dict.set_item("failed_operations", outcome.failed_operations)?;
    Ok(dict)
}

/// The columns of a kind of record: names and kinds (`text`, `int`, `float`, `bool`, `json`).
#[pyfunction]
fn columns(what: &str) -> PyResult<Vec<(&'static str, String)>> {
    let columns = kind(what)?.columns();
    Ok(columns.iter().map(|c| (c.name, format!("{:?}", c.kind).to_lowercase())).collect())
}

/// The stable names of all kinds of fault.
#[pyfunction]
fn fault_kinds() -> Vec<(&'static str, String)> {
    let kinds = crate::error::FaultKind::ALL.iter();
    kinds.map(|kind| (kind.name(), format!("{:?}", kind.severity()).to_lowercase())).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RecordReader>()?;
    module.add_class::<PacketReader>()?;
    module.add_class::<Extractor>()?;
    module.add_class::<ArrowRecords>()?;
    module.add_function(wrap_pyfunction!(columns, module)?)?;
    module.add_function(wrap_pyfunction!(fault_kinds, module)?)
}
