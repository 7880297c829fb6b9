"""What the tests say to an archive: plain requests, nothing followed, nothing added unseen."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

#: Where esmond's packages put the archive
ALIAS = "/esmond"

#: A connection that rested longer is opened anew, so that a test never meets one the server closed.
REST_S = 1.0

Query = Mapping[str, object] | Iterable[tuple[str, object]]


@dataclass(frozen=True)
class Answer:
    """One response of the archive"""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body, which must be JSON without NaN and say so"""
        assert self.headers["Content-Type"] == "application/json", self
        return json.loads(self.body, parse_constant=_no_constant)

    @property
    def detail(self) -> str:
        """The text of an error; an error has nothing else"""
        content = self.json()
        assert list(content) == ["detail"], content
        assert isinstance(content["detail"], str)
        return content["detail"]

    @property
    def links(self) -> dict[str, str]:
        """Addresses of the ``Link`` header by relation"""
        found = re.findall(r'<([^>]*)>; rel="(\w+)"', self.headers["Link"] or "")
        return {relation: address for address, relation in found}

    def __repr__(self) -> str:
        return f"<{self.status} {dict(self.headers)} {self.body[:2000]!r}>"


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


@dataclass
class Client:
    """Speaks to one archive

    :param key: sent as ``Authorization: Token KEY``; ``None`` for no credentials
    :param serial: numbers the sources that :meth:`body` makes up, so that no two tests share one
    """

    host: str
    port: int
    key: str | None = None
    alias: str = ALIAS
    serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _connection: http.client.HTTPConnection | None = None
    _used: float = 0.0

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def root(self) -> str:
        """Path of the list of metadata"""
        return f"{self.alias}/perfsonar/archive/"

    def with_key(self, key: str | None) -> Client:
        """The same archive, asked with another key"""
        return Client(self.host, self.port, key, self.alias, self.serial)

    def anonymous(self) -> Client:
        return self.with_key(None)

    def send(
        self,
        method: str,
        path: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Query = (),
    ) -> Answer:
        """One request; a path without leading slash is one below the list of metadata

        No server fault is ever right, so none passes here.
        """
        target = path if path.startswith("/") else self.root + path
        if query := dict(query) if isinstance(query, Mapping) else list(query):
            target += "?" + urlencode(query)
        fields = {} if self.key is None else {"Authorization": f"Token {self.key}"}
        fields |= headers or {}
        if self._connection is None or time.monotonic() - self._used > REST_S:
            self.close()
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            self._connection.request(method, target, body, fields)
            response = self._connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            self.close()
            raise
        self._used = time.monotonic()
        assert answer.status < 500, f"{method} {target[:500]}: {answer!r}"
        return answer

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str = "", /, **query: object) -> Answer:
        """A GET; underscores in names of parameters are sent as dashes"""
        return self.send("GET", path, query={name.replace("_", "-"): query[name] for name in query})

    def write(self, method: str, path: str, content: object) -> Answer:
        """A request with a JSON body"""
        body = json.dumps(content).encode()
        return self.send(method, path, body, {"Content-Type": "application/json"})

    def post(self, path: str, content: object) -> Answer:
        return self.write("POST", path, content)

    def put(self, key: str, *points: tuple[str, object, object]) -> Answer:
        """A bulk PUT of points: event type, time stamp, value"""
        data = [
            {"ts": ts, "val": [{"event-type": event_type, "val": value}]}
            for event_type, ts, value in points
        ]
        return self.write("PUT", f"{key}/", {"data": data})

    def post_point(self, key: str, event_type: str, ts: object, value: object) -> Answer:
        return self.post(f"{key}/{event_type}/base", {"ts": ts, "val": value})

    def body(self, *event_types: object, **fields: object) -> dict[str, Any]:
        """A metadata to post, from a source that nobody else has

        :param event_types: names, or objects with summaries
        :param fields: more of it, or other values; underscores in names become dashes
        """
        number = next(self.serial)
        body: dict[str, Any] = {
            "subject-type": "point-to-point",
            "source": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            "destination": "203.0.113.25",
            "measurement-agent": "198.51.100.10",
            "tool-name": "bwctl/iperf3",
            "input-source": "dtn1.example.net",
            "input-destination": "dtn9.example.com",
            "event-types": [
                {"event-type": named} if isinstance(named, str) else named for named in event_types
            ],
        }
        return body | {name.replace("_", "-"): fields[name] for name in fields}

    def create(self, *event_types: object, **fields: object) -> dict[str, Any]:
        """A new metadata, as the archive shows it"""
        return self.create_as(self.body(*event_types, **fields))

    def create_as(self, body: object) -> dict[str, Any]:
        answer = self.post("", body)
        assert answer.status == 201, answer
        created = answer.json()
        assert isinstance(created, dict)
        return created

    def key_of(self, *event_types: object, **fields: object) -> str:
        """The key of a new metadata"""
        return str(self.create(*event_types, **fields)["metadata-key"])

    def data(
        self, key: str, event_type: str, summary: str = "base", /, **query: object
    ) -> list[tuple[int, Any]]:
        """Data or summaries, as (time stamp, value)"""
        answer = self.get(f"{key}/{event_type}/{summary}", **query)
        assert answer.status == 200, answer
        points = answer.json()
        assert all(list(point) == ["ts", "val"] for point in points)
        assert all(type(point["ts"]) is int for point in points)
        return [(point["ts"], point["val"]) for point in points]

    def found(self, **query: object) -> list[str]:
        """Keys of the metadata that match"""
        answer = self.get(**query)
        assert answer.status == 200, answer
        return [metadata["metadata-key"] for metadata in answer.json()]


def summary(kind: str, window: object) -> dict[str, object]:
    """A summary as metadata bodies ask for it"""
    return {"summary-type": kind, "summary-window": window}


def with_summaries(event_type: str, *summaries: tuple[str, object]) -> dict[str, object]:
    """An event type as metadata bodies ask for it"""
    return {"event-type": event_type, "summaries": [summary(*pair) for pair in summaries]}


def segment(text: str) -> str:
    """A text as one part of a path"""
    return quote(text, safe="")
