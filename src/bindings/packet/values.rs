//! Python values from wire values, with the repeated ones shared.
//!
//! Ids, times and sizes repeat from record to record, and a client's userid from packet to packet.
//! Making and freeing an int costs about as much as decoding a whole record, so the most recent
//! ones are kept in small direct-mapped tables; all of them are immutable.

use pyo3::IntoPyObject;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyString};
use std::cell::UnsafeCell;

type Any<'py> = Bound<'py, PyAny>;

/// A static that only the holder of the interpreter lock touches.
pub struct Locked<T>(UnsafeCell<T>);

// SAFETY: every access needs a `Python` token, and the module insists on the interpreter lock.
unsafe impl<T> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// `work` must not run Python code, or it could come back here.
    #[inline]
    pub fn with<R>(&self, _py: Python<'_>, work: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the token proves that no other thread is here, and `work` does not come back.
        work(unsafe { &mut *self.0.get() })
    }
}

#[inline]
pub fn int<'py, T>(py: Python<'py>, value: T) -> Any<'py>
where
    T: IntoPyObject<'py, Target = pyo3::types::PyInt, Output = Bound<'py, pyo3::types::PyInt>>,
    T::Error: std::fmt::Debug,
{
    match value.into_pyobject(py) {
        Ok(value) => value.into_any(),
        // Integers have no way to fail but memory, and then PyO3 has panicked already.
        Err(_) => none(py),
    }
}

#[inline]
pub fn float(py: Python<'_>, value: f64) -> Any<'_> {
    PyFloat::new(py, value).into_any()
}

#[inline]
pub fn none(py: Python<'_>) -> Any<'_> {
    py.None().into_bound(py)
}

#[inline]
pub fn boolean(py: Python<'_>, value: bool) -> Any<'_> {
    PyBool::new(py, value).to_owned().into_any()
}

#[inline]
pub fn bytes<'py>(py: Python<'py>, value: &[u8]) -> Any<'py> {
    PyBytes::new(py, value).into_any()
}

pub fn string<'py>(py: Python<'py>, value: &str) -> Any<'py> {
    PyString::new(py, value).into_any()
}

#[inline]
pub fn optional<'py, T>(
    py: Python<'py>,
    value: Option<T>,
    convert: impl FnOnce(Python<'py>, T) -> Any<'py>,
) -> Any<'py> {
    match value {
        Some(value) => convert(py, value),
        None => none(py),
    }
}

#[inline]
pub fn optional_bytes<'py>(py: Python<'py>, value: Option<&[u8]>) -> Any<'py> {
    optional(py, value, |py, value| bytes(py, value))
}

/// Python keeps these itself.
const SMALL: u64 = 256;
const TABLE: usize = 256;

struct RecentInts([(u64, Option<Py<PyAny>>); TABLE]);

static RECENT_INTS: Locked<RecentInts> = Locked::new(RecentInts([const { (0, None) }; TABLE]));

/// An int that is likely to come again: an id, a time, a size.
#[inline]
pub fn recent(py: Python<'_>, value: u64) -> Any<'_> {
    if value <= SMALL {
        return int(py, value);
    }
    RECENT_INTS.with(py, |table| {
        let slot = table.0.get_mut((spread(value) >> 56) as usize);
        match slot {
            Some((known, Some(object))) if *known == value => object.clone_ref(py).into_bound(py),
            Some(slot) => {
                let object = int(py, value);
                *slot = (value, Some(object.clone().unbind()));
                object
            }
            None => int(py, value),
        }
    })
}

/// A signed number of 32 bits that is likely to come again.
#[inline]
pub fn recent_i32(py: Python<'_>, value: i32) -> Any<'_> {
    match u64::try_from(value) {
        Ok(value) => recent(py, value),
        Err(_) => int(py, value),
    }
}

#[inline]
fn spread(value: u64) -> u64 {
    value.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Longer texts are not kept, so that the table has a ceiling of 64 KiB of keys.
const LONGEST_KEY: usize = 256;

/// The objects made most recently from a text.
pub struct RecentTexts([Option<(Vec<u8>, Py<PyAny>)>; TABLE]);

impl RecentTexts {
    pub const fn new() -> Self {
        Self([const { None }; TABLE])
    }
}

/// The object that stands for `text`, made by `make` if it is not among the recent ones.
#[inline]
pub fn recent_text<'py>(
    py: Python<'py>,
    table: &Locked<RecentTexts>,
    text: &[u8],
    make: impl FnOnce() -> PyResult<Any<'py>>,
) -> PyResult<Any<'py>> {
    let at = (hash(text) >> 56) as usize;
    let found = table.with(py, |table| match table.0.get(at) {
        Some(Some((key, object))) if key == text => Some(object.clone_ref(py).into_bound(py)),
        _ => None,
    });
    if let Some(found) = found {
        return Ok(found);
    }
    let object = make()?;
    if text.len() <= LONGEST_KEY {
        let entry = Some((text.to_vec(), object.clone().unbind()));
        let replaced = table.with(py, |table| match table.0.get_mut(at) {
            Some(slot) => std::mem::replace(slot, entry),
            None => entry,
        });
        drop(replaced);
    }
    Ok(object)
}

#[inline]
fn hash(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let mut state = text.len() as u64;
    for word in words {
        state =
            (state.rotate_left(5) ^ u64::from_ne_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    for byte in rest {
        state = (state.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    spread(state)
}

/// An attribute of a Python module, looked up once.
pub fn imported<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    module: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let object = cell.get_or_try_init(py, || {
        py.import(module).and_then(|module| module.getattr(name)).map(Bound::unbind)
    })?;
    Ok(object.bind(py))
}
