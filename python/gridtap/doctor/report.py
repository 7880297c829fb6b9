"""Findings as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence

from gridtap.doctor.directive import corrected_lines
from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Finding

__all__ = ["as_json", "as_text"]

#: Names of severities in text, as wide as the longest.
_WIDTH = 8

Style = Callable[[str, str], str]


def as_json(seen: Observation, findings: Sequence[Finding], collector: str) -> str:
    """One JSON object: what was looked at, and the findings."""
    servers = [
        {**_described(server), "packets": server.packets, "codes": dict(server.codes)}
        for server in seen.servers.values()
    ]
    listed = [
        {
            "id": finding.id,
            "severity": finding.severity,
            "server": None if finding.server is None else _described(finding.server),
            "text": finding.text,
            "evidence": dict(finding.evidence),
            "remedy": finding.remedy,
            "configuration": _lines(finding.server, [finding], seen, collector),
        }
        for finding in findings
    ]
    summary = {"datagrams": seen.datagrams, "kernel_drops": seen.kernel_drops}
    return json.dumps({**summary, "servers": servers, "findings": listed}, indent=2)


def as_text(
    seen: Observation, findings: Sequence[Finding], collector: str, width: int, style: Style
) -> Iterator[str]:
    """Lines for people.

    :param width: of the screen, columns
    :param style: makes a severity or a title of a text stand out
    """
    groups: dict[int, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(id(finding.server), []).append(finding)
    for group in groups.values():
        server = group[0].server
        yield style("title", _title(server))
        for finding in group:
            yield from _wrapped(finding, width, style)
        lines = _lines(server, group, seen, collector)
        if lines:
            yield "  its configuration should say"
            yield from (style("line", f"    {line}") for line in lines)
        yield ""
    well = len(seen.servers) - len({id(f.server) for f in findings if f.server is not None})
    count = _counted(len(findings), "finding") if findings else "nothing to do"
    servers = f"{_counted(seen.datagrams, 'packet')} of {_counted(len(seen.servers), 'server')}"
    rest = f", {_counted(well, 'server')} without any" if findings and well else ""
    yield f"{servers}: {count}{rest}"


def _wrapped(finding: Finding, width: int, style: Style) -> Iterator[str]:
    indent = " " * (_WIDTH + 4)
    first = f"  {style(finding.severity, f'{finding.severity:{_WIDTH}}')}  "
    text = f"{finding.id}: {finding.text}"
    wrap = textwrap.TextWrapper(max(width - len(indent), 40), break_on_hyphens=False)
    for number, line in enumerate(wrap.wrap(text)):
        yield (indent if number else first) + line
    for line in wrap.wrap(f"-> {finding.remedy}"):
        yield indent + line


def _lines(
    server: ServerFacts | None, group: Sequence[Finding], seen: Observation, collector: str
) -> list[str]:
    if server is None or not any(finding.in_directive for finding in group):
        return []
    return corrected_lines(server, seen.payload_bytes[server.is_ipv6], collector)


def _described(server: ServerFacts) -> dict[str, object]:
    identity = server.identity
    return {
        "address": server.host,
        "started_at": server.started_at,
        "host": server.host_name,
        "instance": _text(identity.inst) if identity else None,
        "program": _text(identity.pgm) if identity else None,
        "version": _text(identity.ver) if identity else None,
        "port": identity.port if identity else None,
        "site": _text(identity.site) if identity else None,
    }


def _title(server: ServerFacts | None) -> str:
    if server is None:
        return "in general"
    told = _described(server)
    name = told["host"] or told["address"] or "a server"
    port = f":{told['port']}" if told["port"] else ""
    parts = [told["program"], told["version"], told["instance"], told["site"], told["address"]]
    shown = ", ".join(str(part) for part in parts if part and part != name)
    span = f" in {server.span_s:,.0f} s" if server.span_s is not None else ""
    told_about = f" ({shown})" if shown else ""
    return _tame(f"{name}{port}{told_about}: {server.packets:,} packets{span}")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _tame(text: str) -> str:
    """Servers name themselves: what they say must not reach the terminal as commands."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
