"""The documented module ``esmond_client.perfsonar.util``, as scripts use it."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import esmond.api.client.perfsonar.util
from esmond_client.perfsonar import util
from esmond_client.perfsonar.query import ApiConnect, ApiFilters
from gridtap.esmond.event_types import EVENT_TYPES
from gridtap.esmond.querying.event_list import LISTED
from tests.esmond_cli.command import WINDOW, Outcome, environment, run

#: What the documentation of the module lists
DOCUMENTED = """
    EVENT_MAP EVENT_TYPES event_format DEFAULT_FIELDS HeaderRow EsmondClientException
    EsmondClientWarning EsmondOutput HumanOutput JsonOutput CSVOutput output_factory
    HostnameConversion data_format_factory get_outfile check_url check_valid_hostnames
    check_event_types check_formats check_summary src_dest_required valid_output_dir
    list_event_types get_start_and_end_times perfsonar_client_opts perfsonar_client_filters
""".split()  # noqa: SIM905 - easier to compare with the document

#: esmond-ps-get, as esmond_client wrote it
SCRIPT = """
from esmond_client.perfsonar.query import ApiConnect
from esmond_client.perfsonar.util import (data_format_factory, output_factory,
    perfsonar_client_filters, perfsonar_client_opts)

def main():
    options, args = perfsonar_client_opts(require_src_dest=True, require_event=True)
    filters = perfsonar_client_filters(options)
    conn = ApiConnect(options.url, filters)
    header, data = data_format_factory(options)(conn)
    output = output_factory(options, data, header)
    print(output.get_output())

main()
"""

#: The heart of esmond-ps-get-bulk
BULK_SCRIPT = """
import copy
from esmond_client.perfsonar.query import ApiConnect
from esmond_client.perfsonar.util import (data_format_factory, get_outfile, output_factory,
    perfsonar_client_filters, perfsonar_client_opts)

def main():
    options, args = perfsonar_client_opts(require_output=True)
    filters = perfsonar_client_filters(options)
    conn = ApiConnect(options.url, filters)
    for m in conn.get_metadata():
        for et in m.get_all_event_types():
            kind = copy.copy(options)
            kind.type = et.event_type
            header, data = data_format_factory(kind, seed_bulk_output=True)(conn)
            output = output_factory(kind, data, header)
            output.add_to_payload([dict.fromkeys(header, 1)])
            with get_outfile(options, m, et.event_type) as fh:
                fh.write(output.get_output())

main()
"""


def run_script(folder: Path, text: str, *arguments: str) -> Outcome:
    path = folder / "my-script"
    path.write_text(text)
    got = subprocess.run(
        [sys.executable, path, *arguments],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    return Outcome(got.returncode, got.stdout.decode(), got.stderr.decode())


def test_all_that_is_documented_is_there_under_both_paths() -> None:
    for module in (util, esmond.api.client.perfsonar.util):
        assert sorted(module.__all__) == sorted(DOCUMENTED)
    assert all(
        getattr(util, name) is getattr(esmond.api.client.perfsonar.util, name)
        for name in DOCUMENTED
    )


def test_the_33_and_all_49() -> None:
    assert len(util.EVENT_TYPES) == 33
    assert list(util.EVENT_MAP) == util.EVENT_TYPES
    assert sorted(LISTED) == sorted(EVENT_TYPES)
    assert LISTED[:33] == util.EVENT_TYPES
    assert {name: one.family for name, one in EVENT_TYPES.items() if one.family} == util.EVENT_MAP
    assert util.event_format("packet-trace") == "packet_trace"
    with pytest.raises(KeyError):
        util.event_format("packet-rtt")


@pytest.mark.parametrize("form", ["human", "json", "csv"])
def test_a_script_like_get_prints_what_get_prints(
    form: str, archive_url: str, tmp_path: Path
) -> None:
    ends = ("-s", "192.0.2.10", "-d", "198.51.100.30")
    for name in ("packet-trace", "throughput", "streams-throughput-subintervals"):
        line = ("-u", archive_url, *ends, "-e", name, "-o", form, *WINDOW)
        assert run_script(tmp_path, SCRIPT, *line) == run("esmond-ps-get", *line)


def test_a_script_has_its_own_name_in_errors(tmp_path: Path) -> None:
    got = run_script(tmp_path, SCRIPT, "--nonesuch")
    assert got.exit_status == 2
    assert got.stderr.startswith("Usage: my-script [ -u URL")
    assert got.stderr.endswith("my-script: error: no such option: --nonesuch\n")
    got = run_script(tmp_path, SCRIPT)
    assert (got.exit_status, got.stdout) == (255, "")
    assert got.stderr.startswith("--url is a required arg\n\nUsage: my-script [ -u URL")
    assert "--output-directory" not in got.stderr
    assert "--resume" not in got.stderr


def test_a_script_like_bulk_writes_files(archive_url: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    line = ("-u", archive_url, "-t", "gridftp", "-o", "csv", "-D", str(out), *WINDOW)
    got = run_script(tmp_path, BULK_SCRIPT, *line)
    assert (got.exit_status, got.stderr) == (0, "")
    file = out / "203.0.113.5_203.0.113.6_failures_2021-03-01_2021-03-03.csv"
    assert file.read_bytes().decode() == (
        "source,destination,event_type,tool,summary_type,summary_window,timestamp,msg\r\n"
        "1,1,1,1,1,1,1,1\r\n"
    )
    assert len(list(out.iterdir())) == 3


def test_errors_of_the_output_classes() -> None:
    wrong: Any = {}
    for make in (util.HumanOutput, util.JsonOutput, util.CSVOutput):
        with pytest.raises(util.EsmondClientException) as got:
            make(wrong, [])
        assert str(got.value) == "'Data arg must be a list'"
        with pytest.raises(util.EsmondClientException, match="Data arg must be a list of dicts"):
            make([1], [])  # type: ignore[list-item]
        with pytest.raises(util.EsmondClientException, match="add_to_payload must be a list"):
            make([], []).add_to_payload(wrong)
    with pytest.raises(NotImplementedError):
        util.EsmondOutput([], []).get_output()
    options = SimpleNamespace(format="jsonl")
    with pytest.raises(util.EsmondClientException):
        util.output_factory(options, [], [])


def test_output_classes_without_data() -> None:
    assert util.HumanOutput([], ["a"]).get_output() == "No data found."
    assert util.JsonOutput([], None).get_output() == '[{"msg": "No data found."}]'
    assert util.CSVOutput([], ["a", "b"]).get_output() == "a,b\r\nNo data,No data\r\n"
    assert not util.JsonOutput([], None).has_data()


def test_output_classes_with_data() -> None:
    rows: list[dict[str, object]] = [
        util.HeaderRow({"x": 1, "y": 2}),
        {"a": [1, 2], "b": None, "c": 'say "so"'},
    ]
    human = util.HumanOutput(rows, ["b", "a"])
    assert human.get_output() == "x: 1\ny: 2\n= + = + = + = + = + =\nb: None\na: 1, 2\n"
    assert human.has_data()
    more = util.HumanOutput(rows[1:], ["b"], extended_data=True)
    assert more.get_output() == 'b: None\na: 1, 2\nc: say "so"\n'
    more.add_to_payload([{"b": 1}])
    assert more.get_output().endswith('c: say "so"\n= + = + = + = + = + =\nb: 1\n')
    assert util.CSVOutput(rows[1:], ["c", "b", "a"]).get_output() == (
        'c,b,a\r\n"say ""so""",,"1, 2"\r\n'
    )
    assert util.JsonOutput(rows[1:], None).get_output() == (
        '[{"a": [1, 2], "b": null, "c": "say \\"so\\""}]'
    )


def test_host_names_are_put_in_place_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def named(address: str) -> str:
        asked.append(address)
        return f"host-{address}.example.net"

    # The one thing here that is not ours: what the resolver of this host says.
    monkeypatch.setattr("socket.getfqdn", named)
    names = util.HostnameConversion(SimpleNamespace(ip=False))
    row: dict[str, object] = {"source": "192.0.2.1", "ip": "192.0.2.1", "input_source": "192.0.2.1"}
    row.update({"destination": None, "measurement_agent": "192.0.2.2"})
    for _ in range(2):
        assert names.convert(dict(row)) == {
            "source": "host-192.0.2.1.example.net",
            "ip": "host-192.0.2.1.example.net",
            "input_source": "192.0.2.1",
            "destination": None,
            "measurement_agent": "host-192.0.2.2.example.net",
        }
    assert asked == ["192.0.2.1", "192.0.2.2"]
    assert util.HostnameConversion(SimpleNamespace(ip=True)).convert(dict(row)) == row


def test_names_in_output_of_this_host(archive_url: str) -> None:
    """Addresses for documentation have no names, so that they stay"""
    line = ("-u", archive_url, "-t", "gridftp", "-S", "2021-03-01", "-E", "2021-03-03")
    got = run("esmond-ps-get-endpoints", *line)
    assert got.exit_status == 0
    assert "source: 203.0.113.5\n" in got.stdout


def test_times_of_options() -> None:
    options = SimpleNamespace(start="2021-03-01T02:00+02:00", end="2021-03-02")
    window = util.get_start_and_end_times(options)
    assert window == (datetime(2021, 3, 1), datetime(2021, 3, 2))
    with pytest.raises(SystemExit) as got:
        util.get_start_and_end_times(SimpleNamespace(start="never", end=None))
    assert got.value.code == 255


def test_filters_of_options() -> None:
    options = SimpleNamespace(
        src="192.0.2.1",
        dest=None,
        agent=None,
        type="throughput",
        tool=None,
        start="2021-03-01",
        end="2021-03-02",
        filter=["tool_name:x"],
        summary_type="average",
        summary_window=300,
        verbose=False,
    )
    filters = util.perfsonar_client_filters(options)
    assert isinstance(filters, ApiFilters)
    assert filters.source == "192.0.2.1"
    assert filters.tool_name == "x"
    assert (filters.summary_type, filters.summary_window) == ("average", 300)
    assert (filters.time_start, filters.time_end) == (1614556800, 1614643200)
    assert filters.timeout == 20


def test_checks_change_and_end_as_they_did(capsys: pytest.CaptureFixture[str]) -> None:
    options = SimpleNamespace(url="http://host:80/esmond/perfsonar/archive/")
    util.check_url(options, None)  # type: ignore[arg-type]
    assert options.url == "http://host:80"
    for check, wrong in (
        (util.check_formats, SimpleNamespace(format="xml", metadata=False)),
        (util.check_summary, SimpleNamespace(summary_type="averages")),
    ):
        with pytest.raises(SystemExit) as got:
            check(wrong, None)  # type: ignore[arg-type]
        assert got.value.code == 255
    assert capsys.readouterr().out == ""


def test_a_connection_of_the_documented_class_serves(archive_url: str) -> None:
    filters = ApiFilters()
    filters.event_type = "ntp-offset"
    options = SimpleNamespace(
        type="ntp-offset", summary_type=None, summary_window=0, format="json", ip=True
    )
    header, rows = util.data_format_factory(options)(ApiConnect(archive_url, filters))
    assert header[-2:] == ["timestamp", "value"]
    assert [row["value"] for row in rows] == [-0.25, 0.1234]
