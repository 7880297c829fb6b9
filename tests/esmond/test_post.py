"""The documented classes that write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridtap.esmond.errors import EsmondError
from gridtap.esmond.post import (
    EventTypeBulkPost,
    EventTypeBulkPostException,
    EventTypePost,
    EventTypePostException,
    EventTypePostWarning,
    MetadataPost,
    MetadataPostException,
    MetadataPostWarning,
    PostBase,
    PostException,
)
from tests.esmond.documents import KEY
from tests.esmond.server import ROOT, Server, json_reply
from tests.esmond.test_defects_post import SUBJECT, USER


def test_the_base_is_not_for_use() -> None:
    said = "^Do not instantiate base class, use appropriate subclass$"
    with pytest.raises(PostException, match=said):
        PostBase("http://host")


def test_exceptions_are_a_family() -> None:
    for kind in (MetadataPostException, EventTypePostException, EventTypeBulkPostException):
        assert issubclass(kind, PostException)
    assert issubclass(PostException, EsmondError)


@pytest.mark.parametrize("name", list(SUBJECT))
@pytest.mark.parametrize("value", [None, ""])
def test_what_a_metadata_needs(name: str, value: str | None) -> None:
    post = MetadataPost("http://host", **USER, **{**SUBJECT, name: value})
    with pytest.raises(MetadataPostException, match=f"^Reqired arg {name} not set$"):
        post.json_payload()


def test_what_data_need() -> None:
    said = "^Must set metadata_key and event_type args$"
    for more in ({"metadata_key": "k"}, {"event_type": "throughput"}, {}):
        with pytest.raises(EventTypePostException, match=said):
            EventTypePost("http://host", **USER, **more)
    with pytest.raises(EventTypeBulkPostException, match=r"^Must set metadata_key$"):
        EventTypeBulkPost("http://host", **USER)


def test_a_metadata_as_json() -> None:
    post = MetadataPost("http://host", **USER, **SUBJECT, ip_transport_protocol="tcp")
    post.add_event_type("failures")
    post.add_summary_type("throughput", "average", [3600, "86400"])
    post.add_freeform_key_value("bw-parallel-streams", 4)
    assert list(json.loads(post.json_payload()).items()) == [
        ("subject-type", "point-to-point"),
        ("source", "10.10.0.1"),
        ("destination", "10.10.0.2"),
        ("tool-name", "bwctl/iperf3"),
        ("measurement-agent", "10.10.0.2"),
        ("input-source", "host1"),
        ("input-destination", "host2"),
        ("ip-transport-protocol", "tcp"),
        (
            "event-types",
            [
                {"event-type": "failures", "summaries": []},
                {
                    "event-type": "throughput",
                    "summaries": [
                        {"summary-type": "average", "summary-window": 3600},
                        {"summary-type": "average", "summary-window": "86400"},
                    ],
                },
            ],
        ),
        ("bw-parallel-streams", 4),
    ]
    assert post.json_payload(pp=True).splitlines()[1] == '    "subject-type": "point-to-point",'


def test_summaries_replace_those_of_their_type() -> None:
    post = MetadataPost("http://host", **USER, **SUBJECT)
    post.add_summary_type("throughput", "average", [60])
    post.add_summary_type("throughput", "aggregation", [60])
    post.add_summary_type("throughput", "average", [3600])
    [one] = json.loads(post.json_payload())["event-types"]
    assert [tuple(each.values()) for each in one["summaries"]] == [
        ("aggregation", 60),
        ("average", 3600),
    ]


def test_summaries_without_windows() -> None:
    post = MetadataPost("http://host", **USER, **SUBJECT)
    with pytest.warns(MetadataPostWarning, match=r"^No summary windows were defined - skipping$"):
        post.add_summary_type("throughput", "average")
    assert json.loads(post.json_payload())["event-types"] == []


@pytest.mark.parametrize("window", ["day", 0.5, None, True])
def test_windows_are_whole_numbers(window: Any) -> None:
    post = MetadataPost("http://host", **USER, **SUBJECT)
    with pytest.raises(MetadataPostException, match=f"^Invalid summary window int: {window}$"):
        post.add_summary_type("throughput", "average", [3600, window])
    assert json.loads(post.json_payload())["event-types"] == []


def test_parameters_are_set_once() -> None:
    post = MetadataPost("http://host", **USER, **SUBJECT)
    post.add_freeform_key_value("bw-parallel-streams", 4)
    for key in ("bw-parallel-streams", "tool-name"):
        with pytest.warns(MetadataPostWarning, match=f"^Payload key {key} exists - skipping$"):
            post.add_freeform_key_value(key, 8)
    with pytest.raises(MetadataPostException, match=r"^Payload key ip-tos has no value$"):
        post.add_freeform_key_value("ip-tos", None)
    sent = json.loads(post.json_payload())
    assert (sent["bw-parallel-streams"], sent["tool-name"]) == (4, "bwctl/iperf3")


def test_without_credentials() -> None:
    with pytest.warns(EventTypePostWarning, match=r"^username and api_key not set$") as got:
        post = EventTypePost("http://host", metadata_key=KEY, event_type="throughput")
    assert "Authorization" not in post.headers
    assert got[0].filename == __file__


def test_points_by_second() -> None:
    post = EventTypeBulkPost("http://host", **USER, metadata_key=KEY)
    post.add_data_point("throughput", 2, 1)
    post.add_data_point("failures", 1, {"error": "x"})
    post.add_data_point("packet-retransmits", 2, 0)
    assert json.loads(post.json_payload()) == {
        "data": [
            {
                "ts": 2,
                "val": [
                    {"event-type": "throughput", "val": 1},
                    {"event-type": "packet-retransmits", "val": 0},
                ],
            },
            {"ts": 1, "val": [{"event-type": "failures", "val": {"error": "x"}}]},
        ]
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_json_does_not_have(value: Any) -> None:
    # An archive takes NaN, and fails for ever after on any range with it.
    with Server(lambda _: json_reply("", 201)) as server:
        post = EventTypePost(server.url, **USER, metadata_key=KEY, event_type="throughput")
        post.add_data_point(1, value)
        with pytest.raises(EventTypePostException, match=r"^not JSON: "):
            post.post_data()
        assert server.asked == []


def test_where_things_go() -> None:
    with Server(lambda _: json_reply("", 201)) as server:
        one = EventTypePost(server.url, **USER, metadata_key=KEY, event_type="a/b?c")
        one.add_data_point(1, 2)
        one.post_data()
        one.add_data_point(2, 3)
        one.post_data(bulk=False)
        many = EventTypeBulkPost(f"{server.url}/", **USER, metadata_key=KEY, script_alias=None)
        many.add_data_point("throughput", 1, 2)
        many.post_data()
        single = f"POST {ROOT}{KEY}/a%2Fb%3Fc/base"
        assert server.paths() == [single, single, single, f"PUT /perfsonar/archive/{KEY}/"]
        assert server.asked[0].json() == {"ts": 1, "val": 2}
        first = server.asked[0].headers
        assert (first["content-type"], first["authorization"]) == ("application/json", "Token abc")


def test_nothing_to_post() -> None:
    with Server(lambda _: json_reply("", 201)) as server:
        EventTypePost(server.url, **USER, metadata_key=KEY, event_type="failures").post_data()
        EventTypeBulkPost(server.url, **USER, metadata_key=KEY).post_data()
        assert server.asked == []
