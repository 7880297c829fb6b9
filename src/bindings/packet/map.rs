//! Classes of the map packets.

use pyo3::prelude::*;

use super::frame::{code_of, unknown_code};
use super::record::{Repr, make};
use super::values::{
    Locked, RecentTexts, boolean, bytes, int, optional, optional_bytes, recent, recent_text,
};
use crate::bindings::buffer;
use crate::bindings::fault::LastFault;
use crate::error::Ignore;
use crate::xrootd::map::{MAP_CODES, Map as WireMap};
use crate::xrootd::payload::{self, Payload};
use crate::xrootd::userid;
use crate::xrootd::{Body, Message};

type Any<'py> = Bound<'py, PyAny>;

record! {
    /// What a dictionary id stands for. `truncated` if the sender cut the text; `payload_present`
    /// tells an absent payload from an empty one.
    Map(dictid, userid, payload; truncated = False, payload_present = True) {
        const REPR: Repr = Repr::Keywords;
    }
}

record! {
    /// Who was connected: protocol, login name, process id (or session number), id of the sending
    /// server, client host. Parts that were not sent are None, but for the user.
    UserId(prot, user, pid, sid, host) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// A server: program, release, instance, port, site.
    SrvInfo(pgm, ver, inst, port, site) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// The name of a file being opened.
    Path(path) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// Text that the application supplied.
    AppInfo(appinfo) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// How a client logged in. The one-letter names are the keys on the wire.
    AuthInfo(protocol, name, host, organisation, role, group, m, executable, moninfo;
             release = None, ip_version = None) {
        const REPR: Repr = Repr::Call;
        const ALIASES: &'static [(&'static str, usize)] = &[
            ("p", 0), ("n", 1), ("h", 2), ("o", 3), ("r", 4), ("g", 5), ("x", 7), ("y", 8),
            ("R", 9), ("I", 10),
        ];
    }
}

record! {
    /// A file moved by frm_xfrd: name, completion time, bytes, seconds, operation, result, program
    /// data, seconds queued.
    XfrInfo(lfn, tod, sz, tm, op, rc, pd; qt = None) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// A file removed by frm_purged: name, purge time, bytes, file times, kind of name.
    PrgInfo(xfn, tod, sz, at, ct, mt, fn) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// The token that granted an access: login dictid, subject, user, issuer, role, groups.
    TokenInfo(uc, s, n, o, r, g) {
        const REPR: Repr = Repr::Call;
    }
}

record! {
    /// SciTags experiment and activity codes of a login dictid.
    EacInfo(uc, ec, ac) {
        const REPR: Repr = Repr::Call;
    }
}

fn number<'py>(py: Python<'py>, value: Option<i64>) -> Any<'py> {
    optional(py, value, |py, value| int(py, value))
}

fn userid<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Any<'py>> {
    // One client's maps follow one another: the same text, the same object.
    static RECENT: Locked<RecentTexts> = Locked::new(RecentTexts::new());
    recent_text(py, &RECENT, text, || {
        let id = userid::UserId::decode(text);
        make::<UserId, 5>(
            py,
            [
                optional_bytes(py, id.prot),
                bytes(py, id.user),
                number(py, id.pid),
                optional(py, id.sid, recent),
                optional_bytes(py, id.host),
            ],
        )
    })
}

fn server<'py>(py: Python<'py>, info: &payload::SrvInfo<'_>) -> PyResult<Any<'py>> {
    make::<SrvInfo, 5>(
        py,
        [
            optional_bytes(py, info.pgm),
            optional_bytes(py, info.ver),
            optional_bytes(py, info.inst),
            number(py, info.port),
            optional_bytes(py, info.site),
        ],
    )
}

fn login<'py>(py: Python<'py>, info: &payload::AuthInfo<'_>) -> PyResult<Any<'py>> {
    make::<AuthInfo, 11>(
        py,
        [
            optional_bytes(py, info.p),
            optional_bytes(py, info.n),
            optional_bytes(py, info.h),
            optional_bytes(py, info.o),
            optional_bytes(py, info.r),
            optional_bytes(py, info.g),
            optional_bytes(py, info.m),
            optional_bytes(py, info.x),
            optional_bytes(py, info.y),
            optional_bytes(py, info.release),
            number(py, info.ip_version),
        ],
    )
}

fn token<'py>(py: Python<'py>, info: &payload::TokenInfo<'_>) -> PyResult<Any<'py>> {
    make::<TokenInfo, 6>(
        py,
        [
            optional(py, info.uc, |py, uc| recent(py, uc.into())),
            optional_bytes(py, info.s),
            optional_bytes(py, info.n),
            optional_bytes(py, info.o),
            optional_bytes(py, info.r),
            optional_bytes(py, info.g),
        ],
    )
}

fn moved<'py>(py: Python<'py>, info: &payload::XfrInfo<'_>) -> PyResult<Any<'py>> {
    make::<XfrInfo, 8>(
        py,
        [
            bytes(py, info.lfn),
            number(py, info.tod),
            number(py, info.sz),
            number(py, info.tm),
            optional_bytes(py, info.op),
            number(py, info.rc),
            optional_bytes(py, info.pd),
            number(py, info.qt),
        ],
    )
}

fn purged<'py>(py: Python<'py>, info: &payload::PrgInfo<'_>) -> PyResult<Any<'py>> {
    make::<PrgInfo, 7>(
        py,
        [
            bytes(py, info.xfn),
            number(py, info.tod),
            number(py, info.sz),
            number(py, info.at),
            number(py, info.ct),
            number(py, info.mt),
            optional_bytes(py, info.fn_),
        ],
    )
}

/// Servers say who they are over and over, and the same clients log in again and again.
fn repeated<'py>(py: Python<'py>, map: &WireMap<'_>) -> PyResult<Any<'py>> {
    static SERVERS: Locked<RecentTexts> = Locked::new(RecentTexts::new());
    static LOGINS: Locked<RecentTexts> = Locked::new(RecentTexts::new());
    let text = map.payload.unwrap_or_default();
    match map.code {
        b'=' => recent_text(py, &SERVERS, text, || payload(py, &map.typed())),
        b'u' => recent_text(py, &LOGINS, text, || payload(py, &map.typed())),
        _ => payload(py, &map.typed()),
    }
}

fn payload<'py>(py: Python<'py>, payload: &Payload<'_>) -> PyResult<Any<'py>> {
    match payload {
        Payload::Server(info) => server(py, info),
        Payload::Path(info) => make::<Path, 1>(py, [bytes(py, info.path)]),
        Payload::App(info) => make::<AppInfo, 1>(py, [bytes(py, info.appinfo)]),
        Payload::User(info) => login(py, info),
        Payload::Token(info) => token(py, info),
        Payload::Activity(info) => make::<EacInfo, 3>(
            py,
            [
                optional(py, info.uc, |py, uc| recent(py, uc.into())),
                number(py, info.ec),
                number(py, info.ac),
            ],
        ),
        Payload::Transfer(info) => moved(py, info),
        Payload::Purge(info) => purged(py, info),
    }
}

/// `Map` from the body of a packet.
pub fn map<'py>(py: Python<'py>, map: &WireMap<'_>) -> PyResult<Any<'py>> {
    make::<Map, 5>(
        py,
        [
            recent(py, map.dictid.into()),
            userid(py, map.userid)?,
            repeated(py, map)?,
            boolean(py, map.truncated()),
            boolean(py, map.payload.is_some()),
        ],
    )
}

fn one_userid<'py>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    userid(buffer.py(), buffer::datagram(buffer)?.as_bytes())
}

/// The payload of a map of the given code that holds nothing else.
fn one_payload<'py, const CODE: char>(buffer: &Any<'py>) -> PyResult<Any<'py>> {
    let text = buffer::datagram(buffer)?;
    let map = WireMap {
        code: CODE as u8,
        dictid: 0,
        userid: b"",
        payload: Some(text.as_bytes()),
        stray: b"",
    };
    payload(buffer.py(), &map.typed())
}

#[pyfunction(name = "from_record")]
fn map_from_record<'py>(record_data: &Any<'py>, record_code: &Any<'py>) -> PyResult<Any<'py>> {
    let code = code_of(record_code)?;
    if !MAP_CODES.contains(&code) {
        return Err(unknown_code(record_code));
    }
    let data = buffer::datagram(record_data)?;
    let mut faults = LastFault::default();
    match WireMap::decode(code, data.as_bytes(), &mut faults) {
        Some(found) => map(record_data.py(), &found),
        None => Err(faults.exception(record_data.py())),
    }
}

/// Keys in a map datagram that nobody has defined; none in datagrams of other kinds.
#[pyfunction]
fn unknown_keys(buffer: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let data = buffer::datagram(buffer)?;
    let Some(Message::Binary(packet)) = Message::decode(data.as_bytes(), &mut Ignore) else {
        return Ok(Vec::new());
    };
    let Body::Map(map) = packet.body else { return Ok(Vec::new()) };
    Ok(map.unknown_keys().map(|key| String::from_utf8_lossy(key).into_owned()).collect())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(unknown_keys, module)?)?;
    let from_record = wrap_pyfunction!(map_from_record, module)?.into_any();
    Map::register(module, &[("from_record", from_record)])?;
    from_buffer!(module, UserId, one_userid);
    from_buffer!(module, SrvInfo, one_payload::<'='>);
    from_buffer!(module, Path, one_payload::<'d'>);
    from_buffer!(module, AppInfo, one_payload::<'i'>);
    from_buffer!(module, AuthInfo, one_payload::<'u'>);
    from_buffer!(module, TokenInfo, one_payload::<'T'>);
    from_buffer!(module, EacInfo, one_payload::<'U'>);
    from_buffer!(module, XfrInfo, one_payload::<'x'>);
    from_buffer!(module, PrgInfo, one_payload::<'p'>);
    Ok(())
}
