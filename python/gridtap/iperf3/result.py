"""From the JSON of iperf3 to measurements.

==========================  ============================================================
metadata                    member of ``start``
==========================  ============================================================
source, destination         ``connected[0]``: local and remote host, the other way round
                            with ``test_start.reverse``
time stamp                  ``timestamp.timesecs``
ip-transport-protocol       ``test_start.protocol``
time-duration               ``test_start.duration``
bw-parallel-streams         ``test_start.num_streams``
bw-ignore-first-seconds     ``test_start.omit``
==========================  ============================================================

What becomes of ``intervals`` and ``end`` is in :py:mod:`gridtap.iperf3.points`. The format follows
iperf3's ``iperf_api.c`` (https://github.com/esnet/iperf).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gridtap.iperf3.document import Field, ResultError
from gridtap.iperf3.measurement import FAILURES, Measurement
from gridtap.iperf3.points import Direction, points_of

__all__ = ["Ends", "ResultError", "measurements"]

#: How members of ``intervals`` and ``end`` about the other direction end
_OTHER = "_bidir_reverse"


class Ends(NamedTuple):
    """Who sends and who receives, as whoever ordered the test wrote it."""

    source: str
    destination: str

    def swapped(self) -> Ends:
        """The other direction."""
        return Ends(self.destination, self.source)


def measurements(document: Any, ends: Ends, tool_name: str, began_at: int) -> list[Measurement]:
    """The measurements of a result: one, or two if it is of a test in both directions.

    A result with an error is one failure: what was measured before it is not what the test was to
    measure.

    :param document: the output of ``iperf3 --json``, as read
    :param began_at: UTC epoch seconds; for tests that failed before iperf3 noted the time
    :raises ResultError: it is no result of a client
    """
    result = Field(document)
    if not isinstance(document, dict) or not {"start", "error"} & document.keys():
        raise ResultError("not a result of iperf3: no start")
    start = result.get("start") or Field({}, "start")
    if "accepted_connection" in start:
        # It has zeros for what only the client knows.
        raise ResultError("the result of an iperf3 server: the client's is needed")
    if "error" in result:
        return [_failure(result["error"].text, start, ends, tool_name, began_at)]
    sends = not start["test_start"].flag("reverse")
    if not _is_bidirectional(result):
        return [_direction(result, start, ends, tool_name, Direction(sends))]
    return [
        _direction(result, start, ends, tool_name, Direction(True, "", True)),
        _direction(result, start, ends.swapped(), tool_name, Direction(False, _OTHER, True)),
    ]


def _is_bidirectional(result: Field) -> bool:
    """iperf3 3.12 does not say so at the start."""
    return any(f"{name}{_OTHER}" in result["end"] for name in ("sum", "sum_received"))


def _direction(
    result: Field, start: Field, ends: Ends, tool_name: str, direction: Direction
) -> Measurement:
    test = start["test_start"]
    parameters = _parameters(test)
    if direction.is_one_of_two:
        # Two directions at once are slower than each alone, and between two addresses of one host
        # nothing else tells them apart.
        parameters["bw-bidirectional"] = "forward" if direction.sends else "reverse"
    return Measurement(
        int(start["timestamp"]["timesecs"].number),
        *_addresses(start, direction.sends),
        *ends,
        tool_name,
        _connection(start)["local_host"].address,
        test["protocol"].text.lower(),
        test["duration"].number,
        parameters,
        points_of(result, direction),
    )


def _failure(said: str, start: Field, ends: Ends, tool_name: str, began_at: int) -> Measurement:
    test = start.get("test_start")
    connected = "connected" in start and bool(start["connected"].value)
    local = _connection(start)["local_host"].address if connected else None
    noted = "timestamp" in start and "timesecs" in start["timestamp"]
    sends = test is None or not test.flag("reverse")
    return Measurement(
        int(start["timestamp"]["timesecs"].number) if noted else began_at,
        *(_addresses(start, sends) if connected else ends),
        *ends,
        tool_name,
        local,
        test["protocol"].text.lower() if test else None,
        test["duration"].number if test else None,
        _parameters(test) if test else {},
        [(FAILURES, {"error": said})],
    )


def _parameters(test: Field) -> dict[str, Any]:
    return {
        "bw-parallel-streams": test["num_streams"].number,
        "bw-ignore-first-seconds": test["omit"].number if "omit" in test else 0,
    }


def _connection(start: Field) -> Field:
    for connection in start["connected"]:
        return connection
    raise ResultError("start.connected is empty")


def _addresses(start: Field, sends: bool) -> tuple[str, str]:
    connection = _connection(start)
    local, remote = connection["local_host"].address, connection["remote_host"].address
    return (local, remote) if sends else (remote, local)
