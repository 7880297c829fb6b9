"""What the tests of the page find in the archive besides the seed."""

from __future__ import annotations

from typing import Any

#: 2021-03-02T00:00:00Z
DAY = 1614643200

HOSTILE_KEY = "f" * 31 + "1"
DENSE_KEY = "f" * 31 + "2"
TRACE_KEY = "f" * 31 + "3"

SCRIPT = "<script>window.hacked = 1</script>"
IMAGE = '"><img src=x onerror="window.hacked = 1">'


def _metadata(key: str, tool: str, events: dict[str, list[Any]], **more: Any) -> dict[str, Any]:
    summaries = more.pop("summaries", {})
    post = {
        "subject-type": "point-to-point",
        "source": "203.0.113.71",
        "destination": "203.0.113.72",
        "measurement-agent": "203.0.113.71",
        "tool-name": tool,
        "input-source": "ps-71.example.org",
        "input-destination": "ps-72.example.org",
        "event-types": [
            {"event-type": name, "summaries": summaries.get(name, [])} for name in events
        ],
        **more,
    }
    data = [{"event-type": name, "points": points} for name, points in events.items()]
    updated = {name: max(ts for ts, _ in points) for name, points in events.items()}
    return {"metadata-key": key, "post": post, "time-updated": updated, "data": data}


def hostile() -> dict[str, Any]:
    """Markup and script wherever text can be"""
    hop = {"ttl": 1, "ip": SCRIPT, "rtt": "1.5", "success": 1, "error_message": IMAGE}
    return _metadata(
        HOSTILE_KEY,
        SCRIPT,
        {
            "failures": [[DAY, {"error": IMAGE}]],
            "packet-trace": [[DAY, [hop]]],
            "pscheduler-raw": [[DAY, {SCRIPT: IMAGE}]],
            "histogram-rtt": [[DAY, {SCRIPT: 1, "1.5": 2}]],
        },
        **{"input-source": IMAGE, "input-destination": SCRIPT, SCRIPT: IMAGE},
    )


def dense() -> dict[str, Any]:
    """Loss every 20 seconds for a day and an hour, with a gap, by the hour too; delays"""
    points = [
        [DAY + second, {"numerator": second // 3600, "denominator": 600}]
        for second in range(0, 25 * 3600, 20)
        if not 6 * 3600 <= second < 9 * 3600
    ]
    # One packet in 600 comes far too late.
    delays = [[DAY + minute * 60, {"9.5": 300, "9.6": 299, "250": 1}] for minute in range(30)]
    hourly = [{"summary-type": "aggregation", "summary-window": 3600}]
    events = {"packet-loss-rate": points, "histogram-owdelay": delays}
    return _metadata(DENSE_KEY, "powstream", events, summaries={"packet-loss-rate": hourly})


def traces() -> dict[str, Any]:
    """Six runs: one hop silent in the second, another way in the fourth and fifth"""
    ways = [["192.0.2.1", middle, "203.0.113.72"] for middle in ("192.0.2.2", "192.0.2.9")]
    runs = []
    for number, way in enumerate([0, 0, 0, 1, 1, 0]):
        hops: list[dict[str, Any]] = [
            {"ttl": ttl, "query": 1, "success": 1, "ip": ip, "rtt": ttl * 1.25, "mtu": 9000}
            for ttl, ip in enumerate(ways[way], 1)
        ]
        if number == 1:
            hops[1] = {"ttl": 2, "query": 1, "success": 0, "error_message": "requestTimedOut"}
        runs.append([DAY + number * 600, hops])
    return _metadata(TRACE_KEY, "traceroute", {"packet-trace": runs})


def crowd(count: int) -> list[dict[str, Any]]:
    """Many metadata with a point each"""
    return [
        _metadata(
            f"{number:032x}",
            f"tool-{number % 7}",
            {"throughput": [[DAY + number * 60, 10**9 + number]]},
            source=f"10.1.{number // 250}.{number % 250 + 1}",
            number=number,
        )
        for number in range(count)
    ]
