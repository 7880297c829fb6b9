"""From packets to facts."""

from __future__ import annotations

from gridtap import _core
from gridtap.doctor.facts import Arrival, Observation, ServerFacts, ServerKey, Size
from gridtap.xrootd import (
    AuthInfo,
    Buff,
    FileCLS,
    FileDSC,
    FileOPN,
    FileXFR,
    Fstat,
    Map,
    Packet,
    Plugin,
    ReadU,
    ReadV,
    ReadWrite,
    SrvInfo,
    Summary,
    TextGstream,
)
from gridtap.xrootd.reading import Source, read_packets
from gridtap.xrootd.streams.sequence import sequence_group

__all__ = ["Observer", "observe_capture"]

#: Bytes of IP and UDP headers.
_HEADERS_V4, _HEADERS_V6 = 28, 48

#: Servers that are kept: a spoofer must not buy memory with start times.
_SERVERS = 10_000

#: Maps whose sockets are remembered, to see whether they come twice.
_MAPS = 10_000

#: Unknown keys that are told apart, of one server.
_KEYS = 32

_SUMMARY = "summary"
_TEXT = "text"


class Observer:
    """Takes packets one by one and keeps what the findings need.

    :param mtu_bytes: largest IP packet that the path carries whole
    """

    def __init__(self, mtu_bytes: int = 1500) -> None:
        self.seen = Observation((mtu_bytes - _HEADERS_V4, mtu_bytes - _HEADERS_V6))
        self._maps: dict[tuple[object, ...], int | None] = {}

    def packet(self, packet: Packet | TextGstream | Summary, arrival: Arrival) -> None:
        """One datagram that could be decoded."""
        self.seen.datagrams += 1
        server = self._server((arrival.host, _start_of(packet), _is_residency(packet)))
        if server is None:
            return
        if arrival.received_at is not None:
            if server.first_at is None:
                server.first_at = arrival.received_at
            server.last_at = arrival.received_at
        if isinstance(packet, Packet):
            self._binary(server, packet, arrival)
        elif isinstance(packet, TextGstream):
            self._text(server, packet, arrival)
        else:
            self._size(server, _SUMMARY, arrival)

    def undecoded(self, kind: str, count: int = 1) -> None:
        """Datagrams that could not be decoded, or damage of the source, by kind of fault."""
        self.seen.faults[kind] += count

    def _server(self, key: ServerKey) -> ServerFacts | None:
        server = self.seen.servers.get(key)
        if server is None and len(self.seen.servers) < _SERVERS:
            host, started_at, is_residency = key
            server = ServerFacts(host, started_at, is_residency, is_ipv6=":" in (host or ""))
            self.seen.servers[key] = server
        return server

    def _size(self, server: ServerFacts, stream: str, arrival: Arrival) -> None:
        server.codes[stream] += 1
        size = server.sizes.setdefault(stream, Size())
        size.datagrams += 1
        size.largest_bytes = max(size.largest_bytes, len(arrival.payload))
        size.oversized += len(arrival.payload) > self.seen.payload_bytes[server.is_ipv6]

    def _binary(self, server: ServerFacts, packet: Packet, arrival: Arrival) -> None:
        code = packet.header.code.decode("latin-1")
        self._size(server, code, arrival)
        for fault in packet.faults:
            server.faults[fault.kind] += 1
        if arrival.port is not None:
            server.sockets.setdefault(arrival.destination_port, set()).add(arrival.port)
        group = sequence_group(packet)
        if group is not None:
            name = _sequence_name(group)
            # Where the sockets are known they tell processes apart; not all packets name theirs.
            counter = name if arrival.port is not None else group
            key = (arrival.port, arrival.destination_port, counter)
            server.losses.see(key, name, packet.header.pseq)
        record = packet.record
        if isinstance(record, Map):
            self._map(server, code, record, arrival)
        elif isinstance(record, Fstat):
            _fstat(server, record, arrival)
        elif isinstance(record, Buff):
            for entry in record.records:
                server.segment_reads += isinstance(entry, ReadU)
                server.trace_io += isinstance(entry, ReadWrite | ReadV)
        elif isinstance(record, Plugin):
            letter = (record.provider or b"?").decode("latin-1")
            server.plugins.setdefault("binary", set()).add(letter)

    def _map(self, server: ServerFacts, code: str, record: Map, arrival: Arrival) -> None:
        if code == "=":
            _identity(server, record, arrival)
        elif code == "u" and isinstance(record.payload, AuthInfo):
            server.authenticated += bool(record.payload.protocol)
        for name in _core.unknown_keys(arrival.payload):
            if len(server.unknown_keys) < _KEYS:
                server.unknown_keys[f"{code}:{name}"] += 1
        key = (arrival.host, server.started_at, arrival.destination_port, code, record.dictid)
        if code in "=xp" or arrival.port is None:
            return
        if key not in self._maps and len(self._maps) >= _MAPS:
            self._maps.pop(next(iter(self._maps)))
        if self._maps.setdefault(key, arrival.port) != arrival.port:
            server.repeated_maps += 1

    def _text(self, server: ServerFacts, packet: TextGstream, arrival: Arrival) -> None:
        self._size(server, _TEXT, arrival)
        if packet.src is not None and server.identity is None:
            server.host_name = packet.src.host
        letter = (packet.provider or b"?").decode("latin-1")
        if packet.code == b"g":
            server.plugins.setdefault(packet.framing, set()).add(letter)


def _start_of(packet: Packet | TextGstream | Summary) -> int | None:
    if isinstance(packet, Packet):
        return packet.header.stod
    return packet.stod if isinstance(packet, TextGstream) else packet.tos


def _is_residency(packet: Packet | TextGstream | Summary) -> bool:
    """File residency daemons run beside a server, often started in the same second."""
    if not isinstance(packet, Packet) or not isinstance(packet.record, Map):
        return False
    code = packet.header.code
    return code in (b"x", b"p") or (code == b"=" and packet.record.userid.prot != b"=")


def _sequence_name(group: object) -> str:
    assert isinstance(group, tuple)
    if group[2] == "g":
        return f"g:{group[3].decode('latin-1')}"
    return "main" if group[2] == "shared" else str(group[2])


def _identity(server: ServerFacts, record: Map, arrival: Arrival) -> None:
    if isinstance(record.payload, SrvInfo):
        server.identity = record.payload
    if record.userid.host:
        server.host_name = record.userid.host.decode("utf-8", "replace")
    now = arrival.received_at
    if now is not None:
        before = server.identified_at if server.identified_at is not None else server.first_at
        server.longest_silence_s = max(server.longest_silence_s, now - (before or now))
        server.identified_at = now


def _fstat(server: ServerFacts, record: Fstat, arrival: Arrival) -> None:
    files, sent_at = server.files, record.end or 0
    if record.end is not None and arrival.received_at is not None:
        server.clock(record.end, arrival.received_at)
    for entry in record.records:
        if isinstance(entry, FileOPN):
            at = record.start or sent_at
            files.opened(entry.fileid, at, is_named=entry.lfn is not None)
        elif isinstance(entry, FileCLS):
            files.closed(entry.fileid, sent_at)
            files.closes_with_counts += entry.ops is not None
            files.closes_with_squares += entry.ssq is not None
        elif isinstance(entry, FileXFR):
            files.transfers += 1
        elif isinstance(entry, FileDSC):
            files.ended_sessions += entry.dictid != 0
            files.ended_connections += entry.dictid == 0


def observe_capture(
    source: Source, mtu_bytes: int = 1500, ports: tuple[int, ...] = ()
) -> Observation:
    """Reads a capture to its end.

    :param ports: only packets to these UDP ports
    :raises OSError: the source cannot be read
    """
    observer = Observer(mtu_bytes)
    reader = read_packets(source, ports=ports)
    for packet in reader:
        host, port = reader.peer or (None, None)
        arrival = Arrival(host, port, reader.destination_port, reader.received_at, reader.payload)
        observer.packet(packet, arrival)
    for kind, count in reader.faults().items():
        observer.undecoded(kind, count)
    return observer.seen
