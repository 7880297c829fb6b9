"""Which class decodes which code: the tables that the packet classes carry.

They are for readers; the core does not look at them.
"""

from __future__ import annotations

from typing import Any

from gridtap import _core
from gridtap.xrootd import fstat, plugin, redir, trace

MAP_PAYLOADS: dict[bytes, type[Any]] = {
    b"=": _core.SrvInfo,
    b"d": _core.Path,
    b"i": _core.AppInfo,
    b"p": _core.PrgInfo,
    b"u": _core.AuthInfo,
    b"x": _core.XfrInfo,
    b"T": _core.TokenInfo,
    b"U": _core.EacInfo,
}

#: class, attribute, value
TABLES: tuple[tuple[type[Any], str, object], ...] = (
    (_core.Map, "_payload_dispatch", MAP_PAYLOADS),
    (
        _core.Burr,
        "_record_dispatch",
        {
            redir.XROOTD_MON.REDIRECT: _core.Redirect,
            redir.XROOTD_MON.REDLOCAL: _core.Redirect,
            redir.XROOTD_MON.REDTIME: _core.WindowMark,
            redir.XROOTD_MON.REDSID: _core.ServerIdent,
        },
    ),
    (
        _core.Fstat,
        "payload_dispatch",
        {
            fstat.recType.isDisc: _core.FileDSC,
            fstat.recType.isOpen: _core.FileOPN,
            fstat.recType.isTime: _core.FileTOD,
            fstat.recType.isClose: _core.FileCLS,
            fstat.recType.isXFR: _core.FileXFR,
            fstat.recType.isError: _core.FileERR,
        },
    ),
    (
        _core.Buff,
        "payload_dispatch",
        {
            trace.XROOTD_MON.APPID: _core.AppId,
            trace.XROOTD_MON.CLOSE: _core.Close,
            trace.XROOTD_MON.DISC: _core.Disc,
            trace.XROOTD_MON.OPEN: _core.Open,
            trace.XROOTD_MON.READU: _core.ReadU,
            trace.XROOTD_MON.READV: _core.ReadV,
            trace.XROOTD_MON.WINDOW: _core.Window,
        },
    ),
    (
        _core.Plugin,
        "payload_dispatch",
        {
            plugin.pluginType.isCCM: plugin.ContextCache,
            plugin.pluginType.isPFC: plugin.ProxyCache,
            plugin.pluginType.isTCM: plugin.TCPConnectionMonitor,
            plugin.pluginType.isTPC: plugin.ThirdPartyCopy,
            plugin.pluginType.isTHR: plugin.ThrottleUpdate,
            plugin.pluginType.isOSS: plugin.OssStats,
            plugin.pluginType.isHTP: plugin.HttpStats,
        },
    ),
    (
        _core.Packet,
        "record_dispatch",
        {
            **dict.fromkeys(MAP_PAYLOADS, _core.Map),
            b"r": _core.Burr,
            b"t": _core.Buff,
            b"f": _core.Fstat,
            b"g": _core.Plugin,
        },
    ),
    (_core.ServerIdent, "type", redir.XROOTD_MON.REDSID),
    (_core.WindowMark, "type", redir.XROOTD_MON.REDTIME),
    (_core.WindowMarkArg0View, "type", redir.XROOTD_MON.REDTIME),
)


def attach() -> None:
    """Give the classes their tables"""
    for owner, name, value in TABLES:
        setattr(owner, name, value)
