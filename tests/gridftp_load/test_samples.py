"""The requests that each form of record becomes, written out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.gridftp_load.command import access, lines, load, loaded

NETLOGGER = lines("samples-netlogger.log")
JSON = [
    each
    for each in lines("samples-json.log")
    if b'"Transfer-End"' in each and each.endswith(b"\n") and each.rstrip().endswith(b"}")
]

TYPES = ["throughput", "streams-packet-retransmits", "failures"]
JSON_TYPES = [*TYPES, "iostat", "mpstat", "rusage", "streams-tcpinfo"]

N1 = {
    "subject-type": "point-to-point",
    "tool-name": "gridftp",
    "source": "198.51.100.10",
    "destination": "203.0.113.25",
    "measurement-agent": "198.51.100.10",
    "input-source": "dtn1.example.net",
    "input-destination": "203.0.113.25",
    "bw-parallel-streams": 4,
    "bw-stripes": 1,
    "gridftp-program": "globus-gridftp-server",
    "gridftp-block-size": 262144,
    "tcp-window-size": 4194304,
    "gridftp-bytes-transferred": 5000000000,
    "event-types": [{"event-type": name, "summaries": []} for name in TYPES],
}
N2 = {
    **N1,
    "source": "203.0.113.26",
    "destination": "198.51.100.10",
    "input-source": "203.0.113.26",
    "input-destination": "dtn1.example.net",
    "bw-parallel-streams": 1,
    "tcp-window-size": 0,
    "gridftp-bytes-transferred": 1048576,
}
N3 = {
    **N1,
    "source": "2001:db8:51::10",
    "destination": "2001:db8:25::7",
    "measurement-agent": "2001:db8:51::10",
    "input-destination": "2001:db8:25::7",
    "bw-parallel-streams": 2,
    "gridftp-block-size": 1048576,
    "tcp-window-size": 8388608,
    "gridftp-bytes-transferred": 2500000000,
}
N5 = {
    **N2,
    "bw-parallel-streams": 4,
    "tcp-window-size": 4194304,
    "gridftp-bytes-transferred": 73400320,
}
N6 = {
    **N1,
    "destination": "203.0.113.27",
    "input-destination": "203.0.113.27",
    "bw-parallel-streams": 1,
    "tcp-window-size": 0,
    "gridftp-bytes-transferred": 0,
}
J2 = {
    **N1,
    "input-source": "198.51.100.10",
    "bw-parallel-streams": 2,
    "event-types": [{"event-type": name, "summaries": []} for name in JSON_TYPES],
}
J3 = {
    **J2,
    "source": "203.0.113.26",
    "destination": "198.51.100.10",
    "input-source": "203.0.113.26",
    "input-destination": "198.51.100.10",
    "bw-stripes": 2,
    "gridftp-block-size": 1048576,
    "tcp-window-size": 0,
    "gridftp-bytes-transferred": 800000000,
}
J_SMALL = {**J2, "bw-parallel-streams": 1, "tcp-window-size": 0, "gridftp-bytes-transferred": 1000}


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def put(ts: int, **values: Any) -> tuple[str, Any]:
    """A bulk request of one second"""
    points = [
        {"event-type": name.replace("_", "-"), "val": value} for name, value in values.items()
    ]
    return "PUT", {"data": [{"ts": ts, "val": points}]}


def failure(ts: int, text: str) -> tuple[str, Any]:
    """A single point"""
    return "POST failures/base", {"ts": ts, "val": {"error": text}}


SAMPLES = {
    "N1 retrieve": (
        NETLOGGER[0],
        N1,
        put(1710231310, throughput=2000000000.0, streams_packet_retransmits=[12, 0, 7, 3]),
    ),
    "N2 store": (
        NETLOGGER[1],
        N2,
        put(1710231361, throughput=3355443.2, streams_packet_retransmits=[]),
    ),
    "N3 IPv6": (
        NETLOGGER[2],
        N3,
        put(1710231420, throughput=2000000000.0, streams_packet_retransmits=[5, 1]),
    ),
    "N4 no duration": (
        NETLOGGER[3],
        {**N6, "destination": "203.0.113.25", "input-destination": "203.0.113.25"},
        put(1710231480, streams_packet_retransmits=[]),
    ),
    "N5 failed store": (
        NETLOGGER[4],
        N5,
        failure(1710231540, "426 Connection closed; transfer aborted."),
    ),
    "N6 failed retrieve": (
        NETLOGGER[5],
        N6,
        failure(1710231589, "550 Requested action not taken."),
    ),
    "N7 unlisted code": (
        NETLOGGER[6],
        {**N6, "gridftp-bytes-transferred": 10},
        failure(1710231600, "599 None"),
    ),
    "N8 blanks": (
        NETLOGGER[7],
        {**N1, "bw-parallel-streams": 2, "gridftp-bytes-transferred": 1000000000}
        | {"gridftp-file": "/proj/run 07/final data.nc"},
        put(1710231660, throughput=1000000000.0, streams_packet_retransmits=[1, 0]),
    ),
    "N9 equals signs": (
        NETLOGGER[8],
        {**N1, "bw-parallel-streams": 2, "gridftp-bytes-transferred": 1000000000}
        | {"gridftp-file": "/proj/k=v BUFFER=1 BLOCK=2 x.dat"},
        put(1710231720, throughput=1000000000.0, streams_packet_retransmits=[1, 0]),
    ),
    "N13 main log": (
        NETLOGGER[12],
        {**N1, "bw-parallel-streams": 1, "tcp-window-size": 0, "gridftp-bytes-transferred": 500},
        put(1710231761, throughput=444.44444444444446, streams_packet_retransmits=[]),
    ),
    "N14 old style": (
        NETLOGGER[13],
        {
            **N2,
            "source": "203.0.113.25",
            "input-source": "203.0.113.25",
            "gridftp-program": "wuftpd",
            "gridftp-block-size": 65536,
            "tcp-window-size": 524288,
            "gridftp-bytes-transferred": 500,
        },
        put(1710231779, throughput=330523.8803503553, streams_packet_retransmits=[]),
    ),
    "N16 CRLF": (
        NETLOGGER[0].replace(b"\n", b"\r\n"),
        N1,
        put(1710231310, throughput=2000000000.0, streams_packet_retransmits=[12, 0, 7, 3]),
    ),
    "J2 retrieve": (
        JSON[0],
        J2,
        put(
            1710231310,
            throughput=2000000000.0,
            streams_packet_retransmits=[12, 3],
            iostat={"dev": "sdb", "tps": 310.5, "blk_read_s": 41200.0, "blk_wrtn_s": 12.0},
            mpstat={
                "usr": 3.1,
                "nice": 0.0,
                "sys": 9.4,
                "iowait": 1.2,
                "irq": 0.0,
                "soft": 2.2,
                "steal": 0.0,
                "quest": 0.0,
                "idle": 84.1,
            },
            rusage={"ru_utime": 1.9, "ru_stime": 6.2, "ru_maxrss": 18240},
            streams_tcpinfo=[
                {
                    "stripe": 0,
                    "stream": 0,
                    "TCPinfo": {"rtt": 45000, "rttvar": 500, "snd_cwnd": 512, "total_retrans": 12},
                },
                {
                    "stripe": 0,
                    "stream": 1,
                    "TCPinfo": {"rtt": 45100, "rttvar": 480, "snd_cwnd": 498, "total_retrans": 3},
                },
            ],
        ),
    ),
    "J3 store": (
        JSON[1],
        J3,
        put(
            1710231400,
            throughput=1600000000.0,
            streams_packet_retransmits=[0, 4],
            iostat={"dev": "sdc", "tps": 88.0, "blk_read_s": 0.0, "blk_wrtn_s": 390000.0},
            mpstat={"usr": 1.0, "idle": 90.0},
            rusage={"ru_utime": 0.4, "ru_stime": 1.1},
            streams_tcpinfo=[
                {"stripe": 0, "stream": 0, "TCPinfo": {"total_retrans": 0}},
                {"stripe": 1, "stream": 0, "TCPinfo": {"total_retrans": 4}},
            ],
        ),
    ),
    "J4 failed store": (
        JSON[2],
        {**J3, "bw-parallel-streams": 1, "bw-stripes": 1, "gridftp-block-size": 262144}
        | {"tcp-window-size": 4194304, "gridftp-bytes-transferred": 73400320},
        failure(1710231500, "426 Connection closed; transfer aborted."),
    ),
    "J5 IPv6": (
        JSON[3],
        without(
            {
                **J_SMALL,
                "source": "2001:db8:51::10",
                "destination": "2001:db8:25::7",
                "measurement-agent": "2001:db8:51::10",
                "input-source": "2001:db8:51::10",
                "input-destination": "2001:db8:25::7",
                "gridftp-bytes-transferred": 0,
            },
            # There were no streams to count stripes of.
            "bw-stripes",
        ),
        put(1710231600, streams_packet_retransmits=[], streams_tcpinfo=[]),
    ),
    "J6 a name, and little else": (
        JSON[4],
        without(
            {**J_SMALL, "input-source": "dtn1.example.net"},
            "bw-stripes",
            "gridftp-program",
            "gridftp-block-size",
            "tcp-window-size",
        ),
        put(1710231700, throughput=8000.0, streams_packet_retransmits=[]),
    ),
    "J7 size as text": (
        JSON[5],
        without(J_SMALL, "bw-stripes"),
        put(1710231710, throughput=8000.0, streams_packet_retransmits=[], streams_tcpinfo=[]),
    ),
    "J9 no TCPinfo": (
        JSON[7],
        J_SMALL,
        put(
            1710231730,
            throughput=8000.0,
            streams_packet_retransmits=[],
            streams_tcpinfo=[{"stripe": 0, "stream": 0}],
        ),
    ),
    "J10 not ASCII": (
        JSON[8],
        {**J_SMALL, "gridftp-bytes-transferred": 4000000}
        | {"gridftp-file": "/proj/M\u00fcller data/run 1.nc"},
        put(
            1710231740,
            throughput=8000000.0,
            streams_packet_retransmits=[0],
            streams_tcpinfo=[{"stripe": 0, "stream": 0, "TCPinfo": {"total_retrans": 0}}],
        ),
    ),
    "J12 CRLF": (
        JSON[5].replace(b"\n", b"\r\n"),
        without(J_SMALL, "bw-stripes"),
        put(1710231710, throughput=8000.0, streams_packet_retransmits=[], streams_tcpinfo=[]),
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_requests(name: str, archive: Archive, tmp_path: Path) -> None:
    record, description, (kind, data) = SAMPLES[name]
    (tmp_path / "a.log").write_bytes(record)
    files = ("-F",) if "gridftp-file" in description else ()
    got = load("-f", "a.log", *files, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1), got.stderr
    announced, stored = archive.server.asked
    assert (announced.method, announced.path) == ("POST", "/esmond/perfsonar/archive/")
    assert normal(announced.json()) == normal(description)
    method, _, rest = kind.partition(" ")
    key = stored.path.split("/")[4]
    assert stored.method == method
    assert stored.path.removeprefix(f"/esmond/perfsonar/archive/{key}/") == rest
    assert normal(stored.json()) == normal(data)


def normal(body: Any) -> str:
    """The same text for JSON that means the same"""
    return json.dumps(body, sort_keys=True)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (NETLOGGER[11], "the log does not say who the peer was"),
        (NETLOGGER[14], "it ends before it begins: a clock was set back"),
    ],
    ids=["N12 unknown peer", "N15 clock stepped back"],
)
def test_records_that_can_not_be_stored(
    record: bytes, said: str, archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_bytes(record)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 0)
    assert archive.server.asked == []
    letter = json.loads((tmp_path / "load_grid_ftp.pickle.dead-letter").read_text())
    assert letter == {
        "reason": said,
        "log": "a.log",
        "line": 1,
        "offset_bytes": 0,
        "record": record.decode().rstrip("\n"),
    }


@pytest.mark.parametrize("record", [NETLOGGER[9], NETLOGGER[10], JSON[6]], ids=["N10", "N11", "J8"])
def test_records_that_are_no_transfers(record: bytes, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(record)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got), archive.server.asked) == (0, 0, [])


def test_parts_of_files_on_request(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(NETLOGGER[10])
    got = load("-f", "a.log", "--partial", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    body = archive.server.asked[0].json()
    assert (body["source"], body["destination"]) == ("198.51.100.10", "203.0.113.25")
