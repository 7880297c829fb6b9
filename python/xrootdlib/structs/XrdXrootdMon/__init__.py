"""Re-exports of :py:mod:`gridtap.xrootd`."""

from gridtap.xrootd import Buff, Burr, Fstat, Header, Map, Packet, Plugin

from .constants import XROOTD_MON_PIDMASK, XROOTD_MON_PIDSHFT
from .fstat import FileCLS, FileDSC, FileOPN, FileRecord, FileTOD, FileXFR, recType
from .map import AppInfo, AuthInfo, MapPayload, Path, PrgInfo, SrvInfo, UserId, XfrInfo
from .plugin import ContextCache, PluginRecord, ProxyCache, TCPConnectionMonitor, pluginType
from .redir import XROOTD_MON as RXROOTD_MON
from .redir import Redir, Redirect, ServerIdent, WindowMark
from .trace import XROOTD_MON as TXROOTD_MON
from .trace import AppId, Close, Disc, Open, ReadU, ReadV, ReadWrite, Trace, Window

PacketRecord = Map | Burr | Fstat | Buff

__all__ = [
    "RXROOTD_MON",
    "TXROOTD_MON",
    "XROOTD_MON_PIDMASK",
    "XROOTD_MON_PIDSHFT",
    "AppId",
    "AppInfo",
    "AuthInfo",
    "Buff",
    "Burr",
    "Close",
    "ContextCache",
    "Disc",
    "FileCLS",
    "FileDSC",
    "FileOPN",
    "FileRecord",
    "FileTOD",
    "FileXFR",
    "Fstat",
    "Header",
    "Map",
    "MapPayload",
    "Open",
    "Packet",
    "PacketRecord",
    "Path",
    "Plugin",
    "PluginRecord",
    "PrgInfo",
    "ProxyCache",
    "ReadU",
    "ReadV",
    "ReadWrite",
    "Redir",
    "Redirect",
    "ServerIdent",
    "SrvInfo",
    "TCPConnectionMonitor",
    "Trace",
    "UserId",
    "Window",
    "WindowMark",
    "XfrInfo",
    "pluginType",
    "recType",
]
