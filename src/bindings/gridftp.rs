//! Transfer logs: bytes or files in, Python objects, Arrow batches or formatted text out.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::arrow_stream::{Batches, capsule};
use super::extract::{ArrowRecords, Output, SHOWN_FAULTS, ShownFault};
use super::reading::{BATCH_ROWS, Cells};
use super::shared::Shared;
use super::source::{Called, exception, reader};
use crate::columns::{Record, Target};
use crate::export::arrow::Batch;
use crate::export::table::TRANSFERS;
use crate::gridftp::reading::{LogCounts, LogReading};
use crate::gridftp::unpack::{Unpacked, unpack};
use crate::gridftp::{LogFault, LogSink, Scanner, Transfer};

/// Bytes that one read of a log gives at most, whatever is asked for.
const MAX_READ: usize = 1 << 20;

/// What a scanner found and Python has not taken yet.
#[derive(Default)]
struct Found {
    cells: Cells,
    faults: Vec<LogFault>,
}

impl LogSink for Found {
    fn transfer(&mut self, transfer: &Transfer<'_>) {
        self.cells.push(transfer);
    }

    fn fault(&mut self, fault: &LogFault) {
        self.faults.push(*fault);
    }
}

/// Kind, line, byte offset, what was being read.
type PlacedFault = (&'static str, u64, u64, &'static str);

fn placed(fault: &LogFault) -> PlacedFault {
    (fault.kind.name(), fault.line, fault.offset, fault.context)
}

/// Rows of transfers, and the faults beside them.
type Rows<'py> = (Bound<'py, PyList>, Vec<PlacedFault>);

/// Pieces of a log in, transfers and faults out.
#[pyclass(module = "gridtap._core", frozen)]
struct TransferScanner {
    scanner: Shared<Scanner>,
}

impl TransferScanner {
    fn run<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(&mut Scanner, &mut Found) + Send,
    ) -> PyResult<Rows<'py>> {
        let found = self.scanner.detached(py, |scanner| {
            let mut found = Found::default();
            work(scanner, &mut found);
            found
        })?;
        let faults = found.faults.iter().map(placed).collect();
        Ok((found.cells.list(py, Transfer::table().len())?, faults))
    }
}

#[pymethods]
impl TransferScanner {
    #[new]
    #[pyo3(signature = (name = None, offset = 0, line = 1))]
    fn new(name: Option<&str>, offset: u64, line: u64) -> Self {
        Self { scanner: Shared::new(Scanner::resume(name, offset, line)) }
    }

    fn feed<'py>(&self, py: Python<'py>, data: &Bound<'py, PyBytes>) -> PyResult<Rows<'py>> {
        let bytes = data.as_bytes();
        self.run(py, |scanner, found| scanner.push(bytes, found))
    }

    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Rows<'py>> {
        self.run(py, |scanner, found| scanner.finish(found))
    }

    #[getter]
    fn consumed_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        self.scanner.attached(py, |scanner| scanner.consumed())
    }

    #[getter]
    fn line(&self, py: Python<'_>) -> PyResult<u64> {
        self.scanner.attached(py, |scanner| scanner.line())
    }

    #[getter]
    fn other_lines(&self, py: Python<'_>) -> PyResult<u64> {
        self.scanner.attached(py, |scanner| scanner.other_lines())
    }
}

/// The bytes of a log, unpacked if it is packed.
#[pyclass(module = "gridtap._core", frozen)]
struct UnpackedLog {
    source: Shared<Unpacked>,
    #[pyo3(get)]
    is_packed: bool,
}

#[pymethods]
impl UnpackedLog {
    #[new]
    fn new(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let log = reader(source, Called::Detached)?;
        let source = source.py().detach(|| unpack(log))?;
        Ok(Self { is_packed: source.is_packed(), source: Shared::new(source) })
    }

    /// The next bytes, at most `size`; none at the end.
    fn read<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut bytes = vec![0; size.min(MAX_READ)];
        let read = self.source.detached(py, |source| source.read(&mut bytes))??;
        Ok(PyBytes::new(py, bytes.get(..read).unwrap_or_default()))
    }
}

struct State {
    reading: LogReading,
    /// What Python has not taken yet. It outlives an interruption.
    cells: Cells,
}

/// The transfers of one log: as tuples, or as a stream of Arrow record batches.
#[pyclass(module = "gridtap._core", frozen)]
struct TransferReader {
    state: Arc<Shared<State>>,
}

#[pymethods]
impl TransferReader {
    #[new]
    #[pyo3(signature = (source, name = None))]
    fn new(source: &Bound<'_, PyAny>, name: Option<String>) -> PyResult<Self> {
        let log = reader(source, Called::Detached)?;
        let mut reading = LogReading::default();
        source.py().detach(|| reading.open(log, name.as_deref()))?;
        Ok(Self { state: Arc::new(Shared::new(State { reading, cells: Cells::default() })) })
    }

    /// The next records as tuples; an empty list at the end.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        loop {
            let more = self
                .state
                .detached(py, |state| state.reading.step(&mut state.cells, &mut |_| {}))??;
            let cells = self.state.attached(py, |state| std::mem::take(&mut state.cells))?;
            let rows = cells.list(py, Transfer::table().len())?;
            if !rows.is_empty() || !more {
                return Ok(rows);
            }
            py.check_signals()?;
        }
    }

    /// The records as an Arrow C stream.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let fill = |state: &mut State, batch: &mut Batch| {
            while batch.rows() < BATCH_ROWS && state.reading.step(batch, &mut |_| {})? {}
            Ok(())
        };
        capsule(py, Batches::new(self.state.clone(), &Transfer::table(), fill))
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.state.attached(py, |state| counts(py, state.reading.counts()))?
    }
}

/// Reads logs one after the other and writes their transfers as text, or hands them over as Arrow.
#[pyclass(module = "gridtap._core", frozen)]
struct TransferExtractor {
    inner: Shared<Extraction>,
}

struct Extraction {
    reading: LogReading,
    output: Output,
    path: Option<PathBuf>,
    faults: Vec<LogFault>,
}

#[pymethods]
impl TransferExtractor {
    /// As `Extractor`.
    #[new]
    #[pyo3(signature = (format, path = None, width = None))]
    fn new(format: &str, path: Option<PathBuf>, width: Option<u16>) -> PyResult<Self> {
        let output = Output::new(format, &Transfer::table(), TRANSFERS, width, path.as_deref())?;
        let (reading, faults) = (LogReading::default(), Vec::new());
        Ok(Self { inner: Shared::new(Extraction { reading, output, path, faults }) })
    }

    /// Goes on with another log, which the records call `name`.
    fn open(&self, py: Python<'_>, source: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
        let log = reader(source, Called::Detached)?;
        self.inner.detached(py, |inner| {
            inner.faults.clear();
            inner.reading.open(log, Some(name))
        })??;
        Ok(())
    }

    /// Reads on for a while. Answers whether there is more, and how many bytes of the file are
    /// behind.
    fn step(&self, py: Python<'_>) -> PyResult<(bool, u64)> {
        self.inner.detached(py, Extraction::step)?
    }

    /// The records so far, for the format `arrow`; empties it.
    fn take(&self, py: Python<'_>) -> PyResult<ArrowRecords> {
        self.inner.attached(py, |inner| inner.output.take())?
    }

    /// The first faults of each kind in this log, as `Extractor.faults`.
    fn faults(&self, py: Python<'_>) -> PyResult<Vec<ShownFault>> {
        self.inner.attached(py, |inner| {
            let shown = inner.faults.iter().map(placed);
            shown.map(|(kind, line, offset, context)| (kind, line, offset, None, context)).collect()
        })
    }

    /// Writes what is left.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.detached(py, Extraction::flush)?
    }

    /// Writes what has gathered.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.detached(py, Extraction::flush)?
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.inner.attached(py, |inner| counts(py, inner.reading.counts()))?
    }
}

impl Extraction {
    fn step(&mut self) -> PyResult<(bool, u64)> {
        let faults = &mut self.faults;
        let mut keep = |fault: &LogFault| {
            if faults.iter().filter(|f| f.kind == fault.kind).count() < SHOWN_FAULTS {
                faults.push(*fault);
            }
        };
        let more = self.reading.step(&mut self.output, &mut keep)?;
        self.output.check().map_err(|error| exception(error, self.path.as_deref()))?;
        Ok((more, self.reading.position()))
    }

    fn flush(&mut self) -> PyResult<()> {
        self.output.flush().map_err(|error| exception(error, self.path.as_deref()))
    }
}

fn counts<'py>(py: Python<'py>, counts: &LogCounts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("transfers", counts.transfers)?;
    dict.set_item("bytes", counts.bytes)?;
    dict.set_item("operations", counts.operations.clone())?;
    dict.set_item("codes", counts.codes.clone())?;
    let faults = PyDict::new(py);
    for (kind, count) in &counts.faults {
        faults.set_item(kind.name(), count)?;
    }
    dict.set_item("faults", faults)?;
    dict.set_item("other_lines", counts.other_lines)?;
    dict.set_item("first_started_at", counts.first_started_at)?;
    dict.set_item("last_ended_at", counts.last_ended_at)?;
    dict.set_item("span_s", counts.volumes.width_s())?;
    dict.set_item("spans", counts.volumes.spans().collect::<Vec<_>>())?;
    Ok(dict)
}

/// The columns of transfers, as `columns`.
#[pyfunction]
fn transfer_columns() -> Vec<(&'static str, String)> {
    let columns = Transfer::table();
    columns.iter().map(|c| (c.name, format!("{:?}", c.kind).to_lowercase())).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TransferScanner>()?;
    module.add_class::<UnpackedLog>()?;
    module.add_class::<TransferReader>()?;
    module.add_class::<TransferExtractor>()?;
    module.add_function(wrap_pyfunction!(transfer_columns, module)?)
}
