"""``gridtap archive`` as users call it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from gridtap.archive.storage import SqliteStorage
from gridtap.esmond.event_types import SummaryType
from tests.cli.command import run

DATA = Path(__file__).resolve().parent.parent / "data" / "esmond"
SEED = DATA / "seed.json"


def export(db: Path) -> bytes:
    return run("archive", "export", "-", "--db", db).stdout


def test_an_import_keeps_keys_times_and_values(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    done = run("archive", "import", SEED, "--db", db)
    assert done.stderr == b"imported 15 metadata, 2,421 points\n"
    seed = {item["metadata-key"]: item for item in json.loads(SEED.read_text())["metadata"]}
    heads = {}
    points: dict[tuple[str, str], list[list[object]]] = {}
    for line in export(db).splitlines():
        item = json.loads(line)
        if "post" in item:
            heads[item["metadata-key"]] = item
        for part in item.get("data", []):
            where = (item["metadata-key"], part["event-type"])
            points.setdefault(where, []).extend(part["points"])
    assert list(heads) == sorted(seed)
    for key, item in seed.items():
        assert heads[key]["time-updated"] == item["time-updated"]
        post = dict(item["post"])
        events = post.pop("event-types")
        assert {name: heads[key]["post"][name] for name in post} == post
        shown = heads[key]["post"]["event-types"]
        assert [each["event-type"] for each in shown] == sorted(e["event-type"] for e in events)
        for part in item["data"]:
            by_time = dict(part["points"])
            # Integers lose their fraction when they are posted, and nothing else changes.
            if part["event-type"] == "throughput":
                by_time = {ts: int(val) for ts, val in by_time.items()}
            assert dict(points[key, part["event-type"]]) == by_time  # type: ignore[arg-type]


def test_a_copy_of_a_copy_is_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    run("archive", "import", SEED, "--db", first)
    lines = tmp_path / "lines.jsonl"
    done = run("archive", "export", lines, "--db", first)
    assert done.stderr == b"exported 15 metadata, 2,421 points\n"
    run("archive", "import", lines, "--db", second)
    assert export(second) == lines.read_bytes()
    # Once more changes nothing.
    run("archive", "import", "-", "--db", second, stdin=lines.read_bytes())
    assert export(second) == lines.read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "neither JSON lines nor a JSON document"),
        ('{"metadata": 5}', "line 1: no metadata-key"),
        ('{"metadata-key": "a/b", "post": {}}', "line 1: metadata-key a/b cannot be part"),
        ('{"metadata-key": "k"}', "line 1: metadata k was not described before"),
        ('{"metadata-key": "k", "post": {}}', "line 1: Missing subject-type field"),
        ("{}\nno json", "line 1: no metadata-key"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(text)
    done = run("archive", "import", file, "--db", tmp_path / "archive.db", check=2)
    assert done.stderr.decode().startswith(f"gridtap: {file}: {message}")
    assert done.stderr.count(b"\n") == 1


def test_what_comes_before_a_bad_line_is_kept(tmp_path: Path) -> None:
    db, lines = tmp_path / "archive.db", tmp_path / "lines.jsonl"
    run("archive", "import", SEED, "--db", db)
    good = export(db)
    lines.write_bytes(good.splitlines(keepends=True)[0] + b'{"metadata-key": "new", "post": {}}\n')
    other = tmp_path / "other.db"
    done = run("archive", "import", lines, "--db", other, check=2)
    assert b"line 2: Missing subject-type" in done.stderr
    assert len(export(other).splitlines()) == 1


def test_a_different_number_is_a_conflict(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    run("archive", "import", SEED, "--db", db)
    key = "1dbe655ee8cb6239f038325d2958a978"
    line = {
        "metadata-key": key,
        "data": [{"event-type": "throughput", "points": [[1614556805, 43]]}],
    }
    done = run("archive", "import", "-", "--db", db, stdin=json.dumps(line).encode(), check=2)
    assert b"already exists with event type throughput at time 1614556805" in done.stderr


def test_the_same_measurement_has_one_key(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    run("archive", "import", SEED, "--db", db)
    head = export(db).splitlines()[0].replace(b'"metadata-key":"', b'"metadata-key":"0', 1)
    done = run("archive", "import", "-", "--db", db, stdin=head, check=2)
    assert b"is here already, as" in done.stderr


def test_an_export_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    run("archive", "import", SEED, "--db", db)
    done = run("archive", "export", tmp_path / "none" / "file", "--db", db, check=2)
    assert b"No such file or directory" in done.stderr
    done = run("archive", "export", "/dev/full", "--db", db, check=2)
    assert done.stderr == b"gridtap: /dev/full: No space left on device\n"


def test_users(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    key = run("archive", "user", "add", "alice", "--db", db).stdout.decode().strip()
    assert re.fullmatch(r"[0-9a-f]{40}", key)
    old = run(
        "archive", "user", "add", "bob", "--key-file", "-", "--db", db, stdin=b"0123456789abcdef\n"
    )
    assert old.stdout == b"0123456789abcdef\n"
    run("archive", "user", "add", "carol", "--network", "192.0.2.7/24", "--db", db)
    run("archive", "user", "disable", "bob", "--db", db)
    rows = run("archive", "user", "list", "--db", db).stdout.decode().splitlines()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert rows == [
        f"alice\tactive\t{today}\t",
        f"bob\tdisabled\t{today}\t",
        f"carol\tactive\t{today}\t192.0.2.0/24",
    ]
    new = run("archive", "user", "rotate", "alice", "--db", db).stdout.decode().strip()
    assert re.fullmatch(r"[0-9a-f]{40}", new)
    assert new != key
    # Neither key is in the file.
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert key.encode() not in content
    assert new.encode() not in content
    assert b"0123456789abcdef" not in content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "alice"], "user alice is there already"),
        (["add", "a:b"], "not a user name: 'a:b'"),
        (["add", "dave", "--network", "here"], "not a network: here"),
        (["add", "dave", "--network", "192.0.2.0/24"], "network 192.0.2.0/24 is user alice's"),
        (["disable", "nobody"], "no user nobody"),
        (["rotate", "nobody"], "no user nobody"),
    ],
)
def test_users_that_cannot_be(tmp_path: Path, arguments: list[str], message: str) -> None:
    db = tmp_path / "archive.db"
    run("archive", "user", "add", "alice", "--network", "192.0.2.0/24", "--db", db)
    done = run("archive", "user", *arguments, "--db", db, check=2)
    assert done.stderr.decode() == f"gridtap: {message}\n"


def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    arguments = ["archive", "user", "add", "x", "--key-file", "-", "--db", tmp_path / "archive.db"]
    for key in (b"short", b"with a blank in it", "schlüssel-schlüssel".encode()):
        done = run(*arguments, stdin=key, check=2)
        assert b"a key must be at least 16 ASCII characters without blanks" in done.stderr


def test_prune_removes_whole_windows(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    post = {
        "subject-type": "network-element",
        "source": "192.0.2.1",
        "measurement-agent": "192.0.2.1",
        "event-types": [
            {
                "event-type": "throughput",
                "summaries": [{"summary-type": "aggregation", "summary-window": 86_400}],
            },
            {"event-type": "path-mtu"},
        ],
    }
    now = int(time.time())
    today = now - now % 86_400
    points = [[today - days * 86_400 + 60, days] for days in range(10)]
    item = {
        "metadata-key": "k",
        "post": post,
        "data": [
            {"event-type": "throughput", "points": points},
            {"event-type": "path-mtu", "points": points},
        ],
    }
    run("archive", "import", "-", "--db", db, stdin=json.dumps(item).encode())
    # The point of the day in which the border lies stays where summaries of days are kept.
    seconds = 5 * 86_400 + (now - today) - 120
    done = run("archive", "prune", "--older-than", f"{seconds}s", "--db", db)
    kept = {}
    for line in export(db).splitlines():
        for part in json.loads(line).get("data", []):
            kept[part["event-type"]] = [ts for ts, _ in part["points"]]
    assert kept["throughput"] == sorted(ts for ts, days in points if days <= 5)
    assert kept["path-mtu"] == sorted(ts for ts, days in points if days <= 4)
    assert done.stderr == b"removed 9 points\n"
    storage = SqliteStorage(db)
    series = storage.series("k", "throughput", SummaryType.AGGREGATION, 86_400)
    assert series is not None
    sums = {ts: val for ts, val, _ in storage.rows(series, 0, now, 100)}
    storage.close()
    assert sums == {today - days * 86_400: days for days in range(6)}


@pytest.mark.parametrize("age", ["5", "5 days", "d", "-1d", "999999999999d"])
def test_ages_that_are_none(tmp_path: Path, age: str) -> None:
    db = tmp_path / "archive.db"
    run("archive", "import", SEED, "--db", db)
    done = run("archive", "prune", f"--older-than={age}", "--db", db, check=2)
    assert done.stderr.startswith(b"gridtap: --older-than: not an age")


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    db = tmp_path / "none.db"
    for arguments in (
        ["export", "-"],
        ["prune", "--older-than", "1d"],
        ["user", "list"],
        ["user", "disable", "x"],
        ["user", "rotate", "x"],
    ):
        done = run("archive", *arguments, "--db", db, check=2)
        assert done.stderr.decode() == f"gridtap: {db}: no such file\n"
    assert not db.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "Expected '=' after a key"),
        ("[other]", "must have a table [event-types] and nothing else"),
        ('[event-types]\n"a/b" = "json"', "not a name for an event type: 'a/b'"),
        ('[event-types]\na = "text"', "a: 'text' is none of integer, float"),
        ('[event-types]\nthroughput = "float"', "throughput: is of type integer already"),
    ],
)
def test_event_type_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "types.toml"
    file.write_text(text)
    db = tmp_path / "archive.db"
    done = run("archive", "serve", "--event-types", file, "--db", db, check=2)
    assert done.stderr.decode().startswith(f"gridtap: {file}: {message}")


def test_a_site_has_its_own_event_types(tmp_path: Path) -> None:
    file = tmp_path / "types.toml"
    file.write_text('[event-types]\nwifi-signal = "float"\n')
    post = {
        "subject-type": "network-element",
        "source": "192.0.2.1",
        "measurement-agent": "192.0.2.1",
        "event-types": [{"event-type": "wifi-signal"}],
    }
    data = [{"event-type": "wifi-signal", "points": [[1, -61.5]]}]
    line = json.dumps({"metadata-key": "k", "post": post, "data": data}).encode()
    db = tmp_path / "archive.db"
    done = run("archive", "import", "-", "--db", db, stdin=line, check=2)
    assert b"Invalid event-type wifi-signal" in done.stderr
    run("archive", "import", "-", "--db", db, "--event-types", file, stdin=line)
    assert b"[[1,-61.5]]" in export(db)
