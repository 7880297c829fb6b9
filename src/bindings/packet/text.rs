//! Classes of the datagrams that are text: g-streams with a text header, and summary reports.

use pyo3::prelude::*;

use super::plugin::{events, object};
use super::record::make;
use super::values::{bytes, int, none, optional, recent, string};
use crate::xrootd::gtext::{Framing, Origin, TextPacket};
use crate::xrootd::summary::Summary as WireSummary;

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// Where a text g-stream comes from, as far as its header says.
    TextOrigin(; site = None, host = None, port = None, inst = None, pgm = None, ver = None)
}

record! {
    /// A g-stream packet in a text framing (`json`, `cgi` or `none`). `code` is `b'g'` for events,
    /// `b'='` for an identification, `b'd'` and `b'i'` for a dictionary entry `did` with its `data`.
    TextGstream(framing, code, records; pseq = None, stod = None, sid = None, src = None,
                provider = None, tBeg = None, tEnd = None, did = None, data = None)
}

record! {
    /// A summary report. `tod` and `tos` are the UNIX times of the report and of the server's start;
    /// `stats` holds the counters, nested by set and element.
    Summary(stats; tod = None, ver = None, src = None, tos = None, pgm = None, ins = None,
            pid = None, site = None)
}

fn text<'py>(py: Python<'py>, value: Option<&str>) -> Any<'py> {
    optional(py, value, string)
}

fn number<'py>(py: Python<'py>, value: Option<u64>) -> Any<'py> {
    optional(py, value, recent)
}

fn origin<'py>(py: Python<'py>, origin: &Origin<'_>) -> PyResult<Any<'py>> {
    make::<TextOrigin, 6>(
        py,
        [
            text(py, origin.site.as_deref()),
            text(py, origin.host.as_deref()),
            optional(py, origin.port, |py, port| int(py, port)),
            text(py, origin.inst.as_deref()),
            text(py, origin.pgm.as_deref()),
            text(py, origin.ver.as_deref()),
        ],
    )
}

/// `TextGstream` from a decoded text packet.
pub fn gstream<'py>(py: Python<'py>, packet: &TextPacket<'_>) -> PyResult<Any<'py>> {
    let framing = match packet.framing {
        Framing::Json => "json",
        Framing::Cgi => "cgi",
        Framing::None => "none",
    };
    let provider = optional(py, packet.provider, |py, letter| bytes(py, &[letter]));
    make::<TextGstream, 12>(
        py,
        [
            string(py, framing),
            bytes(py, &[packet.code]),
            events(py, &provider, packet.lines())?,
            number(py, packet.pseq.map(u64::from)),
            number(py, packet.stod.map(u64::from)),
            number(py, packet.sid),
            origin(py, &packet.src)?,
            provider,
            number(py, packet.tbeg.map(u64::from)),
            number(py, packet.tend.map(u64::from)),
            number(py, packet.did.map(u64::from)),
            packet.data.as_deref().map_or_else(|| none(py), |data| bytes(py, data)),
        ],
    )
}

/// `Summary` from a decoded report.
pub fn summary<'py>(py: Python<'py>, summary: &WireSummary) -> PyResult<Any<'py>> {
    let number = |value: Option<i64>| optional(py, value, |py, value| int(py, value));
    make::<Summary, 9>(
        py,
        [
            object(py, &summary.stats)?.into_any(),
            number(summary.tod),
            text(py, summary.ver.as_deref()),
            text(py, summary.src.as_deref()),
            number(summary.tos),
            text(py, summary.pgm.as_deref()),
            text(py, summary.ins.as_deref()),
            number(summary.pid),
            text(py, summary.site.as_deref()),
        ],
    )
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    TextOrigin::register(module, &[])?;
    TextGstream::register(module, &[])?;
    Summary::register(module, &[])
}
