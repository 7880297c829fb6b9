//! The one kind of object that all packet classes are: a row of immutable slots.
//!
//! `#[pyclass]` would do, but making and freeing its objects costs several times what decoding a
//! record does, and a trace packet holds thousands. So these types are built by hand: attributes
//! are member descriptors, which the interpreter reads without a call, and freed objects are kept
//! for the next packet. The `unsafe` code rests on two facts: an
//! object of class `R` is a `PyObject` followed by `R::FIELDS.len()` owned, non-null references from
//! [`make`] on until its deallocation; and only holders of the interpreter lock come here.
//!
//! Objects are invisible to the cycle collector: nothing but a hand-made cycle through a record
//! list could leak.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PyTuple, PyType};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::refcount::release;
use super::values::{self, Locked};

type Any<'py> = Bound<'py, PyAny>;

/// How an object prints itself: the two styles of xrootdlib, and `Map`'s.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Repr {
    /// `<Name, a=1, b=2>`
    Slots,
    /// `Name(1, 2)`
    Call,
    /// `Name(a=1, b=2)`, required arguments only
    Keywords,
}

/// A packet class. Implemented by the `record!` macro.
pub trait Record: Sized + 'static {
    const NAME: &'static str;
    /// With the module, ended by a NUL.
    const QUALIFIED: &'static str;
    /// Signature and docstring, ended by a NUL.
    const DOC: &'static str;
    /// Constructor arguments, then what follows from them. A name with an underscore is no attribute.
    const FIELDS: &'static [&'static str];
    /// Constructor arguments among the fields, and those without a default.
    const ARGS: usize;
    const REQUIRED: usize;
    /// Python literals: `None`, `True`, `False`.
    const DEFAULTS: &'static [&'static str];
    const ALIASES: &'static [(&'static str, usize)] = &[];
    const REPR: Repr = Repr::Slots;
    /// May other classes derive from it?
    const OPEN: bool = false;
    const GETTERS: &'static [Getter] = &[];

    fn class() -> &'static Class;

    fn base(_py: Python<'_>) -> Option<Bound<'_, PyType>> {
        None
    }

    /// The fields that follow from the arguments of a hand-made object.
    fn derive<'py>(_py: Python<'py>, _args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
        Ok(Vec::new())
    }

    fn reduce<'py>(object: &Any<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let arguments = PyTuple::new(object.py(), arguments::<Self>(object))?;
        (object.get_type(), arguments).into_pyobject(object.py())
    }
}

/// A computed attribute.
pub struct Getter {
    pub name: &'static CStr,
    pub get: for<'py> fn(&Any<'py>) -> PyResult<Any<'py>>,
}

/// The type object of a class and its freed objects, chained through their first slot. Those keep
/// their type and their reference to it.
pub struct Class {
    object: AtomicPtr<ffi::PyTypeObject>,
    free: Locked<(*mut ffi::PyObject, usize)>,
}

/// Freed objects kept per class: half of the largest trace packet, 128 KiB of the largest class.
const KEPT: usize = 2048;

impl Class {
    pub const fn new() -> Self {
        Self { object: AtomicPtr::new(ptr::null_mut()), free: Locked::new((ptr::null_mut(), 0)) }
    }

    /// The type is never released: records may outlive the module.
    pub fn set_type_object(&self, class: Any<'_>) {
        self.object.store(class.into_ptr().cast(), Ordering::Relaxed);
    }

    pub fn type_object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyType>> {
        let object = self.object.load(Ordering::Relaxed).cast::<ffi::PyObject>();
        // SAFETY: null or the type object that `register` made and never releases.
        match unsafe { Bound::from_borrowed_ptr_or_opt(py, object) } {
            Some(object) => Ok(object.cast_into::<PyType>()?),
            None => Err(PyRuntimeError::new_err("gridtap._core is not initialised")),
        }
    }
}

macro_rules! record {
    ($(#[doc = $doc:literal])+ $name:ident ( $($arg:ident),* $(; $($opt:ident = $default:tt),+)? )
     $(derived ( $($derived:ident),+ ))? $({ $($items:tt)* })?) => {
        pub struct $name;

        impl $crate::bindings::packet::record::Record for $name {
            const NAME: &'static str = stringify!($name);
            const QUALIFIED: &'static str = concat!("gridtap.xrootd.", stringify!($name), "\0");
            const DOC: &'static str = concat!(
                stringify!($name), "(", $(stringify!($arg), ", ",)*
                $($(stringify!($opt), "=", stringify!($default), ", ",)+)? ")\n--\n\n",
                $($doc, "\n",)+ "\0"
            );
            const FIELDS: &'static [&'static str] = &[
                $(stringify!($arg),)* $($(stringify!($opt),)+)? $($(stringify!($derived),)+)?
            ];
            const ARGS: usize =
                [$(stringify!($arg),)* $($(stringify!($opt),)+)?].len();
            const REQUIRED: usize = { let names: &[&str] = &[$(stringify!($arg),)*]; names.len() };
            const DEFAULTS: &'static [&'static str] = &[$($(stringify!($default),)+)?];

            fn class() -> &'static $crate::bindings::packet::record::Class {
                static CLASS: $crate::bindings::packet::record::Class =
                    $crate::bindings::packet::record::Class::new();
                &CLASS
            }

            $($($items)*)?
        }

        impl $name {
            #[allow(dead_code, reason = "not every class is registered in every way")]
            pub fn register(
                module: &pyo3::Bound<'_, pyo3::types::PyModule>,
                attributes: &[(&str, pyo3::Bound<'_, pyo3::PyAny>)],
            ) -> pyo3::PyResult<()> {
                $crate::bindings::packet::typeobject::register::<$name>(module, attributes)
            }
        }
    };
}

/// The first slot of an object.
#[inline]
fn slots(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject {
    // The pointer is one past the header and is only read behind a check of the type.
    object.wrapping_add(1).cast()
}

/// Makes an object from all its fields.
#[inline]
pub fn make<'py, R: Record, const N: usize>(
    py: Python<'py>,
    fields: [Any<'py>; N],
) -> PyResult<Any<'py>> {
    const { assert!(N == R::FIELDS.len(), "one value for each field") };
    let class = R::class();
    let object = allocate(py, class, class.object.load(Ordering::Relaxed))?;
    for (index, field) in fields.into_iter().enumerate() {
        // SAFETY: `allocate` gave room for N fields, and nobody else knows the object yet.
        unsafe { slots(object).add(index).write(field.into_ptr()) };
    }
    // SAFETY: a new reference to a complete object.
    Ok(unsafe { Bound::from_owned_ptr(py, object) })
}

#[inline]
fn allocate(
    py: Python<'_>,
    class: &Class,
    type_object: *mut ffi::PyTypeObject,
) -> PyResult<*mut ffi::PyObject> {
    let kept = class.free.with(py, |(first, count)| {
        let object = *first;
        if !object.is_null() {
            // SAFETY: a kept object has a first slot, which links to the next one, and still has its
            // type; all it lacks is a count, the first word of any object.
            unsafe {
                *first = slots(object).read();
                object.cast::<ffi::Py_ssize_t>().write(1);
            }
            *count -= 1;
        }
        object
    });
    if !kept.is_null() {
        return Ok(kept);
    }
    if type_object.is_null() {
        return Err(PyRuntimeError::new_err("gridtap._core is not initialised"));
    }
    fresh(py, type_object)
}

fn fresh(py: Python<'_>, type_object: *mut ffi::PyTypeObject) -> PyResult<*mut ffi::PyObject> {
    // SAFETY: a ready type.
    let object = unsafe { ffi::PyType_GenericAlloc(type_object, 0) };
    if object.is_null() { Err(PyErr::fetch(py)) } else { Ok(object) }
}

/// Frees an object, or keeps it for the next one.
///
/// # Safety
///
/// The interpreter lock must be held, and the object be of class `R` or one derived from it, without
/// a reference left.
pub unsafe fn free<R: Record>(object: *mut ffi::PyObject) {
    // SAFETY: the caller vouches for the object, whose fields are all set.
    unsafe {
        for index in 0..R::FIELDS.len() {
            release(slots(object).add(index).read());
        }
        let type_object = ffi::Py_TYPE(object);
        let class = R::class();
        let exact = type_object == class.object.load(Ordering::Relaxed);
        let kept = exact
            && class.free.with(Python::assume_attached(), |(first, count)| {
                let room = *count < KEPT;
                if room {
                    slots(object).write(*first);
                    *first = object;
                    *count += 1;
                }
                room
            });
        if !kept {
            // A class derived in Python has its own way to free.
            let release = ffi::PyType_GetSlot(type_object, ffi::Py_tp_free);
            let release: Option<ffi::freefunc> = std::mem::transmute(release);
            if let Some(release) = release {
                release(object.cast());
            }
            ffi::Py_DECREF(type_object.cast());
        }
    }
}

/// One field of an object, by its place in `R::FIELDS`.
pub fn field<'py, R: Record>(object: &Any<'py>, index: usize) -> PyResult<Any<'py>> {
    fields::<R>(object).into_iter().nth(index).ok_or_else(|| PyTypeError::new_err(R::NAME))
}

/// All fields, or nothing if the object is of another class.
fn fields<'py, R: Record>(object: &Any<'py>) -> Vec<Any<'py>> {
    let type_object = R::class().object.load(Ordering::Relaxed);
    // SAFETY: the check of the type makes the slots ours to read; they are never null.
    unsafe {
        if ffi::PyObject_TypeCheck(object.as_ptr(), type_object) == 0 {
            return Vec::new();
        }
        let slot = |index| slots(object.as_ptr()).add(index).read();
        (0..R::FIELDS.len()).map(|i| Bound::from_borrowed_ptr(object.py(), slot(i))).collect()
    }
}

/// The constructor arguments that would make the object again.
pub fn arguments<'py, R: Record>(object: &Any<'py>) -> Vec<Any<'py>> {
    let mut all = fields::<R>(object);
    all.truncate(R::ARGS);
    all
}

/// The object, if it is of class `R`.
pub fn instance_of<'py, R: Record>(object: Any<'py>) -> PyResult<Any<'py>> {
    let class = R::class().type_object(object.py())?;
    if object.is_instance(&class)? {
        return Ok(object);
    }
    Err(PyValueError::new_err(format!("the record is no {}", R::NAME)))
}

/// Makes an object the way Python calls a class.
pub fn construct<'py, R: Record>(
    class: &Bound<'py, PyType>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Any<'py>> {
    let py = class.py();
    let wrong = |what: String| PyTypeError::new_err(format!("{}() {what}", R::NAME));
    if args.len() > R::ARGS {
        return Err(wrong(format!("takes {} arguments, {} given", R::ARGS, args.len())));
    }
    let mut left = kwargs.map_or(0, |kwargs| kwargs.len());
    let mut values: Vec<Any<'py>> = args.iter().collect();
    for (index, name) in R::FIELDS.iter().enumerate().take(R::ARGS) {
        let named = kwargs.map_or(Ok(None), |kwargs| kwargs.get_item(name))?;
        if named.is_some() {
            left -= 1;
        }
        match (named, index < args.len()) {
            (Some(_), true) => return Err(wrong(format!("got two values for '{name}'"))),
            (Some(value), false) => values.push(value),
            (None, true) => {}
            (None, false) => {
                let default = index.checked_sub(R::REQUIRED).and_then(|at| R::DEFAULTS.get(at));
                let Some(default) = default else {
                    return Err(wrong(format!("misses the argument '{name}'")));
                };
                values.push(literal(py, default));
            }
        }
    }
    if left > 0 {
        return Err(wrong("got an unknown keyword argument".into()));
    }
    let derived = R::derive(py, &values)?;
    values.extend(derived);
    if values.len() != R::FIELDS.len() {
        return Err(PyRuntimeError::new_err(R::NAME));
    }
    let object = if class.is(&R::class().type_object(py)?) {
        allocate(py, R::class(), class.as_type_ptr())?
    } else {
        // What is kept is of the very class, not of one derived from it.
        fresh(py, class.as_type_ptr())?
    };
    for (index, value) in values.into_iter().enumerate() {
        // SAFETY: as in `make`.
        unsafe { slots(object).add(index).write(value.into_ptr()) };
    }
    // SAFETY: a new reference to a complete object.
    Ok(unsafe { Bound::from_owned_ptr(py, object) })
}

fn literal<'py>(py: Python<'py>, text: &str) -> Any<'py> {
    match text {
        "True" => values::boolean(py, true),
        "False" => values::boolean(py, false),
        _ => values::none(py),
    }
}

pub fn represent<R: Record>(object: &Any<'_>) -> PyResult<String> {
    let mut values = arguments::<R>(object);
    if R::REPR == Repr::Keywords {
        values.truncate(R::REQUIRED);
    }
    let name = object.get_type().name()?;
    let mut parts = Vec::with_capacity(values.len());
    for (field, value) in R::FIELDS.iter().zip(&values) {
        let value = value.repr()?;
        parts.push(match R::REPR {
            Repr::Call => value.to_string(),
            _ => format!("{field}={value}"),
        });
    }
    let parts = parts.join(", ");
    Ok(match R::REPR {
        Repr::Slots => format!("<{name}, {parts}>"),
        Repr::Call | Repr::Keywords => format!("{name}({parts})"),
    })
}

pub fn hash_of<R: Record>(object: &Any<'_>) -> PyResult<isize> {
    let py = object.py();
    let mut parts = vec![object.get_type().into_any()];
    for value in arguments::<R>(object) {
        parts.push(hashable(&value)?);
    }
    PyTuple::new(py, parts)?.hash()
}

/// Lists and dicts by their content, so that packets can be members of a set.
fn hashable<'py>(value: &Any<'py>) -> PyResult<Any<'py>> {
    let py = value.py();
    if let Ok(list) = value.cast::<PyList>() {
        let items = list.iter().map(|item| hashable(&item)).collect::<PyResult<Vec<_>>>()?;
        return Ok(PyTuple::new(py, items)?.into_any());
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let items: Vec<_> = dict
            .iter()
            .map(|(key, item)| Ok((key, hashable(&item)?).into_pyobject(py)?.into_any()))
            .collect::<PyResult<_>>()?;
        return Ok(PyFrozenSet::new(py, items)?.into_any());
    }
    Ok(value.clone())
}
