"""What really happened in a capture: the clients' own account, and how to find it in records."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridtap.xrootd import FileAccess

DATA = Path(__file__).parent.parent / "data" / "xrootd"

#: The whole corpus, where somebody has it; the copied part otherwise.
CORPUS = Path(os.environ.get("GRIDTAP_CORPUS", DATA))

#: Captures whose servers send no file records at all: g-streams, logins or summaries alone.
NO_FILES = {
    "gstream-pfc-cgi-dflthdr",
    "gstream-pfc-json",
    "gstream-pfc-json-hosthdr",
    "gstream-pfc-json-insthdr",
    "gstream-pfc-json-sitehdr",
    "gstream-pfc-nohdr",
    "gstream-tcpmon-bin",
    "gstream-tcpmon-json",
    "report-all",
    "user-only",
}

#: The capture cut the packets; what is left of the file records cannot be decoded.
CUT = {"snaplen-256"}

#: No path and no login in the packets: only the number of opens can be compared.
ANONYMOUS = {"fstat-basic"}

#: Copy agents of third-party copies are clients too, but not in the account.
UNACCOUNTED = {"gstream-all-mixed": 12, "gstream-tpc-bin": 16, "gstream-tpc-http": 17}


@dataclass(frozen=True)
class Access:
    """One open as the client saw it."""

    pid: int
    login: str
    path: str
    server: str
    via: str
    ended_by: str
    facts: dict[str, Any]


def captures() -> list[str]:
    """Names of all captures with an account."""
    return sorted(path.name.removesuffix(".truth.json") for path in CORPUS.glob("*.truth.json"))


def _rows(truth: dict[str, Any]) -> list[dict[str, Any]]:
    accesses = truth["accesses"]
    if isinstance(accesses, list):
        return accesses
    rows = []
    for values in accesses["rows"]:
        row = dict(zip(accesses["columns"], values, strict=True))
        row |= accesses["sessions"][row.pop("session")]
        row["server"] = accesses["servers"][row["server"]]
        row["path"] = accesses["paths"][row["path"]]
        rows.append(row)
    return rows


def _path(row: dict[str, Any]) -> str:
    if "path_hex" in row:
        return bytes.fromhex(row["path_hex"]).decode("utf-8", "replace")
    path: str = row["path"]
    return path


def load(name: str) -> list[Access]:
    """The accesses of a capture that succeeded."""
    truth = json.loads((CORPUS / f"{name}.truth.json").read_text())
    return [
        Access(
            pid=row["client_pid"],
            login=row.get("login_user") or "",
            path=_path(row),
            server=str(row.get("server", "")).split(":")[0],
            via=row.get("via") or "",
            ended_by=row.get("closed", ""),
            facts=row,
        )
        for row in _rows(truth)
        if row.get("open_ok", True)
    ]


def pair(
    accesses: list[Access], records: list[FileAccess]
) -> tuple[list[tuple[Access, FileAccess]], list[Access], list[FileAccess]]:
    """Matches accesses to records, each once: by process id and path, else by login and path, else
    by path alone (HTTP clients have neither). Within these, in order.
    """
    waiting: dict[str, list[FileAccess]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.file_id or 0):
        waiting[record.path or ""].append(record)
    pairs: list[tuple[Access, FileAccess]] = []
    rest = accesses
    rules = (
        lambda a, r: (r.user_pid, r.user_name, r.server_host) == (a.pid, a.login, a.server),
        lambda a, r: r.user_pid == a.pid and r.server_host in (a.server, None),
        lambda a, r: r.user_name == a.login and not a.via.startswith("http"),
        lambda a, r: a.via.startswith("http") == (r.user_protocol in ("http", "https")),
        lambda a, r: True,
    )
    for rule in rules:
        left = []
        for access in rest:
            found = next((r for r in waiting[access.path] if rule(access, r)), None)
            if found is None:
                left.append(access)
            else:
                waiting[access.path].remove(found)
                pairs.append((access, found))
        rest = left
    return pairs, rest, [record for records in waiting.values() for record in records]
