//! `Packet` and `Header`, and datagrams of every kind.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::frame::Layout;
use super::record::{Getter, arguments, field, make};
use super::values::{bytes, int, none, recent};
use super::{fstat, map, plugin, redirect, text, trace};
use crate::bindings::buffer;
use crate::bindings::fault::{self, LastFault};
use crate::error::{DecodeError, FaultKind};
use crate::xrootd::packet::is_text;
use crate::xrootd::{Body, Header as WireHeader, Message, Packet as WirePacket};

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// What every packet begins with: its kind, its number (modulo 256), its length in bytes, and
    /// the UNIX time at which the sender started.
    Header(code, pseq, plen, stod)
}

record! {
    /// A packet of any stream.
    Packet(header, record) derived (size, _raw) {
        const GETTERS: &'static [Getter] = &[Getter { name: c"faults", get: faults }];

        fn derive<'py>(py: Python<'py>, args: &[Any<'py>]) -> PyResult<Vec<Any<'py>>> {
            let size = args.first().map_or_else(|| Ok(none(py)), |header| header.getattr("plen"));
            Ok(vec![size?, none(py)])
        }

        fn reduce<'py>(packet: &Any<'py>) -> PyResult<Bound<'py, PyTuple>> {
            let py = packet.py();
            let mut parts = arguments::<Self>(packet);
            parts.push(field::<Self>(packet, RAW)?);
            let restore = py.import("gridtap._core")?.getattr("_restore_packet")?;
            (restore, PyTuple::new(py, parts)?).into_pyobject(py)
        }
    }
}

/// Place of the hidden field with the packet's bytes.
const RAW: usize = 3;

record! {
    /// The body of a packet whose code nobody has defined.
    Unknown(code, data)
}

record! {
    /// A record of a type that nobody has defined: the type byte and all bytes of the record.
    UnknownRecord(type, data)
}

/// An `UnknownRecord`.
pub fn unknown_record<'py>(py: Python<'py>, kind: u8, data: &[u8]) -> PyResult<Any<'py>> {
    make::<UnknownRecord, 2>(py, [int(py, kind), bytes(py, data)])
}

fn header<'py>(py: Python<'py>, header: &WireHeader) -> PyResult<Any<'py>> {
    make::<Header, 4>(
        py,
        [
            bytes(py, &[header.code]),
            int(py, header.pseq),
            recent(py, header.plen.into()),
            recent(py, header.stod.into()),
        ],
    )
}

/// `Packet` from a decoded packet and its bytes.
fn packet<'py>(py: Python<'py>, packet: &WirePacket<'_>, raw: Any<'py>) -> PyResult<Any<'py>> {
    let record = match &packet.body {
        Body::Map(body) => map::map(py, body),
        Body::Trace(body) => trace::stream(py, body),
        Body::Fstat(body) => fstat::stream(py, body),
        Body::Redirects(body) => redirect::stream(py, body),
        Body::Gstream(body) => plugin::stream(py, body),
        Body::Unknown(body) => {
            make::<Unknown, 2>(py, [bytes(py, &[packet.header.code]), bytes(py, body)])
        }
    }?;
    let fields = [header(py, &packet.header)?, record, recent(py, packet.header.plen.into()), raw];
    make::<Packet, 4>(py, fields)
}

/// The Python object for a decoded datagram: `Packet`, `TextGstream` or `Summary`.
pub fn message_object(
    py: Python<'_>,
    message: &Message<'_>,
    datagram: &[u8],
) -> PyResult<Py<PyAny>> {
    let object = match message {
        Message::Binary(found) => {
            let length = usize::from(found.header.plen);
            packet(py, found, bytes(py, datagram.get(..length).unwrap_or(datagram)))
        }
        Message::Text(found) => text::gstream(py, found),
        Message::Summary(found) => text::summary(py, found),
    };
    object.map(Bound::unbind)
}

fn one_packet<'py>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let py = buffer.py();
    let raw = buffer::packet(buffer)?;
    let data = raw.as_bytes();
    let mut dropped = LastFault::default();
    match WirePacket::decode(data, &mut dropped) {
        Some(found) if !is_text(data) => packet(py, &found, raw.clone().into_any()),
        _ if is_text(data) => Err(fault::not_binary(py)),
        _ => Err(dropped.exception(py)),
    }
}

fn one_header<'py>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let py = buffer.py();
    match WireHeader::decode(buffer::datagram(buffer)?.as_bytes()) {
        Some(found) => header(py, &found),
        None => {
            let short = DecodeError::new(FaultKind::ShortHeader, 0, "packet header");
            Err(fault::exception(py, short))
        }
    }
}

fn faults<'py>(packet: &Any<'py>) -> PyResult<Any<'py>> {
    let mut found = Vec::new();
    let raw = field::<Packet>(packet, RAW)?;
    if let Ok(raw) = raw.cast::<PyBytes>()
        && let Some(decoded) = WirePacket::decode(raw.as_bytes(), &mut found)
    {
        decoded.check(&mut found);
    }
    Ok(fault::tuple(packet.py(), &found)?.into_any())
}

/// Makes a packet again from its pickle.
#[pyfunction]
fn _restore_packet<'py>(header: Any<'py>, record: Any<'py>, raw: Any<'py>) -> PyResult<Any<'py>> {
    let size = header.getattr("plen")?;
    make::<Packet, 4>(header.py(), [header, record, size, raw])
}

/// Decodes a whole datagram of any kind: a Packet, a TextGstream or a Summary.
#[pyfunction]
fn decode<'py>(buffer: &Any<'py>) -> PyResult<Py<PyAny>> {
    let py = buffer.py();
    let raw = buffer::datagram(buffer)?;
    let mut dropped = LastFault::default();
    match Message::decode(raw.as_bytes(), &mut dropped) {
        Some(message) => message_object(py, &message, raw.as_bytes()),
        None => Err(dropped.exception(py)),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let layout = Layout { format: "!c B H L", size: Some(WireHeader::SIZE) };
    from_buffer!(module, Header, one_header, layout);
    from_buffer!(module, Packet, one_packet);
    module.add_function(wrap_pyfunction!(_restore_packet, module)?)?;
    Unknown::register(module, &[])?;
    UnknownRecord::register(module, &[])?;
    module.add_function(wrap_pyfunction!(decode, module)?)
}
