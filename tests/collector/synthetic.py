"""Packets of servers that do not exist, at rates that no test machine's servers reach.

What real servers send is tested elsewhere with real servers and their captures. This is for hours
of steady traffic with losses and restarts, and for floods; every access is counted as it is made.
"""

from __future__ import annotations

import random
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

_OPS = struct.pack("!3l2hq6l", 12, 3, 0, 1, 16, 33, 4096, 1 << 20, 100, 200_000, 0, 0)
_CLOSE, _OPEN, _TIME, _DISCONNECT = 0, 1, 2, 4
_HAS_OPS, _IS_WRITABLE = 2, 2

#: Of linux/in.h; Python 3.11 has no name for it.
_IP_PKTINFO = 8


class Sender:
    """One socket that sends from any loopback address, as any number of servers would"""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self._socket.bind(("0.0.0.0", 0))
        self._to = ("127.0.0.1", port)
        self.sent = 0

    def send(self, source: str, payload: bytes) -> None:
        """Sends a datagram whose source address is that one"""
        # struct in_pktinfo: interface, source address, (destination address).
        info = struct.pack("=I4s4s", 0, socket.inet_aton(source), bytes(4))
        self._socket.sendmsg([payload], [(socket.IPPROTO_IP, _IP_PKTINFO, info)], 0, self._to)
        self.sent += 1

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True)
class Chances:
    """How likely a packet is lost, sent twice, overtaken by the next one; and a server restarted"""

    loss: float = 0.0
    duplicate: float = 0.0
    overtaken: float = 0.0
    restart: float = 0.0


@dataclass
class Server:
    """A server that opens two files for each login and closes them some logins later"""

    address: str
    sid: int
    started_at: int
    chances: Chances
    random: random.Random
    #: Accesses of which at least the open or the close was sent: each must end in one record.
    accesses: int = 0
    #: Of those, with open and close sent.
    whole: int = 0
    lost: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)
    _dictid: int = 0
    #: Files open: dictid and whether the open was sent.
    _open: deque[tuple[int, bool]] = field(default_factory=deque)
    _logins: deque[int] = field(default_factory=deque)
    _held: bytes | None = None

    def packets(self) -> Iterator[bytes]:
        """What it sends next: who it is, a login with two files, the end of an older one"""
        if not self._dictid or self.random.random() < 0.01:
            yield from self._pass_on(self._identification())
        if self.random.random() < self.chances.restart:
            self._restart()
            yield from self._pass_on(self._identification())
        login, first, second = self._dictid + 1, self._dictid + 2, self._dictid + 3
        self._dictid += 3
        user = b"xroot/user%d.%d:%d@wn%03d.example.org" % (
            login % 97,
            10_000 + login % 50_000,
            self.sid,
            login % 200,
        )
        auth = b"&p=gsi&n=alice&h=wn&o=atlas&r=NULL&g=/atlas&m=/DC=ch/CN=Alice&R=v5.5.3&x=xrdcp&I=4"
        yield from self._pass_on(self._map(b"u", login, user + b"\n" + auth))
        yield from self._pass_on(self._map(b"i", login, user + b"\njob-%d" % login))
        for file in (first, second):
            name = b"/store/data/run%06d/%032x.root" % (file % 1_000_000, file * 2_654_435_761)
            yield from self._pass_on(self._map(b"d", file, user + b"\n" + name))
        yield from self._files(login, (first, second))

    def _files(self, login: int, files: tuple[int, int]) -> Iterator[bytes]:
        """The f packet that opens files and ends those that were opened some logins ago"""
        records = [struct.pack("!BBHLq", _OPEN, _IS_WRITABLE, 16, file, 1 << 20) for file in files]
        closing = []
        if len(self._logins) >= 10:
            closing = [self._open.popleft(), self._open.popleft()]
            for file, _ in closing:
                head = struct.pack("!BBHLqqq", _CLOSE, _HAS_OPS, 80, file, 1 << 20, 4096, 0)
                records.append(head + _OPS)
            records.append(struct.pack("!BBHL", _DISCONNECT, 0, 8, self._logins.popleft()))
        now = int(time.time())
        head = struct.pack("!BBHHHLLQ", _TIME, 1, 24, 0, len(records), now - 1, now, self.sid)
        packet = self._packet(b"f", "f", head + b"".join(records))
        is_sent = self.random.random() >= self.chances.loss
        self._logins.append(login)
        self._open.extend((file, is_sent) for file in files)
        self.accesses += len(files) if is_sent else 0
        for _, was_sent in closing:
            self.accesses += is_sent and not was_sent
            self.whole += is_sent and was_sent
        if is_sent:
            yield from self._pass_on(packet, may_be_lost=False)
        else:
            self.lost += 1

    def _restart(self) -> None:
        self.started_at += 1 + self.random.randrange(50)
        self._numbers.clear()
        self._open.clear()
        self._logins.clear()
        self._dictid = 0

    def _pass_on(self, packet: bytes, may_be_lost: bool = True) -> Iterator[bytes]:
        chances, chance = self.chances, self.random.random
        if may_be_lost and chance() < chances.loss:
            self.lost += 1
            return
        if self._held is None and chance() < chances.overtaken:
            self._held = packet
            return
        yield packet
        if chance() < chances.duplicate:
            yield packet
        if self._held is not None:
            held, self._held = self._held, None
            yield held

    def flush(self) -> Iterator[bytes]:
        """What is still to be overtaken"""
        if self._held is not None:
            yield self._held
            self._held = None

    def _identification(self) -> bytes:
        text = b"=/xrootd.1234:%d@%s\n&site=SOAK&port=1094&inst=anon&pgm=xrootd&ver=v5.5.3"
        return self._map(b"=", 0, text % (self.sid, self.address.encode()))

    def _map(self, code: bytes, dictid: int, info: bytes) -> bytes:
        return self._packet(code, "main", struct.pack("!L", dictid) + info)

    def _packet(self, code: bytes, sequence: str, body: bytes) -> bytes:
        number = self._numbers.get(sequence, 0)
        self._numbers[sequence] = (number + 1) % 256
        return struct.pack("!cBHL", code, number, 8 + len(body), self.started_at) + body


def fleet(count: int, chances: Chances, seed: int = 1) -> list[Server]:
    """Servers with an address each"""
    started_at = int(time.time()) - 86_400
    return [
        Server(
            f"127.10.{number // 250}.{number % 250 + 1}",
            70_000_000_000_000 + number,
            started_at,
            chances,
            random.Random(seed * 1000 + number),
        )
        for number in range(count)
    ]


def drive(sender: Sender, servers: list[Server], seconds: float, rate: float) -> None:
    """Lets the servers send, in turn, at ``rate`` packets per second all together"""
    began = time.monotonic()
    first = sender.sent
    turn = 0
    while (passed := time.monotonic() - began) < seconds:
        if sender.sent - first > passed * rate:
            time.sleep(0.001)
            continue
        server = servers[turn % len(servers)]
        turn += 1
        for packet in server.packets():
            sender.send(server.address, packet)
    for server in servers:
        for packet in server.flush():
            sender.send(server.address, packet)
