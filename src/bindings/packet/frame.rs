//! What the classes have in common with those of xrootdlib: `from_buffer`, `size`, `struct_parser`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::bindings::buffer;

/// The layout of a structure's fixed part, as the `struct` module writes it, and the structure's
/// size where every one has the same.
pub struct Layout {
    pub format: &'static str,
    pub size: Option<usize>,
}

impl Layout {
    /// The class attributes that tell the layout.
    pub fn attributes<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let parser = py.import("struct")?.call_method1("Struct", (self.format,))?;
        let mut attributes = vec![("struct_parser", parser)];
        if let Some(size) = self.size {
            attributes.push(("size", size.into_pyobject(py)?.into_any()));
        }
        Ok(attributes)
    }
}

/// Registers a class with a `from_buffer` that calls the given function.
macro_rules! from_buffer {
    ($module:ident, $class:ty, $decode:expr) => {
        from_buffer!(@register $module, $class, $decode, Vec::new())
    };
    ($module:ident, $class:ty, $decode:expr, $layout:expr) => {
        from_buffer!(@register $module, $class, $decode, $layout.attributes($module.py())?)
    };
    (@register $module:ident, $class:ty, $decode:expr, $attributes:expr) => {{
        #[pyo3::pyfunction]
        fn from_buffer<'py>(
            buffer: &pyo3::Bound<'py, pyo3::PyAny>,
        ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
            $decode(buffer)
        }
        let mut attributes: Vec<(&str, pyo3::Bound<'_, pyo3::PyAny>)> = $attributes;
        let function = pyo3::wrap_pyfunction!(from_buffer, $module)?;
        attributes.push(("from_buffer", function.into_any()));
        <$class>::register($module, &attributes)?;
    }};
}

/// The record code that a caller passed: one byte.
pub fn code_of(code: &Bound<'_, PyAny>) -> PyResult<u8> {
    match buffer::datagram(code)?.as_bytes() {
        [code] => Ok(*code),
        _ => Err(unknown_code(code)),
    }
}

/// Refuses a record code other than the class's own.
pub fn expect_code(code: Option<&Bound<'_, PyAny>>, expected: u8) -> PyResult<()> {
    match code {
        Some(code) if code_of(code)? != expected => Err(unknown_code(code)),
        _ => Ok(()),
    }
}

pub fn unknown_code(code: &Bound<'_, PyAny>) -> PyErr {
    match code.repr() {
        Ok(code) => PyValueError::new_err(format!("unknown record code {code}")),
        Err(error) => error,
    }
}
