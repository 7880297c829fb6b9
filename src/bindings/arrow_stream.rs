//! Record batches as Arrow C streams, which whoever speaks Arrow reads without copies.

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::io;
use std::sync::Arc;

use super::shared::Shared;
use crate::columns::Column;
use crate::export::arrow::Batch;

/// A stream as the Arrow PyCapsule protocol wants it. The protocol leaves it to the producer whether
/// to follow a requested schema; none of ours does.
pub fn capsule<'py>(
    py: Python<'py>,
    batches: impl RecordBatchReader + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let stream = FFI_ArrowArrayStream::new(Box::new(batches));
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

/// The stream of one batch.
pub fn capsule_of<'py>(py: Python<'py>, batch: RecordBatch) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = batch.schema();
    capsule(py, RecordBatchIterator::new([Ok(batch)], schema))
}

/// Batches that are read when they are asked for.
pub struct Batches<T, F> {
    state: Arc<Shared<T>>,
    batch: Batch,
    fill: F,
}

impl<T, F> Batches<T, F>
where
    T: Send + 'static,
    F: Fn(&mut T, &mut Batch) -> io::Result<()> + Sync,
{
    /// `fill` reads rows into a batch, as many as it wants to be of one; none at the end.
    pub fn new(state: Arc<Shared<T>>, columns: &[Column], fill: F) -> Self {
        Self { state, batch: Batch::new(columns), fill }
    }

    /// Whoever asks may hold the interpreter lock or not: we cannot know, and must not wait with it.
    fn read(&mut self) -> PyResult<bool> {
        let (state, batch, fill) = (&self.state, &mut self.batch, &self.fill);
        let read = |state: &mut T| -> io::Result<bool> {
            fill(state, batch)?;
            Ok(batch.rows() > 0)
        };
        let closing = || PyRuntimeError::new_err("the interpreter is closing");
        Ok(Python::try_attach(|py| state.detached(py, read)).ok_or_else(closing)???)
    }
}

impl<T, F> Iterator for Batches<T, F>
where
    T: Send + 'static,
    F: Fn(&mut T, &mut Batch) -> io::Result<()> + Sync,
{
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read() {
            Ok(true) => Some(self.batch.take()),
            Ok(false) => None,
            Err(error) => Some(Err(ArrowError::from_external_error(Box::new(error)))),
        }
    }
}

impl<T, F> RecordBatchReader for Batches<T, F>
where
    T: Send + 'static,
    F: Fn(&mut T, &mut Batch) -> io::Result<()> + Sync,
{
    fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }
}
