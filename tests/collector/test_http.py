"""The collector's HTTP endpoint, over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from gridtap.collector.http import HttpServer, Observed
from tests.collector.live import Live, running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live")) as live:
        live.send("two-servers")
        live.wait_for(20)
        yield live


class Asked:
    """A server, and what is wrong with what it tells of"""

    def __init__(self, live: Live, **more: Any) -> None:
        self.rows: list[dict[str, Any]] = [dict(row) for row in live.rows]
        self.dead: list[str] = []
        self.status: dict[str, Any] = live.core.status()
        observed = Observed(lambda: self.status, lambda: self.rows, lambda: self.dead)
        self.server = HttpServer("127.0.0.1", 0, observed, **more)

    def get(self, path: str, method: str = "GET") -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.headers["Content-Type"] == "application/json" and body:
            return answer.status, json.loads(body)
        return answer.status, body.decode()


@pytest.fixture
def asked(live: Live) -> Iterator[Asked]:
    made = Asked(live, dialects=["shoveler"], failing_s=0.2)
    yield made
    made.server.close()


def test_metrics(asked: Asked) -> None:
    status, body = asked.get("/metrics")
    assert status == 200
    received = asked.status["packets"]["received"]
    assert f"\ngridtap_packets_received_total {received}.0\n" in body
    assert f"\nshoveler_packets_received {received}.0\n" in body
    assert "\nprocess_resident_memory_bytes " in body
    assert "missing_packets_total" not in body


def test_status_has_all_of_it(asked: Asked) -> None:
    assert asked.get("/status") == (200, {**asked.status, "pipelines": asked.rows})


def test_health(asked: Asked) -> None:
    assert asked.get("/healthz") == (200, {"ok": True, "reasons": []})
    asked.rows[0]["trouble"] = "disk full"
    assert asked.get("/healthz")[0] == 200
    asked.dead.append("write files")
    reasons = {"ok": False, "reasons": ["thread write files has ended"]}
    assert asked.get("/healthz") == (503, reasons)
    assert asked.get("/readyz") == (503, reasons)


def test_a_sink_that_fails_for_long(asked: Asked) -> None:
    assert asked.get("/readyz") == (200, {"ok": True, "reasons": []})
    asked.rows[0]["trouble"] = "a.jsonl: No space left on device"
    assert asked.get("/readyz")[0] == 200
    time.sleep(0.25)
    status, told = asked.get("/readyz")
    assert status == 503
    assert told["reasons"] == ["sink files has failed for 0 s: a.jsonl: No space left on device"]
    # Its trouble ends, and comes back: the time is counted anew.
    asked.rows[0]["trouble"] = None
    assert asked.get("/readyz")[0] == 200
    asked.rows[0]["trouble"] = "again"
    assert asked.get("/readyz")[0] == 200


def test_scrapes_notice_when_it_began(asked: Asked) -> None:
    asked.rows[0]["trouble"] = "away"
    asked.get("/metrics")
    time.sleep(0.25)
    assert asked.get("/readyz")[0] == 503


def test_no_socket(asked: Asked) -> None:
    asked.status = {**asked.status, "sockets": []}
    assert asked.get("/readyz") == (503, {"ok": False, "reasons": ["no socket is bound"]})


def test_other_requests(asked: Asked) -> None:
    assert asked.get("/")[0] == 404
    assert asked.get("/metrics/..%2f")[0] == 404
    assert asked.get("/metrics", "POST") == (405, {"error": "only GET"})
    assert asked.get("/healthz", "HEAD") == (200, "")


def test_a_fault_is_not_shown_to_strangers(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    asked.status = {}
    assert asked.get("/metrics") == (500, {"error": "see the collector's log"})
    assert [record.message for record in caplog.records] == ["no_answer"]
    assert asked.get("/healthz")[0] == 200


def test_clients_that_say_nothing_do_not_pile_up(asked: Asked) -> None:
    address = urlsplit(asked.server.url)
    before = threading.active_count()
    silent = [socket.create_connection((address.hostname, address.port)) for _ in range(40)]
    time.sleep(0.3)
    assert threading.active_count() - before <= 16
    for each in silent:
        each.close()
    for _ in range(100):
        try:
            assert asked.get("/healthz")[0] == 200
            break
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.05)
    else:
        raise AssertionError("it does not answer any more")


def test_ipv6(live: Live) -> None:
    server = HttpServer("::1", 0, Observed(live.core.status, lambda: live.rows, list))
    assert server.url.startswith("http://[::1]:")
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection("::1", parts.port, timeout=10)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()
    server.close()


def test_an_address_in_use(asked: Asked, live: Live) -> None:
    port = urlsplit(asked.server.url).port
    assert port is not None
    with pytest.raises(OSError, match="Address already in use"):
        HttpServer("127.0.0.1", port, Observed(live.core.status, lambda: live.rows, list))


def test_no_such_dialect(live: Live) -> None:
    with pytest.raises(KeyError, match="shovel"):
        Asked(live, dialects=["shovel"])


def test_scrapes_from_many_threads(live: Live) -> None:
    server = HttpServer("127.0.0.1", 0, Observed(live.core.status, lambda: live.rows, list))
    found: list[int] = []

    def scrape() -> None:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        for _ in range(10):
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)

    threads = [threading.Thread(target=scrape) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.close()
    assert found == [200] * 40
