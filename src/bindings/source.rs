//! What Python calls a source: a path, `-` for standard input, or a binary file object.

use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::capture::{self, Source};

/// Reads of a regular file between two looks at signals: they are never interrupted, and damage can
/// be long.
const FILE_READS: u32 = 8;

/// The same for a pipe: a signal that came since the last read does not interrupt the next one,
/// which may wait for ever.
const PIPE_READS: u32 = 1;

/// Whether the reader is called with the interpreter lock held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Called {
    Attached,
    Detached,
}

/// Opens a source of any kind.
pub fn open(
    source: &Bound<'_, PyAny>,
    ports: &[u16],
    called: Called,
) -> PyResult<Box<dyn Source + Send>> {
    let py = source.py();
    let reader = reader(source, called)?;
    Ok(py.detach(|| capture::open(reader, ports))?)
}

/// A source as bytes.
pub fn reader(source: &Bound<'_, PyAny>, called: Called) -> PyResult<Box<dyn Read + Send>> {
    let is_path = source.is_instance_of::<PyString>() || source.hasattr("__fspath__")?;
    if !is_path && source.hasattr("read")? {
        return Ok(Box::new(PyFile { object: source.clone().unbind(), is_ours: false }));
    }
    if !is_path {
        let class = source.get_type().name()?;
        let text = format!("a source is a path or a binary file object, not {class}");
        return Err(PyTypeError::new_err(text));
    }
    let path: PathBuf = source.extract()?;
    let name = source.clone().unbind();
    if path.as_os_str() == "-" {
        return Ok(Box::new(Patient::new(io::stdin(), name, called, PIPE_READS)));
    }
    if std::fs::metadata(&path).is_ok_and(|data| data.is_file()) {
        let reader = std::fs::File::open(&path).map_err(|error| os_error(&error, &name))?;
        return Ok(Box::new(Patient::new(reader, name, called, FILE_READS)));
    }
    // Opening a pipe waits for its writer, and Python knows how to wait and listen to signals.
    let object = source.py().import("io")?.call_method1("open", (source, "rb", 0))?;
    Ok(Box::new(PyFile { object: object.unbind(), is_ours: true }))
}

/// An exception for what the system refused; Python picks the class by the number.
fn os_error(error: &io::Error, name: &Py<PyAny>) -> PyErr {
    Python::attach(|py| {
        PyOSError::new_err((error.raw_os_error(), reason(error), name.clone_ref(py)))
    })
}

/// The exception for an error of a sink; those of sources are exceptions already.
pub fn exception(error: io::Error, path: Option<&Path>) -> PyErr {
    if error.raw_os_error().is_none() {
        return error.into();
    }
    let path = path.map(|path| path.as_os_str().to_owned());
    PyOSError::new_err((error.raw_os_error(), reason(&error), path))
}

/// Without the number that Rust appends: Python shows its own.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn look_at_signals() -> io::Result<()> {
    Python::attach(|py| py.check_signals()).map_err(io::Error::other)
}

/// A reader that waits without the interpreter lock, lets signals through, and names its file in
/// errors.
struct Patient<R> {
    reader: R,
    name: Py<PyAny>,
    called: Called,
    /// Reads so far, and how many there are to each look at signals.
    reads: u32,
    reads_per_look: u32,
}

impl<R> Patient<R> {
    fn new(reader: R, name: Py<PyAny>, called: Called, reads_per_look: u32) -> Self {
        Self { reader, name, called, reads: 0, reads_per_look }
    }
}

impl<R: Read + Send> Read for Patient<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.reads = self.reads.wrapping_add(1);
            if self.reads.is_multiple_of(self.reads_per_look) {
                look_at_signals()?;
            }
            let result = match self.called {
                Called::Detached => self.reader.read(buffer),
                Called::Attached => {
                    let reader = &mut self.reader;
                    Python::attach(|py| py.detach(|| reader.read(buffer)))
                }
            };
            match result {
                Err(error) if error.kind() == ErrorKind::Interrupted => look_at_signals()?,
                Err(error) => return Err(io::Error::other(os_error(&error, &self.name))),
                Ok(read) => {
                    // Ctrl-C ends whoever writes the pipe, too: that is no end to go on from.
                    if read == 0 {
                        look_at_signals()?;
                    }
                    return Ok(read);
                }
            }
        }
    }
}

/// A Python object with a `read` method, as a reader.
struct PyFile {
    object: Py<PyAny>,
    /// Opened here, so to be closed here.
    is_ours: bool,
}

impl Read for PyFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| {
            // A `read` in C never comes to look at them.
            py.check_signals()?;
            let data = self.object.bind(py).call_method1("read", (buffer.len(),))?;
            let Ok(data) = data.cast::<PyBytes>() else {
                let class = data.get_type().name()?;
                let text = format!("read() returned {class}, not bytes: is the file a binary one?");
                return Err(PyTypeError::new_err(text));
            };
            let data = data.as_bytes();
            let slot = buffer.get_mut(..data.len()).ok_or_else(|| {
                PyValueError::new_err("read() returned more bytes than it was asked for")
            })?;
            slot.copy_from_slice(data);
            if data.is_empty() {
                // As for `Patient`.
                py.check_signals()?;
            }
            Ok(data.len())
        })
        .map_err(io::Error::other)
    }
}

impl Drop for PyFile {
    fn drop(&mut self) {
        if self.is_ours {
            // There may be no interpreter left, and nothing is lost if closing fails.
            Python::try_attach(|py| self.object.call_method0(py, "close").map(drop).ok());
        }
    }
}
