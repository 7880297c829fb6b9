"""Every line of code in the documentation of esmond_client 2.0, with only print made a function."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from gridtap.esmond import DataHistogram, DataPayload, DataPoint, EventType, Metadata
from gridtap.esmond.post import EventTypeBulkPost, EventTypePost, MetadataPost
from tests.esmond.conftest import Archive
from tests.esmond.server import DATA

BLOCKS = (DATA / "esmond_client-2.0-readme.txt").read_text().split("\n----\n")

#: Names that the document takes for given, and its one line that is not Python.
PLACEHOLDERS = {"summary-type, summary-window": "'aggregation', 3600"}

PROPERTIES = {
    Metadata: """destination event_types input_destination input_source ip_packet_interval
        measurement_agent metadata_key sample_bucket_width source subject_type time_duration
        tool_name uri""",
    EventType: "base_uri event_type data_type summaries",
    DataPayload: "data_type data",
    DataPoint: "ts val ts_epoch",
    DataHistogram: "ts val ts_epoch",
}


class Document:
    """The document's code, run block by block in one namespace"""

    def __init__(self, archive: Archive) -> None:
        self.names: dict[str, Any] = {"time": time}
        self._here = {
            "http://localhost:8000/": archive.url,
            "pS_user": archive.username,
            "api-key-generated-by-auth-database": archive.api_key,
            **PLACEHOLDERS,
        }
        self.ran: set[int] = set()

    def run(self, beginning: str, without: str = "") -> None:
        """Run the block with this in it, but for the lines that match ``without``"""
        [(number, block)] = [one for one in enumerate(BLOCKS) if beginning in one[1]]
        self.ran.add(number)
        for there, here in self._here.items():
            block = block.replace(there, here)
        lines = [line for line in block.splitlines() if not re.search(without or "$.", line)]
        code = re.sub(r"print (.*?)(  ?#.*)?$", r"print(\1)", "\n".join(lines), flags=re.M)
        exec(compile(code, beginning, "exec"), self.names)


@pytest.fixture
def document(archive: Archive) -> Document:
    return Document(archive)


def write(document: Document) -> None:
    document.run("import MetadataPost")
    document.run("args = {")
    document.run("mp.add_event_type('throughput')")
    document.run("et = EventTypePost(")
    document.run("et.add_data_point(1397075053, 23)", without=r"\{|in the case")
    # "(or in the case of histograms)": the lines below it are about another event type.
    mp, new_meta = document.names["mp"], document.names["new_meta"]
    document.names["et"] = EventTypePost(
        mp.api_url, mp.username, mp.api_key, new_meta.metadata_key, "histogram-ttl"
    )
    document.run("et.add_data_point(1397075053, {28: 33})", without=r", \d+\)$|in the case")
    document.run("etb = EventTypeBulkPost(")
    document.run("etb.add_data_point('time-error-estimates'")


def test_writing(document: Document, archive: Archive) -> None:
    write(document)
    new = document.names["new_meta"]
    assert isinstance(new, Metadata)
    assert re.fullmatch("[0-9a-f]{32}", new.metadata_key or "")
    found = {one.event_type: one for one in new.get_all_event_types()}
    stored = {
        name: {point.ts_epoch: point.val for point in one.get_data().data}
        for name, one in found.items()
    }
    assert stored == {
        "histogram-ttl": {1397075053: {"28": 33}, 1397075113: {"9": 12}},
        "packet-count-sent": {},
        "packet-loss-rate": {1397075053: 11 / 33, 1397075113: 0.625},
        "throughput": {1397075053: 23.0, 1397075113: 55.0},
        "time-error-estimates": {1397075053: 23.0, 1397075113: 55.0},
    }
    assert [(kind, int(window)) for kind, window in found["packet-count-sent"].summaries] == [
        ("aggregation", 3600),
        ("aggregation", 86400),
    ]


def seed(archive: Archive) -> None:
    """A test that the document's search finds, and one that it does not"""
    for source in ("198.129.254.30", "198.129.254.31"):
        post = MetadataPost(
            archive.url,
            **archive.credentials,
            subject_type="point-to-point",
            source=source,
            destination="198.129.254.62",
            tool_name="bwctl/iperf3",
            measurement_agent=source,
            input_source="a",
            input_destination="b",
        )
        post.add_event_type("throughput")
        post.add_event_type("histogram-owdelay")
        post.add_summary_type("histogram-owdelay", "aggregation", [3600])
        post.add_freeform_key_value("ip-packet-interval", 0.25)
        points = EventTypeBulkPost(
            archive.url, **archive.credentials, metadata_key=post.post_metadata().metadata_key
        )
        now = int(time.time())
        points.add_data_point("throughput", now - 7200, 1)
        points.add_data_point("throughput", now - 60, 2)
        points.add_data_point("histogram-owdelay", now - 60, {"44.5": 600})
        points.post_data()


def test_reading(document: Document, archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    seed(archive)
    document.run("filters.time_start")
    document.run("for md in conn.get_metadata()")
    said = capsys.readouterr().out.splitlines()
    key = document.names["md"].metadata_key
    assert said == [
        f"<Metadata/{key}: uri:/esmond/perfsonar/archive/{key}/>",
        "198.129.254.62",
        "0.25",
    ]
    document.run("    print et.event_type")
    assert capsys.readouterr().out.splitlines() == ["histogram-owdelay", "throughput"]
    document.run("md.get_event_type('histogram-owdelay')")
    document.run("print dpay.data_type")
    kind, histogram, other, number = capsys.readouterr().out.splitlines()
    assert (kind, other) == ("histogram", "unspecified")
    assert histogram.endswith(" {'44.5': 600}")
    assert number.endswith(" 2.0")

    document.run("md.get_event_type('histogram-owdelay')")
    document.run("for summ in et.get_all_summaries()")
    document.run("summ = et.get_summary(")
    assert repr(document.names["summ"]) == "<Summary/aggregation: window:3600>"
    assert capsys.readouterr().out == ""


def test_every_block_is_run(document: Document, archive: Archive) -> None:
    write(document)
    seed(archive)
    for beginning in (
        "filters.time_start",
        "for md in conn.get_metadata()",
        "    print et.event_type",
        "md.get_event_type('histogram-owdelay')",
        "print dpay.data_type",
        "for summ in et.get_all_summaries()",
        "et.get_summary(",
    ):
        document.run(beginning)
    alone = [number for number, block in enumerate(BLOCKS) if block == "dpay = et.get_data()"]
    exec(BLOCKS[alone[0]], document.names)
    assert sorted([*document.ran, *alone]) == list(range(len(BLOCKS)))


@pytest.mark.parametrize("kind", PROPERTIES, ids=lambda kind: kind.__name__)
def test_documented_properties(kind: type[Any]) -> None:
    for name in PROPERTIES[kind].split():
        assert name in {*dir(kind), *getattr(kind, "__slots__", ())}
