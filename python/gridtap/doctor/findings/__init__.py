"""The registry of checks: what the doctor looks for.

To add one, write it in the file of its subject, add it to the tuple there, and describe it in
docs/doctor.md.
"""

from __future__ import annotations

from gridtap.doctor.finding import Check, GlobalCheck
from gridtap.doctor.findings.clients import CLIENT_CHECKS
from gridtap.doctor.findings.content import CONTENT_CHECKS, SOURCE_CHECKS
from gridtap.doctor.findings.files import FILE_CHECKS
from gridtap.doctor.findings.network import LISTENER_CHECKS, NETWORK_CHECKS

__all__ = ["CHECKS", "GLOBAL_CHECKS"]

CHECKS: tuple[Check, ...] = (*NETWORK_CHECKS, *FILE_CHECKS, *CLIENT_CHECKS, *CONTENT_CHECKS)
GLOBAL_CHECKS: tuple[GlobalCheck, ...] = (*LISTENER_CHECKS, *SOURCE_CHECKS)
