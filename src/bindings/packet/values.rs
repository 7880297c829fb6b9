//! Python values from wire values, with the repeated ones shared.
//!
//! Ids, times and sizes repeat from record to record, and a client's userid from packet to packet.
//! Making and freeing an int costs about as much as decoding a whole record, so the most recent
//! ones are kept in small direct-mapped tables; all of them are immutable.

use pyo3::IntoPyObject;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyString};
use std::cell::UnsafeCell;

use super::refcount::{share, share_pointer};

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

/// The ints that nearly every field holds.
const SMALL: usize = 257;

static SMALL_INTS: Locked<[Option<Py<PyAny>>; SMALL]> = Locked::new([const { None }; SMALL]);

/// Fills the table of small ints.
pub fn prepare(py: Python<'_>) {
    SMALL_INTS.with(py, |table| {
        for (value, slot) in table.iter_mut().enumerate() {
            *slot = Some(large(py, value as u64).unbind());
        }
    });
}

#[inline(always)]
fn small(py: Python<'_>, value: u64) -> Option<Any<'_>> {
    SMALL_INTS.with(py, |table| {
        let object = usize::try_from(value).ok().and_then(|at| table.get(at)?.as_ref())?;
        Some(share(object.bind(py)))
    })
}

#[inline(never)]
fn large<'py, T>(py: Python<'py>, value: T) -> Any<'py>
where
    T: IntoPyObject<'py, Target = PyInt, Output = Bound<'py, PyInt>>,
    T::Error: std::fmt::Debug,
{
    match value.into_pyobject(py) {
        Ok(value) => value.into_any(),
        // An integer has no way to fail but memory, and then PyO3 has panicked already.
        Err(_) => none(py),
    }
}

#[inline(always)]
pub fn int(py: Python<'_>, value: impl Into<i64>) -> Any<'_> {
    let value = value.into();
    // Negative numbers are large ones here.
    small(py, value as u64).unwrap_or_else(|| large(py, value))
}

/// An int of the full 64 bits.
#[inline]
pub fn unsigned(py: Python<'_>, value: u64) -> Any<'_> {
    match i64::try_from(value) {
        Ok(value) => int(py, value),
        Err(_) => large(py, value),
    }
}

#[inline]
pub fn float(py: Python<'_>, value: f64) -> Any<'_> {
    PyFloat::new(py, value).into_any()
}

#[inline]
pub fn none(py: Python<'_>) -> Any<'_> {
    // SAFETY: None lives as long as the interpreter.
    unsafe { share_pointer(py, ffi::Py_None()) }
}

#[inline]
pub fn boolean(py: Python<'_>, value: bool) -> Any<'_> {
    // SAFETY: True and False live as long as the interpreter.
    unsafe { share_pointer(py, if value { ffi::Py_True() } else { ffi::Py_False() }) }
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

const TABLE: usize = 256;

struct RecentInts([(u64, Option<Py<PyAny>>); TABLE]);

static RECENT_INTS: Locked<RecentInts> = Locked::new(RecentInts([const { (0, None) }; TABLE]));

/// An int that is likely to come again: an id, a time, a size.
#[inline(always)]
pub fn recent(py: Python<'_>, value: u64) -> Any<'_> {
    small(py, value).unwrap_or_else(|| recent_large(py, value))
}

#[inline(never)]
fn recent_large(py: Python<'_>, value: u64) -> Any<'_> {
    RECENT_INTS.with(py, |table| match table.0.get_mut((spread(value) >> 56) as usize) {
        Some((known, Some(object))) if *known == value => share(object.bind(py)),
        Some(slot) => {
            let object = unsigned(py, value);
            *slot = (value, Some(share(&object).unbind()));
            object
        }
        None => unsigned(py, value),
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

/// Longer texts are not kept, so that a table has a ceiling of 128 KiB of keys.
const LONGEST_KEY: usize = 512;

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
        Some(Some((key, object))) if key == text => Some(share(object.bind(py))),
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
