"""What is known about servers, users and files.

Ids are unique within one run of one server only, so everything is kept by server id and start time.
Maps of a server that has not introduced itself yet are accepted: its :py:class:`ServerInfo` is
filled in as soon as it does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

from gridtap.xrootd import AuthInfo, Map, Path, SrvInfo, UserId
from gridtap.xrootd.text import slot_repr

__all__ = [
    "MapInfo",
    "MapInfoError",
    "MapInfoStore",
    "PathAccessInfo",
    "ServerInfo",
    "UserInfo",
]

#: Users, and files, remembered for one server before the oldest are forgotten.
MAX_ENTRIES = 1_000_000
#: Servers remembered; the largest federations have a few thousand.
MAX_SERVERS = 10_000
#: Closed files and disconnected users that stay known for records that arrive late.
MAX_RETIRED = 4096


class ServerInfo:
    """A server; its texts are empty until it has identified itself (``known``)"""

    __slots__ = (
        "protocol",
        "user",
        "pid",
        "sid",
        "host",
        "program",
        "version",
        "instance",
        "port",
        "site",
        "stod",
    )

    def __init__(self, user_id: UserId, server_info: SrvInfo, stod: int) -> None:
        self.stod = stod
        self.sid = user_id.sid
        self.identify(user_id, server_info)

    def identify(self, user_id: UserId, server_info: SrvInfo) -> None:
        """Take over what the server says about itself"""
        self.protocol = user_id.prot
        self.user = user_id.user
        self.pid = user_id.pid
        self.host = user_id.host or b""
        self.program = server_info.pgm or b""
        self.version = server_info.ver or b""
        self.instance = server_info.inst or b""
        self.port = server_info.port
        self.site = server_info.site or b""

    @classmethod
    def unknown(cls, stod: int, sid: int | None) -> ServerInfo:
        """A server that has not identified itself"""
        nobody = UserId(None, b"", None, sid, None)
        return cls(nobody, SrvInfo(None, None, None, None, None), stod)

    @property
    def known(self) -> bool:
        return bool(self.program or self.host)

    __repr__ = slot_repr


class UserInfo:
    """A client that logged in"""

    __slots__ = ("client", "server", "auth_info")

    def __init__(
        self, client: UserId, server_info: ServerInfo, auth_info: AuthInfo | None = None
    ) -> None:
        self.client = client
        self.server = server_info
        self.auth_info = auth_info

    @property
    def protocol(self) -> bytes | None:
        return self.client.prot

    @property
    def user(self) -> bytes:
        return self.client.user

    @property
    def pid(self) -> int | None:
        return self.client.pid

    @property
    def host(self) -> bytes | None:
        return self.client.host

    __repr__ = slot_repr


class PathAccessInfo:
    """
    A ``client`` that accesses a ``path`` on a ``server``

    Depending on the monitoring settings, ``client`` and ``auth`` may be None.
    """

    __slots__ = ("client", "server", "path", "auth")

    def __init__(
        self,
        client: UserId | None,
        server: ServerInfo,
        path: bytes,
        auth: AuthInfo | None = None,
    ) -> None:
        self.client = client
        self.server = server
        self.path = path
        self.auth = auth

    @property
    def protocol(self) -> bytes | None:
        return self.client.prot if self.client is not None else None

    @property
    def user(self) -> bytes | None:
        return self.client.user if self.client is not None else None

    @property
    def pid(self) -> int | None:
        return self.client.pid if self.client is not None else None

    @property
    def host(self) -> bytes | None:
        return self.client.host if self.client is not None else None

    __repr__ = slot_repr


MapInfo: TypeAlias = ServerInfo | UserInfo | PathAccessInfo


class MapInfoError(Exception):
    """An item was not in the map store"""


class _Run:
    """One run of one server"""

    __slots__ = ("accesses", "retired", "server", "users")

    def __init__(self, server: ServerInfo) -> None:
        self.server = server
        self.users: dict[int, UserInfo] = {}
        self.accesses: dict[int, PathAccessInfo] = {}
        self.retired: deque[tuple[dict[int, UserInfo] | dict[int, PathAccessInfo], int]] = deque()

    def add_user(self, dictid: int, user: UserInfo) -> None:
        self.users[dictid] = user
        if len(self.users) > MAX_ENTRIES:
            del self.users[next(iter(self.users))]

    def add_access(self, dictid: int, access: PathAccessInfo) -> None:
        self.accesses[dictid] = access
        if len(self.accesses) > MAX_ENTRIES:
            del self.accesses[next(iter(self.accesses))]

    def retire(self, entries: dict[int, UserInfo] | dict[int, PathAccessInfo], dictid: int) -> None:
        """Forget an entry once many others have been retired after it"""
        self.retired.append((entries, dictid))
        if len(self.retired) > MAX_RETIRED:
            old_entries, old_dictid = self.retired.popleft()
            old_entries.pop(old_dictid, None)


class MapInfoStore:
    """Everything that maps have announced

    Methods take the ``sid`` of the server. Without it they look at all servers that started at
    ``stod``.
    """

    def __init__(self) -> None:
        self._runs: dict[tuple[int, int | None], _Run] = {}

    def digest_map(self, stod: int, map_struct: Map) -> MapInfo | Map:
        """Digest map data from a packet; kinds that announce nothing are returned as they are"""
        user_id, payload = map_struct.userid, map_struct.payload
        if isinstance(payload, SrvInfo):
            return self._digest_map_server(stod, user_id, payload)
        if not isinstance(payload, AuthInfo | Path):
            return map_struct
        run = self._run(stod, user_id.sid)
        if isinstance(payload, AuthInfo):
            user = UserInfo(user_id, run.server, payload)
            run.add_user(map_struct.dictid, user)
            return user
        access = PathAccessInfo(user_id, run.server, payload.path)
        run.add_access(map_struct.dictid, access)
        return access

    def _digest_map_server(self, stod: int, user_id: UserId, info: SrvInfo) -> ServerInfo:
        for key, run in list(self._runs.items()):
            old = run.server
            same = (old.host, old.port) == (user_id.host, info.port) and old.known
            # Daemons of one host all say port 0: only an xrootd replaces its own earlier run.
            if same and info.port and old.stod < stod:
                del self._runs[key]
        server = self._run(stod, user_id.sid).server
        server.identify(user_id, info)
        return server

    def _run(self, stod: int, sid: int | None) -> _Run:
        """The run with this identity, a new one if there is none"""
        runs = self._find(stod, sid)
        for run in runs:
            return run
        run = self._runs[stod, sid] = _Run(ServerInfo.unknown(stod, sid))
        if len(self._runs) > MAX_SERVERS:
            del self._runs[next(iter(self._runs))]
        return run

    def _find(self, stod: int, sid: int | None) -> Iterable[_Run]:
        if sid is not None:
            run = self._runs.get((stod, sid))
            return () if run is None else (run,)
        return [run for (started, _), run in self._runs.items() if started == stod]

    def get_user(self, stod: int, dictid: int, sid: int | None = None) -> UserInfo:
        for run in self._find(stod, sid):
            if dictid in run.users:
                return run.users[dictid]
        raise MapInfoError(f"no user {dictid} of the server that started at {stod}")

    def free_user(self, stod: int, dictid: int, sid: int | None = None) -> None:
        for run in self._find(stod, sid):
            if dictid in run.users:
                run.retire(run.users, dictid)

    def set_access(
        self, server: ServerInfo, dictid: int, userid: int, path: bytes
    ) -> PathAccessInfo:
        """Add a file access that an f-stream open with its name announces"""
        run = self._run(server.stod, server.sid)
        user = run.users.get(userid)
        client, auth = (None, None) if user is None else (user.client, user.auth_info)
        access = PathAccessInfo(client, run.server, path, auth)
        run.add_access(dictid, access)
        return access

    def get_access(self, stod: int, dictid: int, sid: int | None = None) -> PathAccessInfo:
        for run in self._find(stod, sid):
            if dictid in run.accesses:
                return run.accesses[dictid]
        raise MapInfoError(f"no file {dictid} of the server that started at {stod}")

    def free_access(self, stod: int, dictid: int, sid: int | None = None) -> None:
        for run in self._find(stod, sid):
            if dictid in run.accesses:
                run.retire(run.accesses, dictid)

    def get_server(self, stod: int, sid: int | None) -> ServerInfo:
        """The server, which may not have identified itself yet"""
        return self._run(stod, sid).server
