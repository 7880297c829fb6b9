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
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PyTuple, PyType};
use pyo3::{PyTypeInfo, ffi};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    #[expect(clippy::new_without_default, reason = "only ever a static")]
    pub const fn new() -> Self {
        Self { object: AtomicPtr::new(ptr::null_mut()), free: Locked::new((ptr::null_mut(), 0)) }
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
                $crate::bindings::packet::record::register::<$name>(module, attributes)
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
    // SAFETY: a ready type.
    let object = unsafe { ffi::PyType_GenericAlloc(type_object, 0) };
    if object.is_null() { Err(PyErr::fetch(py)) } else { Ok(object) }
}

unsafe extern "C" fn deallocate<R: Record>(object: *mut ffi::PyObject) {
    // SAFETY: called by the interpreter, once, with an object of this class or one derived from it.
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
            let free = ffi::PyType_GetSlot(type_object, ffi::Py_tp_free);
            let free: Option<ffi::freefunc> = std::mem::transmute(free);
            if let Some(free) = free {
                free(object.cast());
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
fn construct<'py, R: Record>(
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
    let object = allocate(py, R::class(), class.as_type_ptr())?;
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

fn represent<R: Record>(object: &Any<'_>) -> PyResult<String> {
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

fn hash_of<R: Record>(object: &Any<'_>) -> PyResult<isize> {
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
        slot(ffi::Py_tp_dealloc, deallocate::<R> as *mut c_void),
        slot(ffi::Py_tp_repr, tp_repr::<R> as *mut c_void),
        slot(ffi::Py_tp_hash, tp_hash::<R> as *mut c_void),
        slot(ffi::Py_tp_richcompare, tp_richcompare::<R> as *mut c_void),
        slot(ffi::Py_tp_members, members::<R>()),
        slot(ffi::Py_tp_getset, getters::<R>()),
        slot(ffi::Py_tp_methods, methods::<R>()),
        ffi::PyType_Slot::default(),
    ]
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
    // The type is never released: records may outlive the module.
    R::class().object.store(class.into_ptr().cast(), Ordering::Relaxed);
    Ok(())
}
