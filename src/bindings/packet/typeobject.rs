//! Type objects for the packet classes: the functions that the interpreter calls, and the tables
//! that lead it to them.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use pyo3::{PyTypeInfo, ffi};
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::record::{Getter, Record, arguments, construct, free, hash_of, represent};
use super::values;

type Any<'py> = Bound<'py, PyAny>;

/// Runs a slot of a type: no panic may reach the interpreter.
fn guarded<T>(failed: T, work: impl FnOnce(Python<'_>) -> PyResult<T>) -> T {
    Python::attach(|py| {
        let result = catch_unwind(AssertUnwindSafe(|| work(py)))
            .unwrap_or_else(|_| Err(PyRuntimeError::new_err("gridtap: internal error")));
        result.unwrap_or_else(|error| {
            error.restore(py);
            failed
        })
    })
}

unsafe extern "C" fn tp_new<R: Record>(
    class: *mut ffi::PyTypeObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a type, a tuple, and a dict or null, all borrowed.
        let (class, args, kwargs) = unsafe {
            (
                Bound::from_borrowed_ptr(py, class.cast()).cast_into::<PyType>()?,
                Bound::from_borrowed_ptr(py, args).cast_into::<PyTuple>()?,
                Bound::from_borrowed_ptr_or_opt(py, kwargs),
            )
        };
        let kwargs = kwargs.map(|kwargs| kwargs.cast_into::<PyDict>()).transpose()?;
        construct::<R>(&class, &args, kwargs.as_ref()).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn tp_repr<R: Record>(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(ptr::null_mut(), |py| {
        // SAFETY: the interpreter lends an object of this class.
        let text = represent::<R>(&unsafe { Bound::from_borrowed_ptr(py, object) })?;
        Ok(values::string(py, &text).into_ptr())
    })
}

unsafe extern "C" fn tp_hash<R: Record>(object: *mut ffi::PyObject) -> isize {
    // SAFETY: as in `tp_repr`.
    guarded(-1, |py| hash_of::<R>(&unsafe { Bound::from_borrowed_ptr(py, object) }))
}

unsafe extern "C" fn tp_richcompare<R: Record>(
    left: *mut ffi::PyObject,
    right: *mut ffi::PyObject,
    operator: c_int,
) -> *mut ffi::PyObject {
    guarded(ptr::null_mut(), |py| {
        // SAFETY: the interpreter lends two objects, the left one of this class.
        let (left, right) =
            unsafe { (Bound::from_borrowed_ptr(py, left), Bound::from_borrowed_ptr(py, right)) };
        let comparable = matches!(operator, ffi::Py_EQ | ffi::Py_NE);
        if !comparable || !left.get_type().is(right.get_type()) {
            return Ok(py.NotImplemented().into_ptr());
        }
        // Tuples compare identical members as equal, which a NaN needs.
        let left = PyTuple::new(py, arguments::<R>(&left))?;
        let same = left.eq(PyTuple::new(py, arguments::<R>(&right))?)?;
        Ok(values::boolean(py, same == (operator == ffi::Py_EQ)).into_ptr())
    })
}

unsafe extern "C" fn reduce_method<R: Record>(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(ptr::null_mut(), |py| {
        // SAFETY: as in `tp_repr`.
        R::reduce(&unsafe { Bound::from_borrowed_ptr(py, object) }).map(|tuple| tuple.into_ptr())
    })
}

unsafe extern "C" fn getter_method(
    object: *mut ffi::PyObject,
    closure: *mut c_void,
) -> *mut ffi::PyObject {
    guarded(ptr::null_mut(), |py| {
        // SAFETY: `type_slots` put a static `Getter` there; the object is lent.
        let (getter, object) =
            unsafe { (&*closure.cast::<Getter>(), Bound::from_borrowed_ptr(py, object)) };
        (getter.get)(&object).map(Bound::into_ptr)
    })
}

fn c_text(text: &'static str) -> *const c_char {
    debug_assert!(text.ends_with('\0'));
    text.as_ptr().cast()
}

/// Memory that the type needs for as long as the process lives.
fn forever<T>(mut items: Vec<T>) -> *mut c_void {
    let first = items.as_mut_ptr();
    std::mem::forget(items);
    first.cast()
}

fn member(name: &str, index: usize) -> ffi::PyMemberDef {
    let word = size_of::<*mut ffi::PyObject>();
    ffi::PyMemberDef {
        name: forever([name.as_bytes(), b"\0"].concat()).cast_const().cast(),
        type_code: ffi::Py_T_OBJECT_EX,
        offset: (size_of::<ffi::PyObject>() + index * word) as ffi::Py_ssize_t,
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    }
}

fn members<R: Record>() -> *mut c_void {
    let fields = R::FIELDS.iter().enumerate().filter(|(_, name)| !name.starts_with('_'));
    let mut members: Vec<_> = fields.map(|(index, name)| member(name, index)).collect();
    members.extend(R::ALIASES.iter().map(|(name, index)| member(name, *index)));
    members.push(ffi::PyMemberDef::default());
    forever(members)
}

fn getters<R: Record>() -> *mut c_void {
    let mut getters: Vec<_> = R::GETTERS
        .iter()
        .map(|getter| ffi::PyGetSetDef {
            name: getter.name.as_ptr(),
            get: Some(getter_method),
            set: None,
            doc: ptr::null(),
            closure: ptr::from_ref(getter).cast_mut().cast(),
        })
        .collect();
    getters.push(ffi::PyGetSetDef::default());
    forever(getters)
}

fn methods<R: Record>() -> *mut c_void {
    let reduce = ffi::PyMethodDef {
        ml_name: c"__reduce__".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: reduce_method::<R> },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: ptr::null(),
    };
    forever(vec![reduce, ffi::PyMethodDef::default()])
}

fn type_slots<R: Record>() -> Vec<ffi::PyType_Slot> {
    let slot = |slot, pfunc| ffi::PyType_Slot { slot, pfunc };
    vec![
        slot(ffi::Py_tp_doc, c_text(R::DOC).cast_mut().cast()),
        slot(ffi::Py_tp_new, tp_new::<R> as *mut c_void),
        slot(ffi::Py_tp_dealloc, tp_dealloc::<R> as *mut c_void),
        slot(ffi::Py_tp_repr, tp_repr::<R> as *mut c_void),
        slot(ffi::Py_tp_hash, tp_hash::<R> as *mut c_void),
        slot(ffi::Py_tp_richcompare, tp_richcompare::<R> as *mut c_void),
        slot(ffi::Py_tp_members, members::<R>()),
        slot(ffi::Py_tp_getset, getters::<R>()),
        slot(ffi::Py_tp_methods, methods::<R>()),
        ffi::PyType_Slot::default(),
    ]
}

unsafe extern "C" fn tp_dealloc<R: Record>(object: *mut ffi::PyObject) {
    // SAFETY: called by the interpreter, once, with an object of this class or one derived from it.
    unsafe { free::<R>(object) };
}

/// Creates the type and adds it to the module, with further class attributes.
pub fn register<R: Record>(
    module: &Bound<'_, PyModule>,
    attributes: &[(&str, Any<'_>)],
) -> PyResult<()> {
    let py = module.py();
    let size = size_of::<ffi::PyObject>() + R::FIELDS.len() * size_of::<*mut ffi::PyObject>();
    let base = if R::OPEN { ffi::Py_TPFLAGS_BASETYPE } else { 0 };
    let mut slots = type_slots::<R>();
    let mut spec = ffi::PyType_Spec {
        name: c_text(R::QUALIFIED),
        basicsize: size as c_int,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | base) as c_uint,
        slots: slots.as_mut_ptr(),
    };
    let base = R::base(py).unwrap_or_else(|| PyAny::type_object(py));
    // SAFETY: the specification and all it points to are complete; the bases are a type.
    let class = unsafe {
        Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpecWithBases(&mut spec, base.as_ptr()))?
    };
    let names = R::FIELDS.get(..R::ARGS).unwrap_or_default();
    class.setattr("__slots__", PyTuple::new(py, names)?)?;
    class.setattr("__match_args__", PyTuple::new(py, names)?)?;
    for (name, value) in attributes {
        class.setattr(*name, value)?;
    }
    module.add(R::NAME, &class)?;
    R::class().set_type_object(class);
    Ok(())
}
