"""What packets hold that they should not, and how they are framed."""

from __future__ import annotations

from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Check, GlobalCheck, Sign

__all__ = ["CONTENT_CHECKS", "SOURCE_CHECKS"]

#: Faults of packets that are well-formed but of a kind nobody has defined.
_UNKNOWN = ("unknown_code", "trace_unknown_record", "fstat_unknown_record", "redirect_bad_entry")

#: Faults of packets that were cut off.
_CUT = ("truncated_datagram", "truncated_map")

#: Faults with a check of their own.
_ELSEWHERE = (*_UNKNOWN, *_CUT, "missing_fragments")


def _sign(text: str, faults: dict[str, int]) -> Sign | None:
    told = ", ".join(f"{kind} {count:,}" for kind, count in faults.items())
    return Sign(f"{text}: {told}", faults) if faults else None


def _unknown(server: ServerFacts, seen: Observation) -> Sign | None:
    evidence = {kind: server.faults[kind] for kind in _UNKNOWN if server.faults[kind]}
    return _sign("packets or records of a kind nobody has defined", evidence)


def _unknown_keys(server: ServerFacts, seen: Observation) -> Sign | None:
    return _sign("keys of maps that nobody has defined", dict(server.unknown_keys))


def _damaged(server: ServerFacts, seen: Observation) -> Sign | None:
    evidence = {kind: count for kind, count in server.faults.items() if kind not in _ELSEWHERE}
    return _sign("packets that contradict themselves", evidence)


def _gstream_unframed(server: ServerFacts, seen: Observation) -> Sign | None:
    packets = server.codes["text"]
    if "none" not in server.plugins:
        return None
    text = "g-stream events without a header: neither server, nor provider, nor loss is known"
    return Sign(text, {"text_packets": packets})


def _summaries_only(server: ServerFacts, seen: Observation) -> Sign | None:
    others = [each for each in seen.servers.values() if each.host == server.host]
    if not server.codes["summary"] or any(
        set(each.codes) - {"summary"} for each in others if +each.codes
    ):
        return None
    text = f"{server.codes['summary']:,} summary reports, and nothing about files and clients"
    return Sign(text, {"summaries": server.codes["summary"]})


def _truncated(seen: Observation) -> Sign | None:
    evidence: dict[str, int] = {}
    for kind in _CUT:
        count = seen.faults[kind] + sum(each.faults[kind] for each in seen.servers.values())
        if count:
            evidence[kind] = count
    return _sign("packets that were cut off", evidence)


def _not_decoded(seen: Observation) -> Sign | None:
    evidence = {kind: count for kind, count in seen.faults.items() if kind not in _ELSEWHERE}
    return _sign("what came is no monitoring packet, or damaged", evidence)


CONTENT_CHECKS = (
    Check(
        "unknown_records",
        "advice",
        _unknown,
        "a newer XRootD, or not XRootD at all: they are skipped; please report them to gridtap",
    ),
    Check(
        "unknown_keys",
        "advice",
        _unknown_keys,
        "a newer XRootD: they are passed over; please report them to gridtap",
    ),
    Check(
        "damaged_packets", "warning", _damaged, "see gridtap decode for the place of each of them"
    ),
    Check(
        "gstream_unframed",
        "warning",
        _gstream_unframed,
        "send g-streams in binary packets (their word behind `dest`), or with a header "
        "(`xrootd.mongstream ... send json dflthdr`)",
        in_directive=True,
    ),
    Check(
        "summaries_only",
        "advice",
        _summaries_only,
        "`xrd.report` tells of the server as a whole; add `xrootd.monitor` for files and clients",
        in_directive=True,
    ),
)

SOURCE_CHECKS = (
    GlobalCheck(
        "truncated_packets",
        "error",
        _truncated,
        "record whole packets (tcpdump -s 0); relays need buffers of 65,535 bytes",
    ),
    GlobalCheck(
        "undecoded_packets",
        "warning",
        _not_decoded,
        "see gridtap decode for the place of each of them; is the port used by others, too?",
    ),
)
