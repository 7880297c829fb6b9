"""Searching metadata by what was posted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.archive.client import Client, with_summaries

HOUR, DAY = 3600, 86400


@dataclass(frozen=True)
class Scene:
    """Four metadata that nothing else in the archive resembles, by short names"""

    keys: dict[str, str]
    sources: dict[str, str]

    def names(self, found: list[str]) -> str:
        """The short names of what was found, and of nothing else"""
        by_key = {key: name for name, key in self.keys.items()}
        return "".join(sorted(by_key.get(key, "?") for key in found))


@pytest.fixture(scope="module")
def scene(archive: Client) -> Scene:
    bodies = {
        "a": archive.body(
            with_summaries("throughput", ("average", DAY), ("aggregation", HOUR)),
            "packet-retransmits",
            scene="one", time_duration=30, ip_transport_protocol="tcp", tool_name="Scene/iperf3",
            destination="192.0.2.77", measurement_agent="192.0.2.78", input_source="Scene-In",
            input_destination="Scene-Out",
        ),
        "b": archive.body(
            "throughput", with_summaries("packet-count-sent", ("aggregation", HOUR)),
            with_summaries("histogram-rtt", ("statistics", 0)),
            scene="one", time_duration="30.0", ip_transport_protocol="udp", source="2001:DB8::77",
            destination="192.0.2.77", measurement_agent="192.0.2.79",
        ),
        "c": archive.body("failures", scene="two"),
        "d": archive.body(
            "failures", scene="one", subject_type="network-element", measurement_agent="192.0.2.78"
        ),
    }  # fmt: skip
    for name in ("destination", "input-destination"):
        del bodies["d"][name]
    bodies["c"]["under_score"] = "low"
    keys = {name: archive.create_as(body)["metadata-key"] for name, body in bodies.items()}
    return Scene(keys, {name: body["source"] for name, body in bodies.items()})


FILTERS = [
    ("scene=one", "abd"),
    ("scene=two", "c"),
    ("source={a}", "a"),
    ("source={d}", "d"),
    ("destination=192.0.2.77", "ab"),
    ("measurement-agent=192.0.2.78", "ad"),
    ("measurement-agent=192.0.2.78&subject-type=network-element", "d"),
    ("destination=192.0.2.77&measurement-agent=192.0.2.79", "b"),
    ("source={a}&destination=192.0.2.79", ""),
    # IPv6 in any spelling
    ("source=2001:db8::77", "b"),
    ("source=2001:0DB8:0:0:0:0:0:77", "b"),
    ("source=2001:DB8:0::77", "b"),
    ("tool-name=Scene/iperf3", "a"),
    ("tool-name=scene/iperf3", ""),
    ("tool-name=Scene/iperf", ""),
    ("tool-name=Scene%", ""),
    ("tool-name=Scene_iperf3", ""),
    ("tool-name=Scene*", ""),
    ("input-source=Scene-In", "a"),
    ("input-source=scene-in", ""),
    ("input-destination=Scene-Out", "a"),
    ("subject-type=point-to-point&scene=one", "ab"),
    ("subject-type=network-element&scene=one", "d"),
    ("subject-type=interface", ""),
    ("subject-type=Point-To-Point&scene=one", ""),
    ("metadata-key={key}", "a"),
    ("metadata-key={key}&scene=two", ""),
    ("metadata-key=0", ""),
    # Parameters, as text
    ("time-duration=30&scene=one", "a"),
    ("time-duration=30.0&scene=one", "b"),
    ("ip-transport-protocol=tcp&scene=one", "a"),
    ("ip-transport-protocol=TCP&scene=one", ""),
    ("Scene=one", ""),
    ("scene=", ""),
    ("under_score=low", "c"),
    ("under-score=low", ""),
    # An unknown name is a parameter that nobody has.
    ("scene=one&tool_name=x", ""),
    ("no-such-parameter=1", ""),
    # The last of a repeated one
    ("scene=two&scene=one", "abd"),
    ("scene=one&scene=two", "c"),
    ("scene=one&event-type=failures&event-type=throughput", "ab"),
    # Event types and summaries
    ("scene=one&event-type=throughput", "ab"),
    ("scene=one&event-type=failures", "d"),
    ("scene=one&event-type=nonesuch", ""),
    ("scene=one&event-type=Throughput", ""),
    ("scene=one&summary-type=aggregation", "ab"),
    ("scene=one&summary-type=average", "a"),
    ("scene=one&summary-type=statistics", "b"),
    ("scene=one&summary-type=averages", ""),
    ("scene=one&summary-type=base", "abd"),
    ("scene=one&summary-window=3600", "ab"),
    ("scene=one&summary-window=86400", "a"),
    ("scene=one&summary-window=60", ""),
    ("scene=one&summary-window=0", "abd"),
    ("scene=one&summary-window=-1", ""),
    # All of one row: the base, or one summary
    ("scene=one&summary-type=average&summary-window=86400", "a"),
    ("scene=one&summary-type=average&summary-window=3600", ""),
    ("scene=one&summary-type=aggregation&summary-window=86400", ""),
    ("scene=one&event-type=throughput&summary-type=aggregation", "a"),
    ("scene=one&event-type=packet-count-sent&summary-type=aggregation", "b"),
    ("scene=one&event-type=packet-retransmits&summary-type=aggregation", ""),
    ("scene=one&event-type=throughput&summary-type=average&summary-window=86400", "a"),
    ("scene=one&event-type=histogram-rtt&summary-type=statistics&summary-window=0", "b"),
    ("scene=one&event-type=throughput&summary-type=base&summary-window=0", "ab"),
    ("scene=one&event-type=throughput&summary-type=base&summary-window=3600", ""),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filters(archive: Client, scene: Scene, query: str, expected: str) -> None:
    pairs = [
        part.format(key=scene.keys["a"], **scene.sources).split("=", 1) for part in query.split("&")
    ]
    answer = archive.send("GET", query=[(name, value) for name, value in pairs])
    assert answer.status == 200
    found = answer.json()
    assert scene.names([metadata["metadata-key"] for metadata in found]) == expected
    if found:
        assert found[0]["metadata-count-total"] == len(expected)


def test_what_is_found_is_whole(archive: Client, scene: Scene) -> None:
    query = {"event_type": "throughput", "summary_type": "average", "summary_window": DAY}
    (found,) = archive.get(scene="one", **query).json()
    detail = archive.get(f"{scene.keys['a']}/").json()
    assert {name: found[name] for name in detail} == detail
    assert [each["event-type"] for each in found["event-types"]] == [
        "packet-retransmits",
        "throughput",
    ]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"scene": "one"}, 200),
        ({"scene": "two"}, 404),
        ({"event_type": "throughput"}, 200),
        ({"event_type": "failures"}, 404),
        ({"summary_type": "average", "summary_window": HOUR}, 404),
        ({"destination": "192.0.2.77"}, 200),
        ({"destination": "192.0.2.79"}, 404),
        ({"no-such-parameter": "1"}, 404),
        ({"time_start": 0}, 404),
        ({"limit": 1, "offset": 0}, 200),
    ],
)
def test_filters_of_one_metadata(
    archive: Client, scene: Scene, query: dict[str, object], status: int
) -> None:
    answer = archive.get(f"{scene.keys['a']}/", **query)
    assert answer.status == status
    if status == 404:
        assert answer.detail == "Not found."


def test_window_that_is_no_number(archive: Client, scene: Scene) -> None:
    for path in ("", f"{scene.keys['a']}/"):
        for window in ("abc", "", "1.5"):
            answer = archive.get(path, summary_window=window)
            assert answer.status == 400
            assert answer.detail


def test_unknown_keys(archive: Client, scene: Scene) -> None:
    unknown = "0" * 32
    for path in (f"{unknown}/", f"{unknown}/throughput", f"{unknown}/throughput/averages", "x/"):
        answer = archive.get(path)
        assert (answer.status, answer.detail) == (404, "Not found.")
    key = scene.keys["a"]
    for event_type in ("failures", "nonesuch"):
        assert archive.get(f"{key}/{event_type}").json() == []
    for path in ("throughput/statistics", "packet-retransmits/averages", "failures/averages"):
        answer = archive.get(f"{key}/{path}")
        assert (answer.status, answer.detail) == (404, "Not found.")


def test_event_and_summary_lists(archive: Client, scene: Scene) -> None:
    key = scene.keys["a"]
    shown = {each["event-type"]: each for each in archive.get(f"{key}/").json()["event-types"]}
    for event_type, expected in shown.items():
        assert archive.get(f"{key}/{event_type}").json() == [expected]
    aggregations = archive.get(f"{key}/throughput/aggregations").json()
    averages = archive.get(f"{key}/throughput/averages").json()
    assert aggregations + averages == shown["throughput"]["summaries"]
    assert [list(each) for each in averages] == [
        ["uri", "summary-type", "summary-window", "time-updated"]
    ]
