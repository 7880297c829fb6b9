"""What an archive is told of transfers: the test that they belong to, and points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gridtap.gridftp import Transfer
from gridtap.loader.errors import UnusableTransferError
from gridtap.loader.hosts import Hosts
from gridtap.loader.replies import SUCCESS, failure

__all__ = [
    "JSON_TYPES",
    "NETLOGGER_TYPES",
    "SAME_SECOND",
    "Choice",
    "Description",
    "describe",
    "has_failed",
    "is_loaded",
    "points",
    "second_of",
]

#: Event types that a metadata announces, by the form of the log
NETLOGGER_TYPES: Final = ("throughput", "streams-packet-retransmits", "failures")
JSON_TYPES: Final = (*NETLOGGER_TYPES, "iostat", "mpstat", "rusage", "streams-tcpinfo")

#: Parameter that keeps transfers apart that are alike and begin in one second
SAME_SECOND: Final = "gridftp-same-second"

#: What the JSON form calls the end of a transfer; other events are none.
_JSON_EVENT: Final = "Transfer-End"

_SENT: Final = frozenset({"RETR"})
_RECEIVED: Final = frozenset({"STOR"})
_PARTIAL: Final = frozenset({"ERET", "ESTO"})


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user wants to be stored.

    :param files: paths, in the metadata
    :param users: local accounts, in the metadata
    :param volumes: in the metadata
    :param partial: also ERET and ESTO: parts of files, and additions
    :param aggregate: transfers that begin in one second are one point; their sizes are not part of
        the metadata
    """

    files: bool = False
    users: bool = False
    volumes: bool = False
    partial: bool = False
    aggregate: bool = False


class Description(NamedTuple):
    """What an archive calls a metadata; equal ones are the same metadata there."""

    source: str
    destination: str
    agent: str
    input_source: str
    input_destination: str
    event_types: tuple[str, ...]
    parameters: tuple[tuple[str, int | str], ...]


def is_loaded(transfer: Transfer, choice: Choice) -> bool:
    """Whether this is a transfer: listings and the like are logged in the same way"""
    operation = transfer.operation
    if operation in _SENT or operation in _RECEIVED:
        return True
    return choice.partial and operation in _PARTIAL


def describe(transfer: Transfer, hosts: Hosts, choice: Choice, place: int = 0) -> Description:
    """The test that a transfer is one result of.

    :param place: how many others have taken its second in the tests before
    :raises UnusableTransferError: something is missing that a test needs
    """
    peer, host = transfer.remote_address, transfer.host
    if peer is None:
        raise UnusableTransferError("the log does not say who the peer was")
    if not host:
        raise UnusableTransferError("the log does not name the server")
    server = hosts.address(host, peer)
    is_sent = transfer.operation in ("RETR", "ERET")
    # What comes too late to be merged is described as if nothing was.
    mates = max(0, place - choice.aggregate)
    with_size = not choice.aggregate or place > 0
    ends = (server, peer, server, host, peer) if is_sent else (peer, server, server, peer, host)
    values = [
        ("bw-parallel-streams", transfer.streams),
        ("bw-stripes", transfer.stripes),
        ("gridftp-program", transfer.program),
        ("gridftp-block-size", transfer.block_bytes),
        ("tcp-window-size", transfer.tcp_buffer_bytes),
        ("gridftp-bytes-transferred", transfer.transferred_bytes if with_size else None),
        (SAME_SECOND, mates or None),
        ("gridftp-file", transfer.path if choice.files else None),
        ("gridftp-user", transfer.user if choice.users else None),
        ("gridftp-volume", transfer.volume if choice.volumes else None),
    ]
    types = JSON_TYPES if transfer.event == _JSON_EVENT else NETLOGGER_TYPES
    # An archive fails on nulls.
    given = tuple((name, value) for name, value in values if value is not None)
    return Description(*ends, types, given)


def second_of(transfer: Transfer) -> int:
    """UTC epoch second of a transfer's points: of its start, cut

    :raises UnusableTransferError: it is not known, or the transfer is none
    """
    if transfer.started_at is None:
        raise UnusableTransferError("the time of its start is none")
    if not has_failed(transfer):
        if transfer.ended_at is None:
            raise UnusableTransferError("the time of its end is none")
        if transfer.ended_at < transfer.started_at:
            raise UnusableTransferError("it ends before it begins: a clock was set back")
        if transfer.transferred_bytes is None:
            raise UnusableTransferError("its size is none")
    return math.floor(transfer.started_at)


def has_failed(transfer: Transfer) -> bool:
    """Whether the server said so"""
    return transfer.code is not None and transfer.code != SUCCESS


def points(transfers: Sequence[Transfer]) -> list[tuple[str, Any]]:
    """Event types and values of transfers that begin in one second and all failed, or all did not.

    The first point tells these transfers from others, as far as points do.
    """
    if has_failed(transfers[0]):
        errors = dict.fromkeys(failure(each.code) for each in transfers if each.code is not None)
        return [("failures", {"error": "; ".join(errors)})]
    rate = _throughput(transfers)
    values: list[tuple[str, Any]] = [("throughput", rate)] if rate is not None else []
    lists = [_retransmits(each) for each in transfers]
    values.append(("streams-packet-retransmits", [one for each in lists for one in each]))
    last = transfers[-1]
    for name, value in (("iostat", last.iostat), ("mpstat", last.mpstat), ("rusage", last.rusage)):
        if value is not None:
            values.append((name, value))
    tcp_info = [each.tcp_info for each in transfers if each.tcp_info is not None]
    if tcp_info:
        values.append(("streams-tcpinfo", [one for each in tcp_info for one in each]))
    return values


def _throughput(transfers: Sequence[Transfer]) -> float | None:
    """Bits per second: of several, all bits from the first start to the last end."""
    if len(transfers) == 1:
        return transfers[0].throughput_bps
    started = min(each.started_at or 0.0 for each in transfers)
    ended = max(each.ended_at or 0.0 for each in transfers)
    # Whole microseconds, as logged: a difference of such floats is not exact.
    duration_us = round(ended * 1e6) - round(started * 1e6)
    if duration_us <= 0:
        return None
    return 8 * sum(each.transferred_bytes or 0 for each in transfers) / (duration_us / 1e6)


def _retransmits(transfer: Transfer) -> list[int | None]:
    counts = transfer.retransmits or []
    if transfer.event == _JSON_EVENT:
        return [] if all(count is None for count in counts) else counts
    # As logged: the server's platform does not count.
    return [-1 if count is None else count for count in counts]
