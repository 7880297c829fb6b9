//! Sources in, formatted text or Arrow batches out: what `gridtap decode` runs.

use arrow_array::RecordBatch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::arrow_stream::capsule_of;
use super::reading::{STRIDE, counts, kind};
use super::shared::Shared;
use super::source::{Called, exception, open};
use crate::access::Config;
use crate::capture::Source;
use crate::columns::{Column, Record};
use crate::export::arrow::Batch;
use crate::export::csv::Table;
use crate::export::json::Lines;
use crate::export::table::{Rows, Shown, layout};
use crate::reading::{Placed, Reading, Select, Target, What};

/// Faults of one kind that are kept for showing; the rest is only counted.
pub const SHOWN_FAULTS: usize = 5;

/// A sink for formatted records.
pub enum Output {
    Json(Lines<Box<dyn Write + Send>>),
    Csv(Box<Table<Box<dyn Write + Send>>>),
    Table(Rows<Box<dyn Write + Send>>),
    Arrow(Batch),
}

impl Output {
    /// `format` is `jsonl`, `csv`, `table` or `arrow`; `path` is where text goes, standard output if
    /// `None`; `shown` and `width` are of the table.
    pub fn new(
        format: &str,
        columns: &[Column],
        shown: &[Shown],
        width: Option<u16>,
        path: Option<&Path>,
    ) -> PyResult<Self> {
        let sink = || -> PyResult<Box<dyn Write + Send>> {
            let Some(path) = path else { return Ok(Box::new(io::stdout())) };
            let file = std::fs::File::create(path);
            Ok(Box::new(file.map_err(|error| exception(error, Some(path)))?))
        };
        Ok(match format {
            "jsonl" => Self::Json(Lines::new(columns, sink()?)),
            "csv" => Self::Csv(Box::new(Table::new(columns, sink()?))),
            "table" => Self::Table(Rows::new(shown, columns, width, sink()?)),
            "arrow" => Self::Arrow(Batch::new(columns)),
            other => return Err(PyValueError::new_err(format!("unknown format {other:?}"))),
        })
    }

    /// The records so far, for the format `arrow`; empties it.
    pub fn take(&mut self) -> PyResult<ArrowRecords> {
        let Self::Arrow(batch) = self else {
            return Err(PyValueError::new_err("take() is for the format arrow"));
        };
        let batch = batch.take().map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(ArrowRecords { batch })
    }

    /// An output that cannot be written ends the reading.
    pub fn check(&mut self) -> io::Result<()> {
        match self {
            Self::Json(lines) => lines.check(),
            Self::Csv(table) => table.check(),
            Self::Table(rows) => rows.check(),
            Self::Arrow(_) => Ok(()),
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
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
pub struct ArrowRecords {
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
        capsule_of(py, self.batch.clone())
    }
}

/// Reads sources one after the other and writes their records as text, or hands them over as Arrow.
#[pyclass(module = "gridtap._core")]
struct Extractor {
    inner: Shared<Extraction>,
}

struct Extraction {
    reading: Reading,
    what: What,
    ports: Vec<u16>,
    strict: bool,
    source: Option<Box<dyn Source + Send>>,
    output: Output,
    path: Option<PathBuf>,
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
        path: Option<PathBuf>,
        ports: Vec<u16>,
        strict: bool,
        width: Option<u16>,
    ) -> PyResult<Self> {
        let what = kind(what)?;
        let columns = what.columns();
        let output = Output::new(format, &columns, layout(what), width, path.as_deref())?;
        let reading = Reading::new(Config::default());
        let (source, faults) = (None, Vec::new());
        let inner = Extraction { reading, what, ports, strict, source, output, path, faults };
        Ok(Self { inner: Shared::new(inner) })
    }

    /// Goes on with another source.
    fn open(&self, py: Python<'_>, source: &Bound<'_, PyAny>) -> PyResult<()> {
        let ports = self.inner.attached(py, |inner| inner.ports.clone())?;
        let source = open(source, &ports, Called::Detached)?;
        self.inner.attached(py, |inner| {
            inner.source = Some(source);
            inner.reading.begin_source();
            inner.faults.clear();
        })
    }

    /// Reads on for a while. Answers whether there is more, and how many bytes of the source are
    /// behind. Errors of the source name it, those of the output name the output's path.
    fn step(&self, py: Python<'_>) -> PyResult<(bool, u64)> {
        self.inner.detached(py, Extraction::step)?
    }

    /// The records so far, for the format `arrow`; empties it.
    fn take(&self, py: Python<'_>) -> PyResult<ArrowRecords> {
        self.inner.attached(py, |inner| inner.output.take())?
    }

    /// The first faults of each kind in this source: (kind, number, offset, offset in the packet,
    /// what was being read).
    fn faults(&self, py: Python<'_>) -> PyResult<Vec<ShownFault>> {
        self.inner.attached(py, |inner| {
            let shown = inner.faults.iter();
            shown.map(|f| (f.kind.name(), f.number, f.offset, f.within, f.context)).collect()
        })
    }

    /// Ends everything that is still open and writes what is left.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.detached(py, Extraction::finish)?
    }

    /// Writes what has gathered; what is open stays open.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.detached(py, Extraction::flush)?
    }

    /// What was read so far.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.inner.attached(py, |inner| counts(py, &inner.reading))?
    }
}

/// Kind, number, offset, offset in the packet, what was being read.
pub type ShownFault = (&'static str, u64, u64, Option<u32>, &'static str);

impl Extraction {
    fn step(&mut self) -> PyResult<(bool, u64)> {
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
        self.output.check().map_err(|error| exception(error, self.path.as_deref()))?;
        Ok((more, position))
    }

    fn finish(&mut self) -> PyResult<()> {
        self.reading.finish(&mut Select { what: self.what, target: &mut self.output });
        self.flush()
    }

    fn flush(&mut self) -> PyResult<()> {
        self.output.flush().map_err(|error| exception(error, self.path.as_deref()))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Extractor>()?;
    module.add_class::<ArrowRecords>()
}
