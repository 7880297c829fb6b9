"""What esmond_client 4.4 gets wrong when it writes, each defect once.

The list is that of docs/esmond-client.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from gridtap.esmond.errors import NoAnswerError, PostException, StatusError
from gridtap.esmond.post import (
    EventTypeBulkPost,
    EventTypeBulkPostException,
    EventTypeBulkPostWarning,
    EventTypePost,
    EventTypePostException,
    MetadataPost,
    MetadataPostException,
    MetadataPostWarning,
)
from tests.esmond.conftest import Archive
from tests.esmond.documents import KEY, event_type, metadata
from tests.esmond.server import ROOT, Asked, Reply, Server, html_reply, json_reply

SUBJECT = {
    "subject_type": "point-to-point",
    "source": "10.10.0.1",
    "destination": "10.10.0.2",
    "tool_name": "bwctl/iperf3",
    "measurement_agent": "10.10.0.2",
    "input_source": "host1",
    "input_destination": "host2",
}

USER = {"username": "pS_user", "api_key": "abc"}

CREATED = {
    **metadata(KEY),
    "source": "10.10.0.1",
    "destination": "10.10.0.2",
    "measurement-agent": "10.10.0.2",
}


def described(url: str, **more: Any) -> MetadataPost:
    post = MetadataPost(url, **USER, **{**SUBJECT, **more})
    post.add_event_type("throughput")
    return post


def slow(_: Asked) -> Reply:
    time.sleep(2)
    return json_reply("", 201)


POSTS: dict[str, Callable[[str, float], Any]] = {
    "metadata": lambda url, timeout: described(url, timeout=timeout).post_metadata,
    "event type": lambda url, timeout: filled(
        EventTypePost(url, **USER, metadata_key="k", event_type="failures", timeout=timeout)
    ),
    "bulk": lambda url, timeout: filled(
        EventTypeBulkPost(url, **USER, metadata_key="k", timeout=timeout), "failures"
    ),
}


def filled(post: Any, *first: str) -> Any:
    post.add_data_point(*first, 1397075053, {"error": "x"})
    return post.post_data


@pytest.mark.parametrize("what", POSTS)
def test_a17_an_archive_that_does_not_answer_is_a_post_exception(what: str) -> None:
    with Server(slow) as server:
        post = POSTS[what](server.url, 0.2)
        with pytest.raises(
            PostException, match=r"^POST connection error: .*nothing received"
        ) as got:
            post()
        assert isinstance(got.value.__cause__, NoAnswerError)
        # Whoever does not answer for long is not asked again.
        assert len(server.asked) == 1


@pytest.mark.parametrize("what", POSTS)
def test_a18_exceptions_say_what_happened_as_text(what: str) -> None:
    refusal = {"detail": "Invalid source \N{LATIN SMALL LETTER E WITH ACUTE}"}
    body = json.dumps(refusal, ensure_ascii=False).encode()
    kind = {"Content-Type": "application/json"}
    refuse = Reply(400, body, kind)
    with Server(lambda _: refuse) as server, pytest.raises(PostException) as got:
        POSTS[what](server.url, 5)()
    said = f"POST error: status_code: 400, message: {body.decode()}"
    assert str(got.value) == got.value.value == said
    assert (got.value.status, got.value.detail) == (400, refusal["detail"])
    assert isinstance(got.value.__cause__, StatusError)


def test_a19_an_event_type_is_announced_once(archive: Archive) -> None:
    post = MetadataPost(archive.url, **archive.credentials, **SUBJECT)
    post.add_summary_type("throughput", "average", [3600])
    with pytest.warns(MetadataPostWarning, match=r"^Event type throughput already exists - skip"):
        post.add_event_type("throughput")
    assert json.loads(post.json_payload())["event-types"] == [
        {
            "event-type": "throughput",
            "summaries": [{"summary-type": "average", "summary-window": 3600}],
        }
    ]
    assert post.post_metadata().event_types == ["throughput"]


def test_a20_many_points_are_one_request(archive: Archive) -> None:
    key = described_in(archive)
    post = EventTypePost(
        archive.url, **archive.credentials, metadata_key=key, event_type="throughput"
    )
    for ts in range(1000, 1900):
        post.add_data_point(ts, ts)
    post.post_data()
    assert archive.server.paths()[1:] == [f"PUT {ROOT}{key}/"]
    assert stored(archive) == [(ts, float(ts)) for ts in range(1000, 1900)]


def test_a20_large_bulks_are_sent_in_parts(archive: Archive) -> None:
    key = described_in(archive)
    post = EventTypeBulkPost(archive.url, **archive.credentials, metadata_key=key)
    begun = time.process_time()
    for ts in range(20_000):
        post.add_data_point("throughput", 20_000 - ts, ts)
    assert len(json.loads(post.json_payload())["data"]) == 20_000
    # Looking through all seconds for each point took minutes.
    assert time.process_time() - begun < 5
    post.post_data()
    assert archive.server.paths()[1:] == [f"PUT {ROOT}{key}/"] * 20


def test_a20_points_are_forgotten_when_told_so(archive: Archive) -> None:
    key = described_in(archive)
    post = EventTypeBulkPost(archive.url, **archive.credentials, metadata_key=key)
    post.add_data_point("throughput", 1000, 1)
    # As documented, points are kept.
    post.post_data()
    post.post_data()
    post.clear()
    post.add_data_point("throughput", 1001, 2)
    post.post_data()
    sent = [[one["ts"] for one in asked.json()["data"]] for asked in archive.server.asked[1:]]
    assert sent == [[1000], [1000], [1001]]
    assert stored(archive) == [(1000, 1.0), (1001, 2.0)]


def test_a20_a_failure_tells_how_many_points_are_stored(archive: Archive) -> None:
    key = described_in(archive)
    post = EventTypePost(
        archive.url, **archive.credentials, metadata_key=key, event_type="throughput"
    )
    post.add_data_point(3500, 7)
    post.post_data()
    post.clear()
    for ts in range(2000, 5000):
        post.add_data_point(ts, 1)
    with pytest.raises(EventTypePostException, match="at time 3500") as got:
        post.post_data()
    assert got.value.stored == 1000
    assert got.value.status == 409

    post.clear()
    for ts in range(3490, 3510):
        post.add_data_point(ts, 1)
    with pytest.raises(EventTypePostException, match="at time 3500") as got:
        post.post_data(bulk=False)
    assert got.value.stored == 10


def test_a20_a_request_never_has_a_second_twice(archive: Archive) -> None:
    # esmond would add the numbers; in two requests it refuses the second.
    key = described_in(archive)
    post = EventTypeBulkPost(archive.url, **archive.credentials, metadata_key=key)
    post.add_data_point("throughput", 1000, 5)
    post.add_data_point("throughput", 1000, 7)
    with pytest.raises(EventTypeBulkPostException, match="already exists") as got:
        post.post_data()
    assert got.value.stored == 1
    assert stored(archive) == [(1000, 5.0)]


def test_a20_a_request_never_has_two_histograms_of_one_kind() -> None:
    # esmond would keep only the last of them in its summaries.
    with Server(lambda _: json_reply("", 201)) as server:
        post = EventTypeBulkPost(server.url, **USER, metadata_key=KEY)
        for ts in (1000, 1060):
            post.add_data_point("histogram-owdelay", ts, {"1.5": 600})
            post.add_data_point("histogram-ttl", ts, {"7": 600})
            post.add_data_point("packet-count-sent", ts, 600)
        post.post_data()
        sent = [asked.json()["data"] for asked in server.asked]
    assert [[(one["ts"], len(one["val"])) for one in data] for data in sent] == [
        [(1000, 3)],
        [(1060, 3)],
    ]


def test_a21_the_posted_metadata_keeps_the_settings() -> None:
    with Server(lambda _: json_reply(CREATED, 201)) as server:
        new = described(server.url, timeout=3, ssl_verify=False).post_metadata()
    filters = new.filters
    assert (filters.ssl_verify, filters.timeout) == (False, 3)
    assert (filters.auth_username, filters.auth_apikey) == ("pS_user", "abc")


def test_a22_network_elements_have_no_destination() -> None:
    subject = {name: value for name, value in SUBJECT.items() if "destination" not in name}
    subject["subject_type"] = "network-element"
    post = MetadataPost("http://host", **USER, **subject)
    sent = json.loads(post.json_payload())
    assert sent["subject-type"] == "network-element"
    assert [name for name in sent if "destination" in name] == []

    subject["subject_type"] = "point-to-point"
    with pytest.raises(MetadataPostException, match="destination"):
        MetadataPost("http://host", **USER, **subject).json_payload()


def test_a23_zero_is_a_value() -> None:
    sent = json.loads(described("http://host", time_duration=0).json_payload())
    assert sent["time-duration"] == 0
    assert "ip-transport-protocol" not in sent


def test_a24_bulk_posts_warn_in_their_own_name() -> None:
    with pytest.warns(EventTypeBulkPostWarning, match=r"^username and api_key not set$"):
        EventTypeBulkPost("http://host", metadata_key=KEY)


def test_a24_the_message_is_what_scripts_may_look_for() -> None:
    post = MetadataPost("http://host", **USER, **{**SUBJECT, "tool_name": ""})
    with pytest.raises(MetadataPostException, match=r"^Reqired arg tool_name not set$"):
        post.json_payload()


class _Foreign:
    """A whole number of another library, as NumPy has them"""

    def __index__(self) -> int:
        return 1397075053


@pytest.mark.parametrize("ts", [1397075053, 1397075053.0, Fraction(1397075053), _Foreign()])
def test_a25_whole_numbers_are_times(ts: Any) -> None:
    post = EventTypePost("http://host", **USER, metadata_key=KEY, event_type="throughput")
    post.add_data_point(ts, 23)
    assert post.json_payload() == '[{"ts": 1397075053, "val": 23}]'


@pytest.mark.parametrize("ts", [True, 1.5, float("nan"), float("inf"), "1397075053", None])
def test_a25_nothing_else_is_a_time(ts: Any) -> None:
    one = EventTypePost("http://host", **USER, metadata_key=KEY, event_type="throughput")
    with pytest.raises(EventTypePostException, match=r"^ts arg must be an integer$"):
        one.add_data_point(ts, 23)
    bulk = EventTypeBulkPost("http://host", **USER, metadata_key=KEY)
    with pytest.raises(EventTypeBulkPostException, match=r"^ts arg must be an integer$"):
        bulk.add_data_point("throughput", ts, 23)


def test_a_metadata_is_posted_again_after_a_gateway_failed() -> None:
    troubles = [503, 502]

    def answer(_: Asked) -> Reply:
        return html_reply(troubles.pop(), "") if troubles else json_reply(CREATED, 201)

    with Server(answer) as server:
        assert described(server.url).post_metadata().metadata_key == KEY
        assert len(server.asked) == 3


@pytest.mark.parametrize("what", ["event type", "bulk"])
def test_points_are_never_posted_again(what: str) -> None:
    with Server(lambda _: html_reply(503, "<h1>Away</h1>")) as server:
        with pytest.raises(PostException, match="status_code: 503"):
            POSTS[what](server.url, 5)()
        assert len(server.asked) == 1
    with Server(lambda _: None) as server:
        with pytest.raises(PostException, match=r"^POST connection error: "):
            POSTS[what](server.url, 5)()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "half",
    [
        {"event-types": []},
        {"event-types": [event_type("failures")]},
        {"source": None},
        {"time-duration": None},
    ],
    ids=["no event types", "another event type", "no source", "no parameter"],
)
def test_half_a_metadata_is_no_success(half: dict[str, Any]) -> None:
    # esmond fails to store something, keeps the half, and says 201 to the next attempt.
    found = {name: value for name, value in {**CREATED, **half}.items() if value is not None}
    said = f"only a part of this metadata .{KEY}."
    created = json_reply(found, 201)
    with Server(lambda _: created) as server, pytest.raises(MetadataPostException, match=said):
        described(server.url, time_duration=30).post_metadata()


def described_in(archive: Archive) -> str:
    post = MetadataPost(archive.url, **archive.credentials, **SUBJECT)
    post.add_event_type("throughput")
    key = post.post_metadata().metadata_key
    assert key is not None
    return key


def stored(archive: Archive) -> list[tuple[int, Any]]:
    [one] = next(archive.connect().get_metadata()).get_all_event_types()
    return [(point.ts_epoch, point.val) for point in one.iter_data()]
