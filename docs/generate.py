"""Writes the reference pages that follow from the code: docs/records.md and docs/faults.md.

python docs/generate.py          # write them
python docs/generate.py --check  # exit 1 if they are not up to date
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from gridtap import _core
from gridtap.gridftp.records import Transfer
from gridtap.xrootd.records import RECORDS

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

#: What the columns that every record shares mean; their names say the rest.
SHARED = {
    "server_address": "where the packets came from; an IPv4-mapped address as IPv4",
    "server_udp_port": "source port of the packets",
    "server_started_at": "`stod`, UTC epoch seconds",
    "server_id": "sid, 48 bits",
    "server_host": "from the identification (`=`) packet, like the next five",
    "user_id": "dictid of the login; null when 0 or unknown",
    "user_name": "connection descriptor, like the next three",
    "user_pid": "process id of the client; since XRootD 5.6.5 a session number of the server",
    "auth_protocol": "key `p` of the `u` map; the next eight are its keys n h o r g m x y",
    "ip_version": "4 or 6",
    "app_info": "`i` map; over HTTP the User-Agent",
    "token_subject": "key `s` of the newest `T` map; the next four are its keys n o r g",
    "experiment_id": "SciTags experiment of the `U` map",
    "activity_id": "SciTags activity of the `U` map",
    "file_id": "dictid of the open",
    "path": "name of the open record, else of the `d` map; what is not UTF-8 is shown as U+FFFD",
    "file_size_bytes": "size at open",
    "mode": "`read` or `read-write`, as the open record says: servers say `read` for uploads that "
    "create a file",
    "opened_at": "UTC epoch seconds, interpolated inside the window by the record's place in it",
    "closed_at": "the same; of the disconnect where that ended the access",
    "open_window_start": "UTC epoch seconds of the packet's time record, like the next three",
    "read_bytes": "total at close, or of the last transfer report; from the t-stream alone it "
    "includes vector reads when `readv_bytes` is null",
    "read_ops": "operation counts, where the server sends them",
    "read_min_bytes": "extremes; null when the count is 0 or the server did not track them (pgreads)",
    "read_sigma_bytes": "standard deviations, from the sums of squares",
    "open_seen": "an open record was received",
    "close_seen": "a close record was received",
    "close_reason": "`closed`, `disconnect`, `restart`, `expired`, `evicted` or `open` (at the end of "
    "the input)",
    "loss_suspected": "packets of this server were lost between the first and the last record",
}

INTRO = """\
# Records

Generated from the code by `docs/generate.py`.

The same names are attributes in Python, keys in JSON lines, columns in Arrow, CSV and Parquet. A key is
always there; what the server did not say is null: never 0, never an empty text. `_bytes` and `_s` are
units, `_at` and `_window_` are UTC epoch seconds.
"""

FAULTS = """\
# Faults

Generated from the code by `docs/generate.py`.

A fault is something wrong with a datagram, a line of a log, or the source it came from. The names are
the same in the output of `gridtap decode` and `gridtap scan`, in Python (`DecodeError.kind`, `Fault.kind`,
`LogFault.kind`) and in Rust.

* **dropped**: the datagram, or the record of a log, was not read.
* **lost**: a record, or the rest of the packet or log behind it, was lost; what came before was kept.
* **flagged**: delivered as decoded, with this remark.

| name | cost | meaning |
|---|---|---|
"""


def column_notes(module: str) -> dict[str, dict[str, str]]:
    """The strings behind the fields of the record classes, by class and field."""
    tree = ast.parse((ROOT / "python/gridtap" / module).read_text())
    notes: dict[str, dict[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            fields = notes.setdefault(node.name, {})
            name = ""
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    name = item.target.id
                elif isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and name:
                    text = " ".join(str(item.value.value).split())
                    fields[name] = text.replace("``", "`")
    return notes


def records() -> str:
    notes = column_notes("xrootd/records.py")
    parts = [INTRO]
    for what, record in RECORDS.items():
        doc = (record.__doc__ or "").strip().split("\n")[0].replace("``", "`")
        parts.append(
            f"\n## {what}\n\n`{record.__name__}`. {doc}\n\n| column | type | meaning |\n|---|---|---|\n"
        )
        for name, kind in _core.columns(what):
            note = SHARED.get(name) or notes[record.__name__].get(name, "")
            parts.append(f"| `{name}` | {kind} | {note} |\n")
    return "".join(parts) + transfers()


def transfers() -> str:
    """What `gridtap scan` prints."""
    notes = column_notes("gridftp/records.py")["Transfer"]
    parts = [
        f"\n## transfers\n\n`{Transfer.__name__}`. {Transfer.__doc__} See [GridFTP logs](gridftp.md).\n\n"
        "| column | type | meaning |\n|---|---|---|\n"
    ]
    for name, kind in _core.transfer_columns():
        parts.append(f"| `{name}` | {kind} | {notes.get(name, '')} |\n")
    return "".join(parts)


def fault_notes() -> Iterator[tuple[str, str]]:
    """Name and comment of each kind in the source."""
    source = (ROOT / "src/error.rs").read_text()
    for comment, name in re.findall(r"///\s*(.*)\n\s*\w+ = \"(\w+)\"", source):
        yield name, comment


def faults() -> str:
    notes = dict(fault_notes())
    rows = [f"| `{name}` | {cost} | {notes[name]} |\n" for name, cost in _core.fault_kinds()]
    return FAULTS + "".join(rows)


def main() -> int:
    stale = 0
    for name, text in (("records.md", records()), ("faults.md", faults())):
        path = DOCS / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                print(f"docs/{name} is not what docs/generate.py writes", file=sys.stderr)
                stale = 1
        else:
            path.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
