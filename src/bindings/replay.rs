//! A capture sent again over UDP.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::shared::Shared;
use super::source::{Called, exception, open};
use crate::send::{Failure, Replay as Sender, Settings};

/// Sends the packets of a source to a UDP port.
#[pyclass(module = "gridtap._core", frozen)]
struct Replay {
    inner: Shared<Sender>,
}

#[pymethods]
impl Replay {
    #[new]
    #[pyo3(signature = (source, settings, ports = Vec::new()))]
    fn new(source: &Bound<'_, PyAny>, settings: &str, ports: Vec<u16>) -> PyResult<Self> {
        let settings = Settings::parse(settings).map_err(PyValueError::new_err)?;
        let source = open(source, &ports, Called::Detached)?;
        Ok(Self { inner: Shared::new(Sender::new(source, &settings)) })
    }

    /// Works for a moment without the interpreter lock. Answers whether there is more, and how many
    /// bytes of the source are behind.
    fn step(&self, py: Python<'_>) -> PyResult<(bool, u64)> {
        let (more, position) =
            self.inner.detached(py, |replay| (replay.step(), replay.position()))?;
        let more = more.map_err(|failure| match failure {
            Failure::Source(error) => error.into(),
            Failure::Unfit(text) => PyValueError::new_err(text),
            Failure::Network(error) => exception(error, None),
        })?;
        Ok((more, position))
    }

    /// What was done so far.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.inner.attached(py, |replay| replay.counts())?;
        let dict = PyDict::new(py);
        dict.set_item("read", counts.read)?;
        dict.set_item("sent", counts.sent)?;
        dict.set_item("bytes", counts.bytes)?;
        dict.set_item("lost", counts.lost)?;
        dict.set_item("duplicated", counts.duplicated)?;
        dict.set_item("reordered", counts.reordered)?;
        dict.set_item("refused", counts.refused)?;
        dict.set_item("elapsed_s", counts.elapsed_s)?;
        let faults = PyDict::new(py);
        for (kind, count) in &counts.faults {
            faults.set_item(kind.name(), count)?;
        }
        dict.set_item("faults", faults)?;
        let senders = counts.senders.into_iter().map(|(peer, from)| {
            let peer = peer.map(|peer| (peer.host.to_string(), peer.port));
            (peer, (from.ip().to_string(), from.port()))
        });
        dict.set_item("senders", senders.collect::<Vec<_>>())?;
        Ok(dict)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Replay>()
}
