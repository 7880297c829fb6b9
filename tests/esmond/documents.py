"""Documents as archives send them."""

from __future__ import annotations

from typing import Any

from tests.esmond.server import ROOT, Asked, Reply, json_reply

KEY = "5d0c1f7be2f84a33a7b1c9d04e6f2a10"

Point = dict[str, Any]


def event_type(name: str, key: str = KEY, summaries: tuple[tuple[str, int], ...] = ()) -> Any:
    plural = {"aggregation": "aggregations", "average": "averages", "statistics": "statistics"}
    return {
        "base-uri": f"{ROOT}{key}/{name}/base",
        "event-type": name,
        "time-updated": 1710231365,
        "summaries": [
            {
                "uri": f"{ROOT}{key}/{name}/{plural[kind]}/{window}",
                "summary-type": kind,
                "summary-window": str(window),
                "time-updated": 1710231365,
            }
            for kind, window in summaries
        ],
    }


def metadata(key: str = KEY, *event_types: Any, **more: Any) -> dict[str, Any]:
    """A metadata of esmond 4.4"""
    return {
        "url": f"https://ma.example.org{ROOT}{key}/",
        "metadata-key": key,
        "subject-type": "point-to-point",
        "event-types": list(event_types) or [event_type("throughput", key)],
        "source": "198.51.100.10",
        "destination": "203.0.113.25",
        "measurement-agent": "198.51.100.10",
        "tool-name": "bwctl/iperf3",
        "input-source": "dtn1.example.net",
        "input-destination": "dtn9.example.com",
        "ip-transport-protocol": "tcp",
        "time-duration": "30",
        "uri": f"{ROOT}{key}/",
        **more,
    }


def counted(*found: dict[str, Any], total: int | None = None) -> list[dict[str, Any]]:
    """A list of metadata with the totals in its first"""
    first, *others = found
    totals = {
        "metadata-count-total": len(found) if total is None else total,
        "metadata-previous-page": None,
        "metadata-next-page": None,
    }
    return [{**first, **totals}, *others]


def window_of(points: list[Point], asked: Asked) -> list[Point]:
    """Those in the time window that was asked for, no more than its limit"""
    begin = int(asked.query.get("time-start", 0))
    end = int(asked.query.get("time-end", 1 << 40))
    limit = int(asked.query.get("limit", 1500))
    return [point for point in points if begin <= point["ts"] <= end][:limit]


def one_metadata(found: dict[str, Any], points: list[Point]) -> Any:
    """Answers of an archive with one metadata, each of whose addresses has the same points"""

    def answer(asked: Asked) -> Reply:
        if asked.path == ROOT:
            return json_reply(counted(found))
        return json_reply(window_of(points, asked))

    return answer
