"""Requests that no client library would send: never a server fault, always an answer in JSON."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive.openapi_server import Served, serving

EXAMPLES = int(os.environ.get("GRIDTAP_RAW_EXAMPLES", "400"))
ANSWER_S = 30.0

#: Bytes of a request's head that the server reads.
MAX_HEAD = 64 * 1024

#: What a line of a request may be made of, and still be understood as one
VISIBLE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12
).map(str.encode)
#: and what may not.
ODD_BYTES = st.binary(max_size=12).map(lambda raw: raw.translate(None, b" \r\n\t"))
#: A request with such bytes goes no further than the reader of the first line.
RARELY_ODD = st.tuples(st.integers(0, 29), ODD_BYTES).map(
    lambda drawn: drawn[1] if drawn[0] == 29 else b""
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("archive")) as found:
        yield found


def parts() -> st.SearchStrategy[bytes]:
    known = b"KEY throughput histogram-rtt base averages statistics 3600 0".split()
    odd = b".. . %2e%2e %2F %00 %0d%0a % %zz %ff%fe %c3%28 %ed%a0%80 a%00b * ; ?".split()
    long = st.integers(1, 9_000).map(lambda size: b"a" * size)
    encoded = st.binary(max_size=12).map(lambda raw: quote_from_bytes(raw).encode())
    return st.one_of(st.sampled_from(known), st.sampled_from(odd), encoded, VISIBLE, long)


def paths() -> st.SearchStrategy[bytes]:
    roots = [b"/esmond/perfsonar/archive/", b"/perfsonar/archive/"]
    others = [
        b"/",
        b"//",
        b"*",
        b"http://archive.example/perfsonar/archive/",
        b"/esmond/",
        b"/openapi",
    ]
    shapes = [b"", b"%s/", b"KEY/", b"KEY/%s", b"%s/throughput/base", b"KEY/%s/base"]
    shapes += [b"KEY/throughput/%s", b"KEY/throughput/averages/%s", b"KEY/throughput/base/%s"]
    shaped = st.builds(
        lambda root, shape, part: root + shape.replace(b"%s", part),
        st.sampled_from(roots),
        st.sampled_from(shapes),
        parts(),
    )
    free = st.builds(
        lambda root, middle: root + b"/".join(middle),
        st.sampled_from([*roots, *others]),
        st.lists(parts(), max_size=6),
    )
    return st.one_of(shaped, shaped, free)


def queries() -> st.SearchStrategy[bytes]:
    names = st.sampled_from(
        b"limit offset time time-start time-end time-range summary-window event-type summary-type "
        b"metadata-key tool-name dns-match-rule subject-type".split()
    )
    numbers = st.integers().map(lambda number: str(number).encode())
    pair = st.builds(lambda name, value: name + b"=" + value, names | parts(), numbers | parts())
    some = st.lists(pair, max_size=6).map(b"&".join)
    many = st.builds(lambda one, count: b"&".join([one] * count), pair, st.integers(1, 300))
    return st.one_of(st.just(b""), some, some, many)


def headers() -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    names = st.sampled_from(
        b"Accept Authorization Content-Type X-Forwarded-For X-Forwarded-Proto Host Range Upgrade "
        b"If-None-Match If-Modified-Since Connection Expect Accept-Encoding Cookie X-Odd".split()
    )
    values = st.sampled_from(
        b"Token KEY|Token|Token a b|ApiKey u:k|ApiKey|text/html|*/*;q=0|image/png|a, b|::1|[::1]:x|"
        b"application/json; charset=latin-1|bytes=0-|bytes=5-2,x|h2c|upgrade|100-continue|\xff|"
        b"Thu, 01 Jan 2099 00:00:00 GMT|".split(b"|")
    )
    latin = st.binary(max_size=12).map(lambda raw: bytes(each | 0x80 for each in raw))
    return st.lists(st.tuples(names, values | VISIBLE | latin), max_size=4)


def bodies() -> st.SearchStrategy[bytes]:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    point = st.fixed_dictionaries({}, optional={"ts": values, "val": values, "data": values})
    document = (point | values).map(lambda value: json.dumps(value).encode())
    deep = st.integers(1, 100_000).map(lambda depth: b"[" * depth)
    digits = st.integers(1, 100_000).map(lambda size: b'{"ts":' + b"9" * size + b',"val":1}')
    return st.one_of(st.just(b""), document, document, st.binary(max_size=50), deep, digits)


@given(
    method=st.sampled_from(
        b"GET GET GET POST POST PUT HEAD OPTIONS DELETE TRACE PATCH CONNECT get QUERY X".split()
    ),
    path=paths(),
    query=queries(),
    fields=headers(),
    body=bodies(),
    has_key=st.booleans(),
    garbage=RARELY_ODD,
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_comes_is_answered_in_json(
    served: Served,
    method: bytes,
    path: bytes,
    query: bytes,
    fields: list[tuple[bytes, bytes]],
    body: bytes,
    has_key: bool,
    garbage: bytes,
) -> None:
    lines = [method + b" " + garbage + path + (b"?" + query if query else b"") + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in fields]
    if not any(name == b"Host" for name, _ in fields):
        lines.append(b"Host: archive.example")
    if has_key:
        lines.append(b"Authorization: Token KEY")
    lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    head = b"\r\n".join([*lines, b"Connection: close", b"", b""])
    head = head.replace(b"Token KEY", b"Token " + served.key.encode())
    head = head.replace(b"KEY", served.metadata_keys[0].encode())
    answer = _exchange(served, head + body)
    # With the connection closed on the rest of a head that is too long, the answer may be lost.
    if answer or len(head) < MAX_HEAD:
        _check(method, answer)


@pytest.mark.parametrize(
    "request_text",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / FTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_json(served: Served, request_text: bytes) -> None:
    answer = _exchange(served, request_text)
    assert answer.startswith(b"HTTP/1.1 400 ")
    _check(b"GET", answer)


def test_addresses_that_answers_repeat_are_not_too_long(served: Served) -> None:
    """Nobody takes headers of any length"""
    longest = 0
    for size in range(7_000, 9_000, 100):
        for path in (b"perfsonar/archive?", b"perfsonar/archive/?limit=1&offset=1&"):
            lines = b"GET /" + path + b"x%22=%22" + b"%22" * (size // 3) + b" HTTP/1.1\r\n"
            answer = _exchange(served, lines + b"Host: a\r\nConnection: close\r\n\r\n")
            assert answer[9:12] in (b"200", b"301", b"414")
            assert (answer[9:12] == b"414") is (size > 8_150), size
            _check(b"GET", answer)
            longest = max(longest, len(answer.partition(b"\r\n\r\n")[0]))
    assert longest < 32_768


def test_bodies_that_turn_out_to_be_no_http(served: Served) -> None:
    """Before the answer is known they are refused; where it is not needed the answer is sent"""
    key = f"Authorization: Token {served.key}\r\n".encode()
    for path in (b"/esmond/perfsonar/archive/", b"/esmond/perfsonar/archive"):
        for fields in (key, b""):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + fields
            answer = _exchange(served, head + b"Transfer-Encoding: chunked\r\n\r\nnone\r\n")
            assert answer[9:12] in (b"400", b"401", b"301")
            _check(b"POST", answer)


def _exchange(served: Served, request: bytes) -> bytes:
    """All that the server sends until nothing more comes"""
    with socket.create_connection((served.host, served.port), ANSWER_S) as connection:
        found = bytearray()
        # It may have had enough before all was sent.
        with suppress(ConnectionError):
            connection.sendall(request)
        with suppress(ConnectionError):
            while piece := connection.recv(65_536):
                found += piece
    return bytes(found)


def _check(method: bytes, raw: bytes) -> None:
    response = http.client.HTTPResponse(_Socket(raw), method=method.decode("latin-1"))  # type: ignore[arg-type]
    response.begin()
    while response.status == 100:
        response.begin()
    assert response.status < 500, raw[:1000]
    body = response.read()
    if response.status >= 400 and method != b"HEAD":
        media_type = response.headers["Content-Type"]
        if media_type == "text/html; charset=utf-8":
            assert b"&quot;detail&quot;" in body
        else:
            assert media_type == "application/json", raw[:1000]
            content = json.loads(body)
            assert list(content) == ["detail"]
            assert isinstance(content["detail"], str)


class _Socket:
    """Bytes that look like a connection to ``http.client``"""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._raw)
