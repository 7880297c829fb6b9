"""What was acknowledged stays, over restarts and with many writers at once."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from tests.archive.client import Answer, Client, with_summaries
from tests.archive.servers import add_user, serving

#: A day, so that all points of a test fall into one window
DAY, START = 86400, 1600041600
BULK = 50
KEPT = with_summaries("throughput", ("aggregation", DAY))


def put_bulk(client: Client, key: str, number: int) -> Answer:
    """Points of the value 1, next to those of all other numbers"""
    stamps = range(START + number * BULK, START + (number + 1) * BULK)
    return client.put(key, *(("throughput", ts, 1) for ts in stamps))


def bulks_in(client: Client, key: str) -> set[int]:
    """The bulks that are there, each of which must be whole, and in the summary"""
    stamps = [ts for ts, _ in client.data(key, "throughput", limit=100_000)]
    numbers = {(ts - START) // BULK for ts in stamps}
    assert len(stamps) == len(numbers) * BULK
    expected = [(START, float(len(stamps)))] if stamps else []
    assert client.data(key, "throughput", f"aggregations/{DAY}") == expected
    return numbers


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    db, log = tmp_path / "archive.db", tmp_path / "stderr.txt"
    user = add_user(db, "writer")
    with serving(db, log) as server:
        client = Client(server.host, server.port, user)
        created = client.create(KEPT, "failures", note="Größe")
        key = created["metadata-key"]
        assert put_bulk(client, key, 0).status == 201
        before = [client.get(path, format="json").body for path in ("", f"{key}/throughput/base")]
    client.close()
    with serving(db, log, "--port", str(server.port)) as server:
        after = [client.get(path, format="json").body for path in ("", f"{key}/throughput/base")]
        assert after == before
        assert bulks_in(client, key) == {0}
        assert put_bulk(client, key, 1).status == 201


def test_after_a_stop_the_file_is_all_there_is(tmp_path: Path) -> None:
    """Nothing waits beside it: a copy of the one file is a copy of the archive"""
    db, copy, log = (tmp_path / name for name in ("archive.db", "copy.db", "stderr.txt"))
    user = add_user(db, "writer")
    with serving(db, log) as server:
        client = Client(server.host, server.port, user)
        key = client.key_of(KEPT)
        assert put_bulk(client, key, 0).status == 201
    assert sorted(file.name for file in tmp_path.iterdir()) == ["archive.db", "stderr.txt"]
    shutil.copy(db, copy)
    with serving(copy, log) as server:
        client = Client(server.host, server.port, user)
        assert bulks_in(client, key) == {0}
        assert put_bulk(client, key, 1).status == 201


def test_many_writers_at_once(archive: Client) -> None:
    """One window, of sums and of a histogram that is replaced all the time"""
    kept = with_summaries("histogram-rtt", ("aggregation", DAY), ("statistics", DAY))
    key = archive.key_of(KEPT, kept)
    failures: list[Answer] = []

    def write(writer: int) -> None:
        client = archive.with_key(archive.key)
        for round_ in range(5):
            answers = [
                put_bulk(client, key, writer * 5 + round_),
                client.post_point(key, "histogram-rtt", START + writer, {str(round_): 1}),
                client.post_point(key, "histogram-rtt", START + 99, {"5": 7}),
            ]
            failures.extend(answer for answer in answers if answer.status != 201)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert bulks_in(archive, key) == set(range(30))
    merged = [(START, {"4": 6, "5": 7})]
    assert archive.data(key, "histogram-rtt", f"aggregations/{DAY}") == merged
    ((_, statistics),) = archive.data(key, "histogram-rtt", f"statistics/{DAY}")
    assert (statistics["minimum"], statistics["maximum"]) == (4.0, 5.0)


def test_one_of_eight_values_wins(archive: Client) -> None:
    """Eight writers with eight values for one point: one 201, seven 409"""
    key, start, statuses = archive.key_of(KEPT), threading.Barrier(8), []

    def write(value: int) -> None:
        client = archive.with_key(archive.key)
        start.wait()
        statuses.append((client.post_point(key, "throughput", START, value).status, value))

    threads = [threading.Thread(target=write, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((winner, value),) = [each for each in statuses if each[0] == 201]
    assert winner == 201
    assert [status for status, _ in sorted(statuses)][1:] == [409] * 7
    assert archive.data(key, "throughput") == [(START, float(value))]
    assert archive.data(key, "throughput", f"aggregations/{DAY}") == [(START, float(value))]


def test_the_time_of_update_moves_on(archive: Client) -> None:
    key = archive.key_of("throughput")
    seen = []
    for number in range(2):
        assert archive.post_point(key, "throughput", number, 1).status == 201
        seen.append(archive.get(f"{key}/throughput").json()[0]["time-updated"])
        time.sleep(1.01)
    assert seen[0] < seen[1] < time.time()
    # What is there already is no update.
    assert archive.post_point(key, "throughput", 1, 1).status == 201
    assert archive.get(f"{key}/throughput").json()[0]["time-updated"] == seen[1]
