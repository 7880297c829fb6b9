//! State that several Python threads may use at once, and that Python code may be called from.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, ThreadId};

/// A lock that knows the interpreter's.
///
/// Whoever waits for it does so without the interpreter lock: its holder may be calling a file
/// object's `read`, which needs that. And since such a `read` may call back, a thread that has it
/// already gets an exception where a plain mutex would wait for ever.
pub struct Shared<T> {
    state: Mutex<T>,
    holder: Mutex<Option<ThreadId>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn called_back() -> PyErr {
    PyRuntimeError::new_err("this reader is reading: its source must not use it")
}

impl<T: Send> Shared<T> {
    pub fn new(state: T) -> Self {
        Self { state: Mutex::new(state), holder: Mutex::new(None) }
    }

    /// Works without the interpreter lock.
    pub fn detached<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut T) -> R + Send,
    ) -> PyResult<R> {
        py.detach(|| {
            self.check()?;
            Ok(self.hold(&mut locked(&self.state), work))
        })
    }

    /// Works with the interpreter lock.
    pub fn attached<R>(&self, py: Python<'_>, work: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        let mut state = loop {
            match self.state.try_lock() {
                Ok(state) => break state,
                Err(TryLockError::Poisoned(state)) => break state.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    self.check()?;
                    py.detach(|| drop(locked(&self.state)));
                }
            }
        };
        Ok(self.hold(&mut state, work))
    }

    fn check(&self) -> PyResult<()> {
        let holder = *locked(&self.holder);
        if holder == Some(thread::current().id()) { Err(called_back()) } else { Ok(()) }
    }

    fn hold<R>(&self, state: &mut T, work: impl FnOnce(&mut T) -> R) -> R {
        *locked(&self.holder) = Some(thread::current().id());
        let result = work(state);
        *locked(&self.holder) = None;
        result
    }
}
