"""Send the packets of a capture again, over UDP.

::

    counts = replay("night.pcap", ("127.0.0.1", 9930), ReplaySettings(rate=20_000, loss=0.01))
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypedDict, cast

from gridtap import _core
from gridtap.errors import GridtapError
from gridtap.xrootd.reading import Source

__all__ = ["ReplayCounts", "ReplayError", "ReplaySettings", "replay"]


class ReplayError(GridtapError):
    """A capture that cannot be replayed as asked, or a destination that cannot be sent to."""


class ReplayCounts(TypedDict):
    """What a replay has done."""

    #: Packets taken from the source
    read: int
    #: Packets sent, and their bytes
    sent: int
    bytes: int
    #: Packets left out, sent twice, and sent behind one that came after them
    lost: int
    duplicated: int
    reordered: int
    #: Answers that nobody listens there
    refused: int
    #: Seconds from the first packet to the last
    elapsed_s: float
    #: Places where the source is damaged, by kind
    faults: dict[str, int]
    #: Original senders (None: not known), and the address and port of the socket that each has now
    senders: list[tuple[tuple[str, int | None] | None, tuple[str, int]]]


@dataclass(frozen=True)
class ReplaySettings:
    """How to send.

    ``rate``: packets per second, 0 for as fast as possible; ``speed``: how many times as fast as
    they were received. ``loss`` and ``duplicate`` are probabilities; with ``reorder`` a packet
    comes up to so many places late. ``seed`` decides which packets these are.

    ``count``: packets taken from the source at most; ``repeat``: times through the source, which is
    held in memory for more than one, 0 for no end.

    ``local``: ``"any"``; ``"spread"`` for a loopback address and, where it is free, the original
    port for each original sender; or a local address to send from.
    """

    rate: float = 0.0
    speed: float | None = None
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: int = 0
    seed: int = 0
    count: int | None = None
    repeat: int = 1
    local: Literal["any", "spread"] | str = "any"

    def _text(self, to: str) -> str:
        local = self.local if self.local in ("any", "spread") else {"address": self.local}
        return json.dumps({**asdict(self), "local": local, "to": to})


def replay(
    source: Source,
    to: tuple[str, int],
    settings: ReplaySettings | None = None,
    *,
    ports: Sequence[int] = (),
    advance: Callable[[int], None] | None = None,
) -> ReplayCounts:
    """Sends the packets of a source, each original sender's from a socket of its own.

    :param to: host and UDP port
    :param ports: of a capture, only packets to these UDP ports
    :param advance: called now and then with the bytes of the source that are behind
    :raises OSError: the source cannot be read
    :raises ReplayError: the destination is not known or cannot be sent to, settings make no sense,
        the source has no times for ``speed``, or a packet is longer than UDP allows
    """
    where = f"{to[0]}:{to[1]}"
    text = (settings or ReplaySettings())._text(_resolved(*to))
    try:
        run = _core.Replay(source, text, list(ports))
    except ValueError as error:
        raise ReplayError(str(error)) from error
    more = True
    while more:
        try:
            more, position = run.step()
        except ValueError as error:
            raise ReplayError(f"{_named(source)}: {error}") from error
        except OSError as error:
            if error.filename is not None:
                raise
            raise ReplayError(f"{where}: {error.strerror or error}") from error
        if advance is not None:
            advance(position)
    return cast(ReplayCounts, run.counts())


def _resolved(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no host name"
        raise ReplayError(f"{host}: {reason}") from error
    host, *more = map(str, found[0][4])
    if len(more) == 1:
        return f"{host}:{port}"
    # The core has the zone of a link-local address as a number.
    zone = f"%{more[2]}" if more[2] != "0" else ""
    return f"[{host.partition('%')[0]}{zone}]:{port}"


def _named(source: Source) -> str:
    return "-" if source == "-" else str(getattr(source, "name", source))
