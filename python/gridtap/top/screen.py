"""The screen: a board drawn for a number of columns and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtap.errors import MissingExtraError
from gridtap.top.board import Board, ServerRow, Total

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["screen"]

#: Lines for what is no row: the head, titles, headings, the foot.
_FRAME_LINES = 8

#: A loss from here on is red.
_BAD_LOSS = 0.01


def screen(
    board: Board, name: str, sort: str, width: int, height: int, *, has_accesses: bool, foot: str
) -> RenderableType:
    """What a terminal of so many columns and lines shows.

    :param name: what is shown
    :param sort: one of :py:data:`~gridtap.top.board.SORTS`
    :param has_accesses: whether there are users and directories
    :param foot: the last line
    :raises MissingExtraError: rich is not installed
    """
    try:
        from rich.console import Group
        from rich.text import Text
    except ImportError as error:
        raise MissingExtraError("gridtap top", "top") from error
    rows = max(height - _FRAME_LINES, 4)
    servers = board.servers(sort, rows - rows // 2 if has_accesses else rows)
    parts: list[RenderableType] = [
        Text(_fit(_head(board, name), width), style="bold", no_wrap=True),
        Text(_fit(_state(board), width), no_wrap=True),
        Text(""),
        _servers(board, servers, sort, width),
    ]
    if has_accesses:
        parts += [Text(""), _shares(board, rows - len(servers), width)]
    parts.append(Text(_fit(foot, width), style="dim", no_wrap=True))
    return Group(*parts)


def _head(board: Board, name: str) -> str:
    unit = "" if board.is_total else "/s"
    read, written = board.moved("read", "readv"), board.moved("write")
    return (
        f"{_tame(name)}: {_count(board.packets())} packets{unit}, "
        f"read {_bytes(read)}{unit}, written {_bytes(written)}{unit}"
    )


def _state(board: Board) -> str:
    state = board.status.get("state", {})
    received, lost = board.lost()
    share = f" ({100 * lost / (received + lost):.2f} %)" if lost else ""
    parts = [
        f"{state.get('files', 0):,} files open",
        f"{state.get('sessions', 0):,} sessions",
        f"{sum(board.status.get('accesses', {}).values()):,} accesses ended",
        f"{lost:,} packets lost{share}",
    ]
    if board.drops():
        parts.append(f"{board.drops():,} dropped by the kernel")
    return ", ".join(parts)


def _servers(board: Board, servers: list[ServerRow], sort: str, width: int) -> RenderableType:
    table = _table("server", width)
    unit = "" if board.is_total else "/s"
    for title, key in (
        (f"packets{unit}", "packets"),
        (f"read{unit}", "read"),
        (f"written{unit}", "written"),
        ("loss", "loss"),
    ):
        table.add_column(f"{title} ↓" if sort == key else title, justify="right", no_wrap=True)
    for server in servers:
        loss = f"{100 * server.loss:.2f} %"
        table.add_row(
            _tame(f"{server.name} {server.details}".strip()),
            _count(server.packets),
            _bytes(server.read_bytes),
            _bytes(server.write_bytes),
            f"[red]{loss}[/red]" if server.loss >= _BAD_LOSS else loss,
        )
    return table


def _shares(board: Board, rows: int, width: int) -> RenderableType:
    """Users on the left, directories on the right; they are totals, never rates"""
    from rich.table import Table

    half = (width - 2) // 2
    both = Table.grid(padding=(0, 2, 0, 0))
    both.add_column(width=half)
    both.add_column(width=half)
    both.add_row(
        _totals("user, in all", board.users.largest(rows), half),
        _totals("directory, in all", board.directories.largest(rows), half),
    )
    return both


def _totals(title: str, totals: list[tuple[str, Total]], width: int) -> Table:
    table = _table(title, width)
    table.add_column("read", justify="right", no_wrap=True)
    table.add_column("written", justify="right", no_wrap=True)
    for name, total in totals:
        table.add_row(_tame(name), _bytes(total.read_bytes), _bytes(total.write_bytes))
    return table


def _table(title: str, width: int) -> Table:
    from rich.table import Table

    table = Table(box=None, width=width, padding=(0, 1, 0, 0), header_style="reverse")
    table.add_column(title, ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def _bytes(number: float) -> str:
    units = ("B", "kB", "MB", "GB", "TB", "PB")
    unit = 0
    while number >= 999.5 and unit + 1 < len(units):
        number /= 1000
        unit += 1
    return f"{number:.0f} {units[unit]}" if unit == 0 else f"{number:.3g} {units[unit]}"


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _tame(text: str) -> str:
    """Names are what clients and servers say: neither commands to a terminal nor markup"""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else "\ufffd" for c in text))
