//! Readers: sources in, Python objects, Arrow batches or formatted text out.
//!
//! All the work happens in the core without the interpreter lock; only making Python objects needs
//! it.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyTuple};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::arrow_stream::{Batches, capsule};
use super::fault::LastFault;
use super::packet::whole::message_object;
use super::shared::Shared;
use super::source::{Called, open};
use crate::access::Config;
use crate::access::record::{Record, Visitor};
use crate::capture::Source;
use crate::error::FaultKind;
use crate::export::arrow::Batch;
use crate::reading::{Reading, Select, Target, What};
use crate::xrootd::Message;

/// Datagrams read in one go before Python may look at signals.
pub const STRIDE: usize = 4096;

/// Rows of one Arrow batch, and of one list of Python records.
pub const BATCH_ROWS: usize = 8192;

/// A record's cells, owned, until Python takes them.
enum Cell {
    Null,
    Text(Box<str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Ints(Box<[Option<i64>]>),
}

/// Rows of cells.
#[derive(Default)]
pub struct Cells {
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

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        self.cells.push(value.map_or(Cell::Null, |numbers| Cell::Ints(numbers.into())));
    }

    fn json(&mut self, value: Option<&str>) {
        self.text(value);
    }
}

impl Cells {
    /// The rows as tuples.
    pub fn list<'py>(self, py: Python<'py>, width: usize) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        for row in self.cells.chunks(width.max(1)) {
            let cells = row.iter().map(|cell| -> PyResult<Bound<'py, PyAny>> {
                Ok(match cell {
                    Cell::Null => py.None().into_bound(py),
                    Cell::Text(text) => text.into_pyobject(py)?.into_any(),
                    Cell::Int(number) => number.into_pyobject(py)?.into_any(),
                    Cell::Float(number) => number.into_pyobject(py)?.into_any(),
                    Cell::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
                    Cell::Ints(numbers) => PyList::new(py, numbers.iter())?.into_any(),
                })
            });
            rows.append(PyTuple::new(py, cells.collect::<PyResult<Vec<_>>>()?)?)?;
        }
        Ok(rows)
    }
}

/// One source being read for one kind of record.
struct State {
    reading: Reading,
    source: Option<Box<dyn Source + Send>>,
    what: What,
    /// What Python has not taken yet. It outlives an interruption.
    cells: Cells,
}

impl State {
    /// Reads rows into the cells.
    fn read_rows(&mut self) -> io::Result<bool> {
        let mut cells = std::mem::take(&mut self.cells);
        let more = self.read(&mut cells, |cells| cells.rows >= BATCH_ROWS);
        self.cells = cells;
        more
    }

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
    state: Arc<Shared<State>>,
    what: What,
}

#[pymethods]
impl RecordReader {
    #[new]
    #[pyo3(signature = (source, what, ports = Vec::new()))]
    fn new(source: &Bound<'_, PyAny>, what: &str, ports: Vec<u16>) -> PyResult<Self> {
        let what = kind(what)?;
        let state = State {
            reading: Reading::new(Config::default()),
            source: Some(open(source, &ports, Called::Detached)?),
            what,
            cells: Cells::default(),
        };
        Ok(Self { state: Arc::new(Shared::new(state)), what })
    }

    /// The next records as tuples; an empty list at the end.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let width = self.what.columns().len();
        loop {
            let more = self.state.detached(py, State::read_rows)??;
            let (count, rows) = self.state.attached(py, |state| {
                (state.cells.rows, std::mem::take(&mut state.cells).list(py, width))
            })?;
            if count > 0 || !more {
                return rows;
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
        drop(requested_schema);
        let fill = |state: &mut State, batch: &mut Batch| {
            while batch.rows() < BATCH_ROWS
                && state.read(batch, |batch| batch.rows() >= BATCH_ROWS)?
            {}
            Ok(())
        };
        capsule(py, Batches::new(self.state.clone(), &self.what.columns(), fill))
    }

    /// What was read so far, as `Extractor.counts`.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.state.attached(py, |state| counts(py, &state.reading))?
    }
}

/// Packets of one source as objects, with where the newest one came from.
#[pyclass(module = "gridtap._core", frozen)]
struct PacketReader {
    state: Shared<Packets>,
}

struct Packets {
    source: Box<dyn Source + Send>,
    peer: Option<(String, Option<u16>)>,
    received_at: Option<f64>,
    destination_port: Option<u16>,
    payload: Vec<u8>,
    number: u64,
    offset: u64,
    skipped: u64,
    faults: BTreeMap<FaultKind, u64>,
}

#[pymethods]
impl PacketReader {
    #[new]
    #[pyo3(signature = (source, ports = Vec::new()))]
    fn new(source: &Bound<'_, PyAny>, ports: Vec<u16>) -> PyResult<Self> {
        let packets = Packets {
            source: open(source, &ports, Called::Attached)?,
            peer: None,
            received_at: None,
            destination_port: None,
            payload: Vec::new(),
            number: 0,
            offset: 0,
            skipped: 0,
            faults: BTreeMap::new(),
        };
        Ok(Self { state: Shared::new(packets) })
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.state.attached(py, |packets| packets.next(py))?
    }

    #[getter]
    fn peer(&self, py: Python<'_>) -> PyResult<Option<(String, Option<u16>)>> {
        self.state.attached(py, |packets| packets.peer.clone())
    }

    #[getter]
    fn received_at(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        self.state.attached(py, |packets| packets.received_at)
    }

    #[getter]
    fn destination_port(&self, py: Python<'_>) -> PyResult<Option<u16>> {
        self.state.attached(py, |packets| packets.destination_port)
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.state.attached(py, |packets| PyBytes::new(py, &packets.payload))
    }

    #[getter]
    fn number(&self, py: Python<'_>) -> PyResult<u64> {
        self.state.attached(py, |packets| packets.number)
    }

    #[getter]
    fn offset(&self, py: Python<'_>) -> PyResult<u64> {
        self.state.attached(py, |packets| packets.offset)
    }

    #[getter]
    fn skipped(&self, py: Python<'_>) -> PyResult<u64> {
        self.state.attached(py, |packets| packets.skipped)
    }

    /// Faults of the source, and those that made a packet be skipped, by kind.
    fn faults(&self, py: Python<'_>) -> PyResult<BTreeMap<&'static str, u64>> {
        self.state.attached(py, |packets| {
            packets.faults.iter().map(|(kind, count)| (kind.name(), *count)).collect()
        })
    }
}

impl Packets {
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        loop {
            let (skipped, faults) = (&mut self.skipped, &mut self.faults);
            let mut count = |kind: FaultKind| {
                *skipped += 1;
                *faults.entry(kind).or_default() += 1;
            };
            let Some(datagram) = self.source.next(&mut |fault| count(fault.kind))? else {
                return Ok(None);
            };
            let mut last = LastFault::default();
            let Some(message) = Message::decode(datagram.payload, &mut last) else {
                count(last.0.map_or(FaultKind::EmptyDatagram, |fault| fault.kind));
                py.check_signals()?;
                continue;
            };
            self.number = datagram.number;
            self.offset = datagram.offset;
            self.received_at = datagram.received_at.map(|micros| micros as f64 / 1e6);
            self.destination_port = datagram.destination_port;
            self.payload.clear();
            self.payload.extend_from_slice(datagram.payload);
            self.peer = datagram.peer.map(|peer| (peer.host.to_string(), peer.port));
            return message_object(py, &message, datagram.payload).map(Some);
        }
    }
}

pub fn kind(what: &str) -> PyResult<What> {
    What::of(what).ok_or_else(|| PyValueError::new_err(format!("unknown kind of record {what:?}")))
}

pub fn counts<'py>(py: Python<'py>, reading: &Reading) -> PyResult<Bound<'py, PyDict>> {
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
    module.add_function(wrap_pyfunction!(columns, module)?)?;
    module.add_function(wrap_pyfunction!(fault_kinds, module)?)
}
