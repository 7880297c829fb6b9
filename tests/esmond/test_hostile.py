"""Servers that fail, lie, or do not end. One clear error each, and no waiting for ever."""

from __future__ import annotations

import itertools
import pickle
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gridtap.esmond import ApiConnect, ApiFilters, EventType, Limits
from gridtap.esmond.errors import (
    ArchiveUrlError,
    BadAnswerError,
    BodyLimitError,
    EsmondError,
    NoAnswerError,
    PagingError,
    PostException,
    RequestError,
    StatusError,
    TimeFilterError,
    UnreachableError,
)
from gridtap.esmond.post import EventTypePost
from gridtap.esmond.query import ApiConnectWarning, EventTypeWarning
from tests.esmond.documents import counted, event_type, metadata, window_of
from tests.esmond.server import ROOT, Asked, Reply, Server, html_reply, json_reply

JSON = {"Content-Type": "application/json"}


def strict(**settings: Any) -> ApiFilters:
    filters = ApiFilters()
    filters.strict = True
    for name, value in settings.items():
        setattr(filters, name, value)
    return filters


def series(count: int) -> list[dict[str, Any]]:
    return [{"ts": 1000 + n, "val": float(n)} for n in range(count)]


def data_of(server: Server, filters: ApiFilters | None = None) -> EventType:
    return EventType(event_type("throughput"), server.url, filters or strict())


def drip() -> Iterator[bytes]:
    yield b"["
    for _ in range(100):
        time.sleep(0.05)
        yield b" "


def endless() -> Iterator[bytes]:
    yield b"["
    yield from itertools.repeat(b" " * (1 << 20), 64)


ANSWERS: dict[str, tuple[Reply, type[RequestError], str]] = {
    "HTML 500": (
        html_reply(500, "<h1>Server Error (500)</h1>"),
        StatusError,
        "500 Internal Server Error: Server Error (500)",
    ),
    "HTML 400 of elmond": (
        html_reply(
            400,
            "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n"
            "<h1>Bad Request</h1>\n<p>7 is not a supported\n summary_window</p>\n",
        ),
        StatusError,
        "400 Bad Request: 7 is not a supported summary_window",
    ),
    "401": (
        json_reply({"detail": "Invalid token."}, 401),
        StatusError,
        "401 Unauthorized: Invalid token.",
    ),
    "an error as the guides have it": (
        json_reply({"error": "no"}, 400),
        StatusError,
        "400 Bad Request: no",
    ),
    "an unknown status": (json_reply({"detail": "?"}, 799), StatusError, "799: ?"),
    "a page for people": (
        html_reply(200, "<title>Welcome</title><style>p {}</style><p>Log in</p>"),
        BadAnswerError,
        "JSON expected, but text/html came: Log in",
    ),
    "no type": (Reply(200, b"[]", {}), BadAnswerError, "but a body without a type came"),
    "cut JSON": (Reply(200, b'[{"ts": 1', JSON), BadAnswerError, "not whole JSON: "),
    "deep JSON": (Reply(200, b"[" * 200_000, JSON), BadAnswerError, "not whole JSON: "),
    "not UTF-8": (Reply(200, b'["\xff"]', JSON), BadAnswerError, "not whole JSON: "),
    "an object": (json_reply({}), BadAnswerError, "a JSON array expected, but dict came"),
    "numbers": (json_reply([1]), BadAnswerError, "an object expected, but 1 came"),
    "no value": (json_reply([{"ts": 1}]), BadAnswerError, "not a point: {'ts': 1}"),
    "no time": (json_reply([{"val": 1}]), BadAnswerError, "not a point"),
    "a word as time": (json_reply([{"ts": "x", "val": 1}]), BadAnswerError, "not a time: 'x'"),
    "endless time": (
        Reply(200, b'[{"ts": 1e999, "val": 1}]', JSON),
        BadAnswerError,
        "not a time: inf",
    ),
    "redirected round": (
        json_reply([], 302, Location=f"{ROOT}"),
        RequestError,
        "Exceeded 5 redirects",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_strict_reading_raises_what_is_wrong(name: str) -> None:
    reply, kind, said = ANSWERS[name]
    with Server(lambda _: reply) as server, pytest.raises(kind) as got:
        data_of(server).get_data()
    assert type(got.value) is kind
    assert said in str(got.value)
    assert str(got.value).startswith(f"GET {server.url}{ROOT}")
    assert "\n" not in str(got.value)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "redirected round"])
def test_lenient_reading_warns_and_has_nothing(name: str) -> None:
    reply, _, _ = ANSWERS[name]
    said = f"got status: {reply.status} - response: "
    with Server(lambda _: reply) as server, pytest.warns(EventTypeWarning, match=said):
        assert data_of(server, ApiFilters()).get_data().data == []


def test_a_failure_on_a_later_page_is_not_taken_for_the_end() -> None:
    def answer(asked: Asked) -> Reply:
        if len(server.asked) == 3:
            return html_reply(500, "<h1>Server Error (500)</h1>")
        return json_reply(window_of(series(5000), asked))

    with Server(answer) as server, pytest.raises(StatusError):
        data_of(server).get_data()
    with Server(answer) as server, pytest.warns(EventTypeWarning):
        assert data_of(server, ApiFilters()).get_data().data == []
    with Server(answer) as server:
        points = data_of(server, ApiFilters()).iter_data()
        with pytest.raises(StatusError):
            list(points)


def test_no_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for filters in (strict(limits=Limits(retries=1)), ApiFilters()):
            with pytest.raises(UnreachableError, match=f"^GET {url}{ROOT}: Connection refused$"):
                list(ApiConnect(url, filters).get_metadata())


def test_no_such_host() -> None:
    conn = ApiConnect("http://no-such-host.invalid", strict(limits=Limits(retries=0)))
    with pytest.raises(UnreachableError, match=r"^GET http://no-such-host\.invalid/.*: [A-Z]"):
        list(conn.get_metadata())


def test_hanging_up_is_tried_again() -> None:
    with Server(lambda _: None) as server:
        with pytest.raises(UnreachableError):
            data_of(server, strict(limits=Limits(retries=2))).get_data()
        assert len(server.asked) == 3


def test_a_body_that_breaks_off_is_read_again() -> None:
    whole = json_reply(series(10))

    def answer(_: Asked) -> Reply:
        cut = Reply(200, whole.body, JSON, length=10_000, cut=True)
        return cut if len(server.asked) == 1 else whole

    with Server(answer) as server:
        assert len(data_of(server).get_data()) == 10
        assert len(server.asked) == 2


def test_a_body_that_always_breaks_off() -> None:
    with Server(lambda _: Reply(200, b"[]", JSON, length=10, cut=True)) as server:
        with pytest.raises(UnreachableError, match="IncompleteRead"):
            data_of(server, strict(limits=Limits(retries=1))).get_data()
        assert len(server.asked) == 2


def test_silence() -> None:
    def answer(_: Asked) -> Reply:
        time.sleep(2)
        return json_reply([])

    with Server(answer) as server:
        begun = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"nothing received for 0\.2 s$"):
            data_of(server, strict(timeout=0.2)).get_data()
        assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize("reply", [drip, endless])
def test_bodies_with_an_older_urllib3(
    monkeypatch: pytest.MonkeyPatch, reply: Callable[[], Iterator[bytes]]
) -> None:
    """Before 2.2 it had no way to read what has arrived; pieces then have to be full"""
    monkeypatch.delattr("urllib3.response.HTTPResponse.read1")
    monkeypatch.delattr("urllib3.response.BaseHTTPResponse.read1")
    points = series(3)
    with Server(lambda _: json_reply(points)) as server:
        assert [point.val for point in data_of(server).get_data().data] == [0.0, 1.0, 2.0]
    limits = Limits(retries=0, body_bytes=10_000, body_s=0.5)
    with (
        Server(lambda _: Reply(200, reply(), JSON)) as server,
        pytest.raises((BodyLimitError, BadAnswerError)),
    ):
        data_of(server, strict(limits=limits)).get_data()


def test_a_body_that_drips() -> None:
    # Something arrives all the time, so that the timeout never comes to pass.
    with Server(lambda _: Reply(200, drip(), JSON)) as server:
        begun = time.monotonic()
        with pytest.raises(BodyLimitError, match=r"the body is not at its end after 0\.3 s$"):
            data_of(server, strict(limits=Limits(body_s=0.3))).get_data()
        assert time.monotonic() - begun < 2


def test_a_body_without_end() -> None:
    said = r"the body is more than 4,194,304 bytes$"
    endlessly = Reply(200, endless(), JSON)
    with Server(lambda _: endlessly) as server, pytest.raises(BodyLimitError, match=said):
        data_of(server, strict(limits=Limits(body_bytes=4 << 20))).get_data()


def test_pauses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtap.esmond.http._PAUSE_S", 0.2)
    away = json_reply({"detail": "maintenance"}, 503, Retry_After="86400")
    with Server(lambda _: away) as server:
        begun = time.monotonic()
        with pytest.raises(StatusError, match="503 Service Unavailable: maintenance"):
            data_of(server).get_data()
        assert 0.5 < time.monotonic() - begun < 3
        assert len(server.asked) == 4


Answer = Callable[[Asked], Reply]


def always_the_first_page(asked: Asked) -> Reply:
    return json_reply(series(int(asked.query["limit"])))


def newest_first(asked: Asked) -> Reply:
    return json_reply(window_of(series(5000), asked)[::-1])


@pytest.mark.parametrize("answer", [always_the_first_page, newest_first])
def test_pages_that_lead_nowhere(answer: Answer) -> None:
    with Server(answer) as server:
        with pytest.raises(PagingError):
            data_of(server).get_data()
        assert len(server.asked) <= 2
        with pytest.warns(EventTypeWarning, match=r"^GET "):
            data_of(server, ApiFilters()).get_data()


def repeating(asked: Asked) -> Reply:
    page = window_of(series(2500), asked)
    return json_reply(page + page[-3:]) if len(page) < 1000 else json_reply(page)


def begins_too_early(asked: Asked) -> Reply:
    begin = int(asked.query.get("time-start", 0))
    return json_reply([one for one in series(2500) if one["ts"] >= begin - 5][:1000])


def knows_no_limit(_: Asked) -> Reply:
    return json_reply(series(2500))


def in_disorder(asked: Asked) -> Reply:
    page = window_of(series(2500), asked)
    return json_reply([*page[1::2], *page[::2]] if page[0]["ts"] == 1000 else page)


def short_pages_with_links(asked: Asked) -> Reply:
    page = window_of(series(2500), asked)
    if len(page) < 1000:
        return json_reply(page)
    return json_reply(page[:700], Link='<http://x/y?offset=700>; rel="next"')


def times_as_text(asked: Asked) -> Reply:
    page = window_of(series(2500), asked)
    return json_reply([{"ts": str(one["ts"]), "val": one["val"]} for one in page])


@pytest.mark.parametrize(
    "answer",
    [
        repeating,
        begins_too_early,
        knows_no_limit,
        in_disorder,
        short_pages_with_links,
        times_as_text,
    ],
)
def test_odd_pages_lose_and_repeat_nothing(answer: Answer) -> None:
    with Server(answer) as server:
        found = [(point.ts_epoch, point.val) for point in data_of(server).get_data().data]
    assert found == [(one["ts"], one["val"]) for one in series(2500)]


KEYS = [f"{n:032x}" for n in range(10)]


def wrong_totals(total: int) -> Answer:
    def answer(asked: Asked) -> Reply:
        offset = int(asked.query.get("offset", 0))
        page = [metadata(key) for key in KEYS[offset : offset + 4]]
        return json_reply(counted(*page, total=total) if page else [])

    return answer


def overlapping(asked: Asked) -> Reply:
    offset = int(asked.query.get("offset", 0))
    page = [metadata(key) for key in KEYS[max(0, offset - 1) : offset + 3]]
    return json_reply(counted(*page, total=len(KEYS)))


@pytest.mark.parametrize("answer", [wrong_totals(10), wrong_totals(400), overlapping])
def test_odd_lists_lose_and_repeat_nothing(answer: Answer) -> None:
    with Server(answer) as server:
        conn = ApiConnect(server.url, strict())
        assert [one.metadata_key for one in conn.get_metadata()] == KEYS


@pytest.mark.parametrize("offset", [0, 4])
def test_a_list_that_leads_in_a_circle(offset: int) -> None:
    def answer(_: Asked) -> Reply:
        page = counted(*map(metadata, KEYS[:4]), total=1000)
        page[0]["metadata-next-page"] = f"http://inside{ROOT}?offset={offset}"
        return json_reply(page)

    with Server(answer) as server:
        with pytest.raises(PagingError):
            list(ApiConnect(server.url, strict()).get_metadata())
        with pytest.warns(ApiConnectWarning):
            found = list(ApiConnect(server.url).get_metadata())
        assert [one.metadata_key for one in found] == KEYS[:4]
        assert len(server.asked) <= 4


def test_nobody_else_gets_the_key() -> None:
    """Whatever host an archive's answers name, requests go where the user said"""
    with Server(lambda _: json_reply([])) as elsewhere:

        def answer(asked: Asked) -> Reply:
            if asked.path != ROOT:
                return json_reply(series(1))
            one = event_type("throughput")
            one["base-uri"] = f"{elsewhere.url}{one['base-uri']}"
            page = counted(metadata(KEYS[0], one), total=2)
            if "offset" in asked.query:
                return json_reply([])
            page[0]["metadata-next-page"] = f"{elsewhere.url}{ROOT}?offset=1"
            return json_reply(page)

        filters = strict(auth_username="user", auth_apikey="secret")
        with Server(answer) as server:
            for found in ApiConnect(server.url, filters).get_metadata():
                for one in found.get_all_event_types():
                    assert len(one.get_data()) == 1
            assert {asked.headers["authorization"] for asked in server.asked} == {"Token secret"}
        assert elsewhere.asked == []


def test_no_key_in_another_hosts_redirect() -> None:
    with Server(lambda _: json_reply([])) as elsewhere:
        away = json_reply(
            [], 302, Location=f"{elsewhere.url}{ROOT}".replace("127.0.0.1", "localhost")
        )
        with Server(lambda _: away) as server:
            filters = strict(auth_username="user", auth_apikey="secret")
            assert list(ApiConnect(server.url, filters).get_metadata()) == []
            assert server.asked[0].headers["authorization"] == "Token secret"
        assert "authorization" not in elsewhere.asked[0].headers


def test_a_redirected_write_is_an_error() -> None:
    # An HTTP client that follows turns it into a GET, which succeeds and stores nothing.
    there = f"http://elsewhere{ROOT}"
    with Server(lambda _: json_reply("", 301, Location=there)) as server:
        post = EventTypePost(server.url, "user", "key", metadata_key="k", event_type="failures")
        post.add_data_point(1, {})
        with pytest.raises(PostException) as got:
            post.post_data()
        assert str(got.value.__cause__).endswith(f"301: the archive is at {there}")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url", ["archive.example.org", "ftp://host", "http://", "http://host:99999", "http://[::1", ""]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ArchiveUrlError, match=r"^not the URL of an archive: ") as got:
        ApiConnect(url)
    assert isinstance(got.value, ValueError)


def test_an_archive_that_gives_no_address() -> None:
    one = EventType({"event-type": "throughput"}, "http://host", strict())
    with pytest.raises(ArchiveUrlError, match="without a path: ''"):
        one.get_data()


def test_a_window_that_ends_before_it_begins() -> None:
    filters = ApiFilters()
    filters.time_start, filters.time_end = 2000, 1000
    with pytest.raises(TimeFilterError, match=r"ends \(1000\) before it begins \(2000\)"):
        list(ApiConnect("http://host", filters).get_metadata())


@pytest.mark.parametrize("ssl_verify", ["/no/such/file.pem"])
def test_certificates_that_are_not_there(ssl_verify: str) -> None:
    conn = ApiConnect("https://127.0.0.1:1", strict(ssl_verify=ssl_verify))
    with pytest.raises(RequestError, match=r"/no/such/file\.pem"):
        list(conn.get_metadata())


def test_a_key_that_is_none() -> None:
    filters = strict(auth_username="user", auth_apikey="two\nlines")
    with Server(lambda _: json_reply([])) as server:
        with pytest.raises(RequestError, match="header"):
            list(ApiConnect(server.url, filters).get_metadata())
        assert server.asked == []


def test_passwords_are_not_told() -> None:
    conn = ApiConnect("http://user:secret@127.0.0.1:1", strict(limits=Limits(retries=0)))
    with pytest.raises(UnreachableError) as got:
        list(conn.get_metadata())
    assert "secret" not in str(got.value) + repr(got.value) + got.value.url


def test_errors_survive_pickling() -> None:
    reply, _, _ = ANSWERS["401"]
    with Server(lambda _: reply) as server, pytest.raises(StatusError) as got:
        data_of(server).get_data()
    for error in (got.value, UnreachableError("GET", "http://h/", "why"), PostException("no", 3)):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
        assert isinstance(again, EsmondError)
    assert (got.value.status, got.value.detail) == (401, "Invalid token.")
