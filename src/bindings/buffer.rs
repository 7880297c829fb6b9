//! Input buffers: `bytes`, `bytearray`, `memoryview` and whatever else has the buffer protocol.
//!
//! `bytes` are read in place. All other exporters can change or unmap their memory while records
//! are made, so the packet is copied out first: never more than the 65,535 bytes a packet can have.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use crate::limits::MAX_DATAGRAM;
use crate::xrootd::Header;

/// The packet at the start of `buffer`. A buffer that is too short comes back as it is: the decoder
/// says what is wrong with it.
pub fn packet<'py>(buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = buffer.py();
    if let Ok(bytes) = buffer.cast::<PyBytes>() {
        let data = bytes.as_bytes();
        let length = packet_length(data);
        return Ok(match data.get(..length) {
            Some(packet) if packet.len() < data.len() => PyBytes::new(py, packet),
            _ => bytes.clone(),
        });
    }
    copied(buffer, packet_length)
}

/// The first bytes of `buffer`, at most one packet's worth.
pub fn datagram<'py>(buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = buffer.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    copied(buffer, |_| MAX_DATAGRAM)
}

/// As the header claims; a claim below the header's own size is for the decoder to refuse.
fn packet_length(data: &[u8]) -> usize {
    Header::decode(data).map_or(data.len(), |header| usize::from(header.plen).max(Header::SIZE))
}

fn copied<'py>(
    buffer: &Bound<'py, PyAny>,
    length: impl FnOnce(&[u8]) -> usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = buffer.py();
    let typed = PyBuffer::<u8>::get(buffer);
    let Some(memory) = typed.as_ref().ok().and_then(PyBuffer::as_slice_ptr) else {
        // Other element types and strides: let Python flatten them.
        let flat = PyMemoryView::from(buffer)?.call_method0("tobytes")?;
        return Ok(flat.cast_into::<PyBytes>()?);
    };
    // SAFETY: the buffer is held, so the memory stays; the interpreter lock is held and no Python
    // code runs below, so nobody who plays by the rules writes to it while it is copied.
    let memory = unsafe { memory.as_ref() };
    let length = length(memory).min(memory.len()).min(MAX_DATAGRAM);
    Ok(PyBytes::new(py, memory.get(..length).unwrap_or(memory)))
}
