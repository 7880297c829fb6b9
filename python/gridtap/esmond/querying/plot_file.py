"""Charts as PNG or SVG files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gridtap.errors import MissingExtraError
from gridtap.esmond.querying.plotting import Across, Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_to_file"]

#: More lines than these can not be told apart, and their names fill the picture.
_NAMED = 12

_SIZE_INCHES = (9.0, 4.5)


def draw_to_file(chart: Chart, path: Path, kind: str) -> None:
    """Draws a chart into a new file.

    :param kind: ``png`` or ``svg``
    :raises MissingExtraError: matplotlib is not installed
    :raises OSError: the file cannot be written
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a picture", "plot") from error
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    _draw(chart, axes)
    # Opened here, so that what the system refuses has a number and a file name.
    with path.open("wb") as file:
        figure.savefig(file, format=kind, dpi=110)


def _draw(chart: Chart, axes: Axes) -> None:
    from matplotlib.ticker import EngFormatter

    axes.set_title(chart.title)
    if chart.across is Across.BUCKETS:
        _draw_bars(chart, axes)
        axes.set_xlabel(chart.unit or chart.across.value)
        axes.set_ylabel("packets")
    else:
        _draw_lines(chart, axes)
        axes.set_xlabel(chart.across.value)
        if chart.unit:
            axes.set_ylabel(chart.unit)
    axes.yaxis.set_major_formatter(EngFormatter())
    axes.grid(alpha=0.3)
    if 0 < len(chart.series) <= _NAMED:
        axes.legend(fontsize="small")


def _draw_lines(chart: Chart, axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    for name, series in chart.series.items():
        if chart.across is Across.TIME:
            times = [datetime.fromtimestamp(x, UTC) for x in series.x]
            axes.plot(times, series.y, label=name, marker=".", linewidth=1)  # type: ignore[arg-type]
        else:
            axes.plot(series.x, series.y, label=name, marker=".", linewidth=1)
    if chart.across is Across.TIME:
        locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(formatter)


def _draw_bars(chart: Chart, axes: Axes) -> None:
    for name, series in chart.series.items():
        gaps = [b - a for a, b in zip(series.x, series.x[1:], strict=False)]
        axes.bar(series.x, series.y, width=0.8 * min(gaps, default=1.0), label=name, alpha=0.7)
