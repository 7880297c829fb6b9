"""The numbers of the screen."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from gridtap.top.board import SORTS, Board, Totals
from gridtap.top.screen import screen


def status(packets: int, read: int, write: int, lost: int = 0) -> dict[str, Any]:
    return {
        "packets": {"received": packets},
        "servers": [
            {"address": "192.0.2.1", "host": "a.example", "site": "S", "packets": packets},
            {"address": "192.0.2.2", "host": None, "site": None, "packets": 1},
        ],
        "io": [
            ["192.0.2.1", "S", "read", read, 1],
            ["192.0.2.1", "S", "readv", read, 1],
            ["192.0.2.2", "S", "write", write, 1],
        ],
        "losses": [["a.example:1094", "main", packets - lost, lost, 0, 0]],
        "state": {"files": 3, "sessions": 2},
        "accesses": {"closed": 5},
        "sockets": [{"kernel_drops": 4}],
    }


def test_rates_are_those_of_the_last_seconds() -> None:
    board = Board()
    board.update(100.0, status(0, 0, 0))
    for second in range(1, 31):
        # Twice as fast after twenty seconds.
        faster = max(0, second - 20)
        count = 10 * second + 10 * faster
        board.update(100.0 + second, status(count, 1000 * count, 500 * count))
    assert board.packets() == 20
    assert board.moved("read", "readv") == 40_000
    assert board.moved("write") == 10_000
    rows = {row.name: row for row in board.servers("packets", 9)}
    assert rows["a.example"].packets == 20
    assert rows["a.example"].read_bytes == 40_000
    assert (rows["192.0.2.2"].packets, rows["192.0.2.2"].write_bytes) == (0, 10_000)


def test_the_first_status_and_a_new_start_have_no_rate() -> None:
    board = Board()
    board.update(100.0, status(1000, 1000, 0))
    assert board.packets() == 0
    board.update(101.0, status(10, 10, 0))
    assert board.packets() == 0
    assert [row.packets for row in board.servers("packets", 9)] == [0, 0]


def test_losses_find_their_server() -> None:
    board = Board()
    board.update(0.0, status(100, 0, 0, lost=7))
    row = next(row for row in board.servers("loss", 9) if row.name == "a.example")
    assert (row.received, row.lost, row.loss) == (93, 7, 0.07)
    assert board.lost() == (93, 7)
    assert board.drops() == 4


def test_sorting() -> None:
    board = Board(is_total=True)
    board.update(0.0, status(100, 5, 9, lost=7))
    first = {sort: board.servers(sort, 1)[0].name for sort in SORTS}
    assert first == {
        "packets": "a.example",
        "read": "a.example",
        "written": "192.0.2.2",
        "loss": "a.example",
    }


def access(**fields: object) -> dict[str, object]:
    return {"read_bytes": 1, "readv_bytes": None, "write_bytes": None, **fields}


def test_users_have_the_name_that_says_most() -> None:
    board = Board()
    board.add(
        [
            access(user_name="u"),
            access(user_name="u", auth_name="/DC=ch/CN=A Person", auth_vo="cms"),
            access(user_name="u", auth_name="n", token_subject="sub", token_vo="atlas"),
            access(),
            access(user_name="u", readv_bytes=10, write_bytes=100),
        ]
    )
    totals = dict(board.users.largest(9))
    assert set(totals) == {"u", "A Person (cms)", "sub (atlas)", "(unknown)"}
    assert (totals["u"].read_bytes, totals["u"].write_bytes, totals["u"].accesses) == (12, 100, 2)


def test_directories() -> None:
    board = Board(depth=2)
    paths = ["/a/b/c/d", "/a/b/c", "/a/file", "/file", "a/b/x", None, ""]
    board.add(access(path=path) for path in paths)
    totals = {name: total.accesses for name, total in board.directories.largest(9)}
    assert totals == {"/a/b": 3, "/a": 1, "/": 1, "(no path)": 2}


def test_names_without_end_are_bounded() -> None:
    totals = Totals()
    totals.add("large", 1 << 40, 0)
    for number in range(50_000):
        totals.add(f"user{number}", 1, 0)
    assert len(totals) <= 10_000
    assert totals.largest(1)[0][0] == "large"


def drawn(board: Board, width: int, height: int) -> str:
    console = Console(width=width, height=height, no_color=True)
    shown = screen(board, "x", "packets", width, height, has_accesses=True, foot="foot")
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


def test_names_cannot_write_to_the_terminal() -> None:
    board = Board()
    board.update(0.0, status(1, 1, 1))
    board.add([access(user_name="\x1b[2Jevil", path="/[red]/\x07/x"), access(user_name="[bold]")])
    text = drawn(board, 100, 30)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\ufffd[2Jevil" in text
    assert "/[red]/\ufffd" in text
    assert "[bold]" in text


def test_the_screen_fits() -> None:
    board = Board()
    board.update(0.0, status(1, 1, 1))
    board.add(access(user_name=f"user{n}", path=f"/{n}/{n}/x") for n in range(500))
    for width, height in [(80, 24), (132, 50), (60, 13)]:
        lines = drawn(board, width, height).splitlines()
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        assert lines[-1].strip() == "foot"
