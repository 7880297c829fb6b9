"""What servers do not tell of files."""

from __future__ import annotations

from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Check, Sign

__all__ = ["FILE_CHECKS"]

#: An open file without a report of its transfer for this long is worth one, seconds.
_LONG_OPEN_S = 600


def _no_fstat(server: ServerFacts, seen: Observation) -> Sign | None:
    # What was cut off may have been just that.
    is_cut = seen.faults["truncated_datagram"] > 0
    if not server.serves_files or server.codes["f"] or server.codes["t"] or is_cut:
        return None
    text = f"no file is told of: no f-stream and no t-stream, but {server.codes['u']:,} logins"
    return Sign(text, {"u_packets": server.codes["u"], "f_packets": 0, "t_packets": 0})


def _tstream_without_fstat(server: ServerFacts, seen: Observation) -> Sign | None:
    if server.codes["f"] or not server.codes["t"] or seen.faults["truncated_datagram"]:
        return None
    text = "a t-stream without an f-stream: totals of closes only, and files whose close is lost"
    return Sign(text, {"t_packets": server.codes["t"], "f_packets": 0})


def _no_closes(server: ServerFacts, seen: Observation) -> Sign | None:
    files = server.files
    ends = files.ended_sessions + (0 if server.codes["u"] else files.ended_connections)
    if not files.opens or files.closes or files.transfers or not ends:
        return None
    text = f"{files.opens:,} files were opened, and none was reported closed or read"
    evidence = {"opens": files.opens, "closes": 0, "transfer_reports": 0, "ended_sessions": ends}
    return Sign(text, evidence)


def _no_transfer_reports(server: ServerFacts, seen: Observation) -> Sign | None:
    files = server.files
    if files.transfers or files.longest_open_s < _LONG_OPEN_S:
        return None
    text = f"files stay open for up to {files.longest_open_s:,} s without a report in between"
    return Sign(text, {"longest_open_s": files.longest_open_s, "transfer_reports": 0})


def _no_ops(server: ServerFacts, seen: Observation) -> Sign | None:
    files = server.files
    if not files.closes or files.closes_with_counts:
        return None
    text = f"{files.closes:,} closes without the number and size of operations"
    return Sign(text, {"closes": files.closes, "closes_with_ops": 0})


def _no_ssq(server: ServerFacts, seen: Observation) -> Sign | None:
    files = server.files
    if not files.closes_with_counts or files.closes_with_squares:
        return None
    text = f"{files.closes:,} closes without sums of squares: no deviations of operation sizes"
    return Sign(text, {"closes": files.closes, "closes_with_ssq": 0})


def _no_lfn(server: ServerFacts, seen: Observation) -> Sign | None:
    files = server.files
    if not files.opens or files.named_opens:
        return None
    maps = server.codes["d"]
    text = f"{files.opens:,} opens without a path"
    text += ", which is told in packets of their own" if maps else ", and no other packet has it"
    return Sign(text, {"opens": files.opens, "opens_with_lfn": 0, "d_packets": maps})


FILE_CHECKS = (
    Check(
        "no_fstat",
        "warning",
        _no_fstat,
        "configure `fstat` and send it here (`dest fstat`), unless it goes elsewhere on purpose",
        in_directive=True,
    ),
    Check(
        "tstream_without_fstat",
        "warning",
        _tstream_without_fstat,
        "configure `fstat` and send it here (`dest fstat`)",
        in_directive=True,
    ),
    Check(
        "no_closes",
        "error",
        _no_closes,
        "add `xfr 5` to `fstat`: without it servers from 4.8.0 on report no closes",
        in_directive=True,
    ),
    Check(
        "no_transfer_reports",
        "advice",
        _no_transfer_reports,
        "set `xfr 5` behind `fstat`: a report for each busy file every fifth interval",
        in_directive=True,
    ),
    Check("no_ops", "advice", _no_ops, "add `ops` to `fstat`", in_directive=True),
    Check("no_ssq", "advice", _no_ssq, "add `ssq` to `fstat`", in_directive=True),
    Check("no_lfn", "warning", _no_lfn, "add `lfn` to `fstat`", in_directive=True),
)
