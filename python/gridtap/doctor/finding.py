"""What a finding is, and what looks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from gridtap.doctor.facts import Observation, ServerFacts

__all__ = ["Check", "Finding", "GlobalCheck", "Severity", "Sign"]

#: ``error``: data is lost or wrong; ``warning``: some will be; ``advice``: more could be known
Severity = Literal["error", "warning", "advice"]

#: What evidence is made of.
Number = int | float | str


@dataclass(frozen=True)
class Sign:
    """What a check saw: a sentence, and the numbers behind it."""

    text: str
    evidence: Mapping[str, Number]


@dataclass(frozen=True)
class Check:
    """Looks for one thing at one server.

    ``in_directive``: the corrected ``xrootd.monitor`` line is the remedy.
    """

    id: str
    severity: Severity
    look: Callable[[ServerFacts, Observation], Sign | None]
    remedy: str
    in_directive: bool = False


@dataclass(frozen=True)
class GlobalCheck:
    """Looks for one thing that is no server's."""

    id: str
    severity: Severity
    look: Callable[[Observation], Sign | None]
    remedy: str


@dataclass(frozen=True)
class Finding:
    """What a check found. ``server`` is None for what is no server's."""

    id: str
    severity: Severity
    text: str
    evidence: Mapping[str, Number]
    remedy: str
    in_directive: bool
    server: ServerFacts | None
