"""A small archive over real HTTP: what esmond 4.4 does with good requests, kept in memory."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from gridtap.esmond.event_types import EVENT_TYPES, DataType
from tests.esmond.documents import event_type, metadata, window_of
from tests.esmond.server import ROOT, Asked, Reply, json_reply

API_KEY = "0123456789abcdef0123456789abcdef01234567"

_SUBJECT = ("source", "destination", "measurement-agent", "tool-name")
_NUMBERS = {DataType.INTEGER, DataType.FLOAT, DataType.PERCENTAGE}


class SmallArchive:
    """Answers for :py:class:`tests.esmond.server.Server`"""

    def __init__(self, page: int = 1500) -> None:
        self.page = page
        self.posted: dict[str, dict[str, Any]] = {}
        self.points: dict[tuple[str, str], dict[int, Any]] = {}

    def __call__(self, asked: Asked) -> Reply:
        parts = asked.path.removeprefix(ROOT).strip("/").split("/")
        if asked.method == "GET":
            return self._list(asked) if parts == [""] else self._data(asked, *parts)
        if asked.headers.get("authorization") != f"Token {API_KEY}":
            return _refused(401, "Invalid token.")
        if asked.method == "PUT":
            return self._bulk(parts[0], asked.json()["data"])
        if parts == [""]:
            return self._create(asked.json())
        return self._store(parts[0], parts[1], asked.json())

    def _list(self, asked: Asked) -> Reply:
        wanted = {name: asked.query[name] for name in _SUBJECT if name in asked.query}
        since = int(asked.query.get("time-start", 0))
        found = [
            self._shown(key)
            for key, posted in sorted(self.posted.items())
            if all(posted.get(name) == value for name, value in wanted.items())
            and (not since or any(one == key for one, _ in self.points))
        ]
        offset = int(asked.query.get("offset", 0))
        page = found[offset : offset + self.page]
        if page:
            more = offset + self.page < len(found)
            link = f"http://inside{ROOT}?limit={self.page}&offset={offset + self.page}"
            page[0]["metadata-count-total"] = len(found)
            page[0]["metadata-previous-page"] = None
            page[0]["metadata-next-page"] = link if more else None
        return json_reply(page)

    def _shown(self, key: str) -> dict[str, Any]:
        posted = self.posted[key]
        types = [
            event_type(
                one["event-type"],
                key,
                tuple(
                    (each["summary-type"], each["summary-window"])
                    for each in one.get("summaries", [])
                ),
            )
            for one in sorted(posted["event-types"], key=lambda one: str(one["event-type"]))
        ]
        text = {name: str(value) for name, value in posted.items() if name != "event-types"}
        return metadata(key, *types, **text)

    def _create(self, body: dict[str, Any]) -> Reply:
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).lower().encode())
        key = digest.hexdigest()[:32]
        self.posted.setdefault(key, body)
        return json_reply(self._shown(key), 201)

    def _store(self, key: str, name: str, point: dict[str, Any]) -> Reply:
        kind, value = EVENT_TYPES[name].data_type, point["val"]
        series = self.points.setdefault((key, name), {})
        if kind in _NUMBERS and point["ts"] in series:
            said = f"Time series value already exists with event type {name} at time {point['ts']}"
            return _refused(409, said)
        if kind is DataType.PERCENTAGE:
            value = value["numerator"] / value["denominator"]
        series[point["ts"]] = float(value) if kind in _NUMBERS else value
        return json_reply("", 201)

    def _bulk(self, key: str, data: list[dict[str, Any]]) -> Reply:
        for item in data:
            for one in item["val"]:
                point = {"ts": item["ts"], "val": one["val"]}
                reply = self._store(key, one["event-type"], point)
                if reply.status != 201:
                    return reply
        return json_reply("", 201)

    def _data(self, asked: Asked, key: str, name: str, *rest: str) -> Reply:
        series = self.points.get((key, name), {}) if rest[0] == "base" else {}
        return json_reply(
            window_of([{"ts": ts, "val": val} for ts, val in sorted(series.items())], asked)
        )


def _refused(status: int, detail: str) -> Reply:
    return json_reply({"detail": detail}, status)
