//! The Python module `gridtap._core`: a thin shell over the core.

mod arrow_stream;
mod buffer;
#[macro_use]
mod packet;
mod collector;
mod extract;
// Behind `packet`, whose macro it uses.
mod fault;
mod gridftp;
mod reading;
mod replay;
mod shared;
mod source;

/// Records share freelists and number caches without locks, so the interpreter lock must exist.
#[pyo3::pymodule(name = "_core", gil_used = true)]
mod core_module {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::fault::register(module)?;
        super::packet::register(module)?;
        super::reading::register(module)?;
        super::extract::register(module)?;
        super::gridftp::register(module)?;
        super::collector::register(module)?;
        super::replay::register(module)
    }
}

/// For the core's memory, not the interpreter's: many small rows that come and go.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
