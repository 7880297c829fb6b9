"""What the original command sent and said, and what ours does where it deviates on purpose.

The golden cases are those of esmond_client 4.4 against an esmond server. Each deviation is a
function that turns what the original did into what is expected; its name is a row of the table in
``docs/load-gridftp.md``.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridtap.gridftp import read_transfers
from tests.esmond.conftest import Archive
from tests.gridftp_load.command import DATA, events, load

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "load-gridftp.md"
GOLDEN = ROOT / "tests/data/esmond/esmond-ps-load-gridftp.json"

#: What the resolver of the golden cases knew
KNOWN = (
    "--host-address=dtn1.example.net=192.0.2.81",
    "--host-address=dtn1.example.net=2001:db8::81",
    "--host-address=dtn2.example.net=192.0.2.82",
    "--host-address=dtn2.example.net=2001:db8::82",
)

Case = dict[str, Any]
CASES: dict[str, Case] = {case["name"]: case for case in json.loads(GOLDEN.read_text())["cases"]}

_SCAN = "event=scan_and_load_netlogger"


def pairs(case: Case) -> list[tuple[Any, Any]]:
    """Description and data of each record"""
    requests = case["requests"]
    return list(zip(requests[::2], requests[1::2], strict=True))


def mapped_peers(case: Case) -> None:
    """An IPv4 peer is one, however its server saw it"""
    fields = ("source", "destination", "input-source", "input-destination", "measurement-agent")
    for description, _ in pairs(case):
        body = description["body"]
        if any(body[name].startswith("::FFFF:") for name in fields):
            for name in fields:
                body[name] = body[name].removeprefix("::FFFF:").replace("2001:db8::8", "192.0.2.8")


def same_second(case: Case) -> None:
    """Two transfers that are alike then keep a metadata each"""
    seen = set()
    for description, data in pairs(case):
        body = description["body"]
        place = (json.dumps(body, sort_keys=True), data["body"]["data"][0]["ts"])
        if place in seen:
            body["gridftp-same-second"] = 1
        seen.add(place)


def any_line(case: Case) -> None:
    """Lines that ended the original are read as all others; the rest of the log follows"""
    if "<traceback>\nValueError" not in case["stderr"]:
        return
    done = len(case["requests"]) // 2
    more = [
        request
        for transfer in [
            each
            for each in read_transfers(DATA / case["log"])
            if each.operation in ("RETR", "STOR")
        ][done:]
        for request in described(transfer)
    ]
    case["requests"] += more
    traceback = case["stderr"].index("<traceback>")
    count = len(case["requests"]) // 2
    case["stderr"] = (
        f"{case['stderr'][:traceback]}ts=... {_SCAN}.end id=... Loaded {count} records\n"
    )
    case["exit_status"] = 0


def described(transfer: Any) -> list[Any]:
    """The two requests that the original would have made, written out from the record"""
    number = transfer.host[3]
    is_v6 = ":" in transfer.remote_address
    server = f"2001:db8::8{number}" if is_v6 else f"192.0.2.8{number}"
    ends = {"source": server, "input-source": transfer.host}
    ends |= {"destination": transfer.remote_address, "input-destination": transfer.remote_address}
    if transfer.operation == "STOR":
        ends = {
            "source": ends["destination"],
            "destination": ends["source"],
            "input-source": ends["input-destination"],
            "input-destination": ends["input-source"],
        }
    types = ("throughput", "streams-packet-retransmits", "failures")
    description = {
        "subject-type": "point-to-point",
        "tool-name": "gridftp",
        **ends,
        "measurement-agent": server,
        "event-types": [{"event-type": name, "summaries": []} for name in types],
        "bw-parallel-streams": transfer.streams,
        "bw-stripes": transfer.stripes,
        "gridftp-program": transfer.program,
        "gridftp-block-size": transfer.block_bytes,
        "tcp-window-size": transfer.tcp_buffer_bytes,
        "gridftp-bytes-transferred": transfer.transferred_bytes,
    }
    rate = 8 * transfer.transferred_bytes
    rate /= round(transfer.ended_at * 1e6) - round(transfer.started_at * 1e6)
    values = [
        {"event-type": "throughput", "val": pytest.approx(rate * 1e6, rel=1e-12)},
        {"event-type": "streams-packet-retransmits", "val": transfer.retransmits or []},
    ]
    data = {"data": [{"ts": int(transfer.started_at), "val": values}]}
    headers = {"content-type": "application/json"}
    return [
        {"method": "POST", "path": "/esmond/perfsonar/archive/", "headers": headers}
        | {"body": description},
        {"method": "PUT", "path": "/esmond/perfsonar/archive/KEY/", "headers": headers}
        | {"body": data},
    ]


def json_state(case: Case) -> None:
    """The state can be written; the lock stays beside it"""
    if "-d" not in case["args"]:
        case["stderr"] = case["stderr"].partition("<traceback>")[0]
        case["exit_status"] = 0
        case["left_behind"] = ["load_grid_ftp.pickle", "load_grid_ftp.pickle.lock"]


DEVIATIONS: dict[str, Callable[[Case], None]] = {
    "any-line": any_line,
    "mapped-peers": mapped_peers,
    "same-second": same_second,
    "json-state": json_state,
}


def expected(case: Case) -> Case:
    wanted = copy.deepcopy(case)
    for deviate in DEVIATIONS.values():
        deviate(wanted)
    return wanted


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, archive: Archive, tmp_path: Path) -> None:
    case, want = CASES[name], expected(CASES[name])
    log = DATA / case["log"]
    folder = tmp_path / "work"
    folder.mkdir()
    key = case["args"][case["args"].index("-k") + 1]
    replaced = {"{url}": archive.url, key: archive.api_key, "{log:in}": str(log)}
    # One at a time, so that requests come in the order of the log.
    arguments = [replaced.get(each, each) for each in case["args"]]
    got = load(*arguments, "--jobs=1", cwd=folder, hosts=KNOWN)
    assert (got.exit_status, got.stdout) == (want["exit_status"], want["stdout"])
    said = [f"ts=... event={each.replace(' ', ' id=... ', 1)}" for each in events(got)]
    assert said == want["stderr"].replace("{log:in}", str(log)).splitlines()
    assert sorted(path.name for path in folder.iterdir()) == want["left_behind"]
    for asked in archive.server.asked:
        assert asked.headers["authorization"] == f"Token {archive.api_key}"
        assert asked.headers["content-type"] == "application/json"
    assert sent(archive) == requested(want)


Sent = dict[str, list[Any]]


def sent(archive: Archive) -> Sent:
    """The data of each description, as they were sent: records of one test share requests"""
    keys: dict[str, str] = {}
    found: Sent = {}
    descriptions = []
    for asked in archive.server.asked:
        body = asked.json()
        if asked.method == "POST" and asked.path == "/esmond/perfsonar/archive/":
            descriptions.append(normal(body))
            continue
        key = asked.path.split("/")[4]
        # A test's data follow its description at once, with one job.
        description = keys.setdefault(key, descriptions[-1])
        assert description == descriptions[-1]
        assert (asked.method, asked.path) == ("PUT", f"/esmond/perfsonar/archive/{key}/")
        found.setdefault(description, []).extend(body["data"])
    return found


def requested(case: Case) -> Sent:
    found: Sent = {}
    for description, data in pairs(case):
        assert (description["method"], data["method"]) == ("POST", "PUT")
        found.setdefault(normal(description["body"]), []).extend(data["body"]["data"])
    return found


def normal(body: Any) -> str:
    """The same text for JSON that means the same"""
    return json.dumps(body, sort_keys=True)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_deviations_deviate(name: str) -> None:
    changed = []
    for case in CASES.values():
        wanted = copy.deepcopy(case)
        for deviation, deviate in DEVIATIONS.items():
            before = copy.deepcopy(wanted)
            deviate(wanted)
            if deviation == name:
                changed.append(wanted != before)
    assert any(changed)


def test_deviations_are_documented() -> None:
    table = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text(), re.M)
    assert set(DEVIATIONS) <= set(table)
