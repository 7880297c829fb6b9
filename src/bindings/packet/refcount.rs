//! Reference counts without a call.
//!
//! The stable ABI counts references through two functions of the interpreter. A record has a handful
//! of fields, most of them shared, and those calls were a quarter of the time it takes to make and
//! free it. The count is the first word of every object, which the stable ABI has fixed for good
//! (extensions built against it before 3.10 count in place). Only the plain case is done here: a
//! count that is neither about to end nor, on interpreters that have them, that of an immortal
//! object, which shows as a negative lower half. Everything else goes through the interpreter.

use pyo3::ffi;
use pyo3::prelude::*;

const PLAIN: bool = cfg!(all(target_pointer_width = "64", target_endian = "little"));

/// One more reference to an object.
#[inline]
pub fn share<'py>(object: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    // SAFETY: a live object, and the interpreter lock is held.
    unsafe { share_pointer(object.py(), object.as_ptr()) }
}

/// One more reference to the object behind a pointer.
///
/// # Safety
///
/// The pointer must be that of a live object.
#[inline]
pub unsafe fn share_pointer(py: Python<'_>, object: *mut ffi::PyObject) -> Bound<'_, PyAny> {
    let count = object.cast::<u64>();
    // SAFETY: see the head of this file; the caller vouches for the object.
    unsafe {
        let now = count.read();
        if PLAIN && (now as i32) > 0 {
            count.write(now + 1);
        } else {
            ffi::Py_INCREF(object);
        }
        Bound::from_owned_ptr(py, object)
    }
}

/// One reference less.
///
/// # Safety
///
/// The reference must be the caller's to give up, and the interpreter lock be held.
#[inline]
pub unsafe fn release(object: *mut ffi::PyObject) {
    let count = object.cast::<u64>();
    // SAFETY: as above; the last reference is left to the interpreter.
    unsafe {
        let now = count.read();
        if PLAIN && (now as i32) > 1 {
            count.write(now - 1);
        } else {
            ffi::Py_DECREF(object);
        }
    }
}
