"""From facts to findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Finding
from gridtap.doctor.findings import CHECKS, GLOBAL_CHECKS

__all__ = ["examine"]

#: How findings are sorted.
_ORDER = {"error": 0, "warning": 1, "advice": 2}


def examine(seen: Observation, ignored: Collection[str] = ()) -> list[Finding]:
    """All findings: those of no server first, then by server, the worst first.

    Of a server that was started anew only the last process counts for each finding.

    :param ignored: ids of findings that are not wanted
    """
    general = [
        Finding(check.id, check.severity, sign.text, sign.evidence, check.remedy, False, None)
        for check in GLOBAL_CHECKS
        if check.id not in ignored and (sign := check.look(seen)) is not None
    ]
    latest: dict[tuple[object, ...], Finding] = {}
    for server in seen.servers.values():
        for finding in _of_server(server, seen):
            if finding.id not in ignored:
                latest[(*_who(server), finding.id)] = finding
    general.sort(key=lambda finding: _ORDER[finding.severity])
    places = {_who(server): place for place, server in enumerate(seen.servers.values())}
    return general + sorted(latest.values(), key=lambda each: _place(each, places))


def _of_server(server: ServerFacts, seen: Observation) -> Iterator[Finding]:
    for check in CHECKS:
        sign = check.look(server, seen)
        if sign is not None:
            yield Finding(
                check.id,
                check.severity,
                sign.text,
                sign.evidence,
                check.remedy,
                check.in_directive,
                server,
            )


def _who(server: ServerFacts) -> tuple[object, ...]:
    """The same for all processes of a server, one after the other."""
    identity = server.identity
    if identity is None:
        return (server.host, server.started_at)
    return (server.host, identity.inst, identity.port, server.is_residency)


def _place(finding: Finding, places: dict[tuple[object, ...], int]) -> tuple[int, int]:
    assert finding.server is not None
    return places[_who(finding.server)], _ORDER[finding.severity]
