//! Faults as Python sees them: an exception for what was dropped, a `Fault` for every remark.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use super::packet::record::make;
use super::packet::values;
use crate::error::{DecodeError, FaultKind, Faults};

record! {
    /// One thing that was wrong with a packet: its kind, the byte it begins at, what was being read.
    Fault(kind, offset, context)
}

/// Keeps the last fault: the one that made a decoder give up comes last.
#[derive(Default)]
pub struct LastFault(pub Option<DecodeError>);

impl Faults for LastFault {
    fn fault(&mut self, error: DecodeError) {
        self.0 = Some(error);
    }
}

impl LastFault {
    /// The exception for a decoder that gave up.
    pub fn exception(self, py: Python<'_>) -> PyErr {
        let nothing = || DecodeError::new(FaultKind::EmptyDatagram, 0, "nothing to decode");
        exception(py, self.0.unwrap_or_else(nothing))
    }
}

/// `gridtap.errors.DecodeError`.
pub fn exception(py: Python<'_>, error: DecodeError) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let args = (error.kind.name(), error.offset, error.context);
    raise(py, &CLASS, "DecodeError", args)
}

/// `gridtap.errors.NotBinaryError`.
pub fn not_binary(py: Python<'_>) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(py, &CLASS, "NotBinaryError", ())
}

fn raise<'py, A>(
    py: Python<'py>,
    class: &'static PyOnceLock<Py<PyType>>,
    name: &str,
    args: A,
) -> PyErr
where
    A: pyo3::call::PyCallArgs<'py>,
{
    match class.import(py, "gridtap.errors", name).and_then(|class| class.call1(args)) {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    }
}

/// A tuple of `Fault`.
pub fn tuple<'py>(py: Python<'py>, faults: &[DecodeError]) -> PyResult<Bound<'py, PyTuple>> {
    let objects = faults.iter().map(|fault| {
        make::<Fault, 3>(
            py,
            [
                values::string(py, fault.kind.name()),
                values::int(py, fault.offset),
                values::string(py, fault.context),
            ],
        )
    });
    PyTuple::new(py, objects.collect::<PyResult<Vec<_>>>()?)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    Fault::register(module, &[])
}
