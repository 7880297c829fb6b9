"""Records have the same fields everywhere: in the core, as tuples, in JSON lines, in the docs."""

from __future__ import annotations

import json
import subprocess
import sys
import types
import typing
from pathlib import Path

import pytest

from gridtap import _core
from gridtap.xrootd.records import RECORDS, FileAccess

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"

TYPES: dict[str, type] = {"text": str, "json": str, "int": int, "float": float, "bool": bool}

#: The keys that the description of the record promises, in its order.
FILE_ACCESS = """
    server_address server_udp_port server_started_at server_id
    server_host server_port server_instance server_program server_version server_site
    file_id path path_raw file_size_bytes mode
    user_id user_name user_host user_protocol user_pid
    auth_protocol auth_name auth_host auth_vo auth_role auth_groups auth_info auth_app auth_moninfo
    ip_version app_info
    token_subject token_name token_vo token_role token_groups
    experiment_id activity_id
    opened_at closed_at
    open_window_start open_window_end close_window_start close_window_end
    read_bytes readv_bytes write_bytes
    read_ops readv_ops write_ops readv_segments
    read_min_bytes read_max_bytes readv_min_bytes readv_max_bytes write_min_bytes write_max_bytes
    readv_min_segments readv_max_segments
    read_sigma_bytes readv_sigma_bytes write_sigma_bytes readv_sigma_segments
    open_seen close_seen close_reason loss_suspected
"""

#: A capture with records of each kind.
CAPTURE = {
    "accesses": "fstat-full.pcap",
    "sessions": "fstat-full.pcap",
    "redirects": "redir-cluster.pcap",
    "io": "trace-io.pcap",
    "plugins": "gstream-pfc-json.pcap",
    "servers": "fstat-full.pcap",
    "summaries": "report-same-port.pcap",
    "packets": "fstat-full.pcap",
}


def fields(what: str) -> tuple[str, ...]:
    return RECORDS[what]._fields


def test_there_is_a_capture_for_every_kind() -> None:
    assert set(CAPTURE) == set(RECORDS)


@pytest.mark.parametrize("what", RECORDS)
def test_the_tuple_has_the_columns_of_the_core(what: str) -> None:
    columns = _core.columns(what)
    assert fields(what) == tuple(name for name, _ in columns)
    hints = typing.get_type_hints(RECORDS[what])
    assert hints == {name: TYPES[kind] | types.NoneType for name, kind in columns}


def test_a_file_access_is_what_its_description_says() -> None:
    assert list(FileAccess._fields) == FILE_ACCESS.split()


@pytest.mark.parametrize("what", RECORDS)
def test_json_lines_have_the_same_keys_in_the_same_order(what: str) -> None:
    program = "from gridtap.cli.main import main; main()"
    capture = str(DATA / CAPTURE[what])
    command = [sys.executable, "-c", program, "decode", "-q", "--format", "jsonl"]
    result = subprocess.run([*command, "--what", what, capture], capture_output=True, check=True)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert records, "a capture without such records"
    for record in records:
        assert tuple(record) == fields(what)


@pytest.mark.parametrize("what", RECORDS)
def test_values_have_the_annotated_types(what: str) -> None:
    hints = typing.get_type_hints(RECORDS[what])
    reader = _core.RecordReader(DATA / CAPTURE[what], what)
    rows = reader.rows()
    assert rows
    for row in rows:
        assert len(row) == len(hints)
        for value, (name, hint) in zip(row, hints.items(), strict=True):
            kind = typing.get_args(hint)[0]
            assert value is None or type(value) is kind, name


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match='unknown kind of record "nothing"'):
        _core.columns("nothing")


def test_names_of_faults_are_unique() -> None:
    kinds = _core.fault_kinds()
    assert len({name for name, _ in kinds}) == len(kinds) > 30
    assert {severity for _, severity in kinds} == {"dropped", "lost", "flagged"}
