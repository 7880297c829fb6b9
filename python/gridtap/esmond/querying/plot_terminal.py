"""Charts in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from string import ascii_letters
from typing import Any

from gridtap.errors import MissingExtraError
from gridtap.esmond.querying.plotting import Across, Chart

__all__ = ["draw_as_text"]

_TICKS = 5
_MIN_HEIGHT = 10
_COLORS = ("blue", "red", "green", "magenta", "cyan", "orange")

#: plotext's name of blocks finer than a cell, and a full one
_FINE, _SWATCH = "hd", "\u2588"
_HOUR_S, _DAY_S = 3_600, 86_400
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def draw_as_text(chart: Chart, width: int, height: int, *, colors: bool) -> str:
    """A chart of that many columns and lines.

    :param colors: with the escape sequences of a terminal
    :raises MissingExtraError: plotext is not installed
    """
    try:
        import plotext
    except ImportError as error:
        raise MissingExtraError("a plot in the terminal", "plot") from error
    figure = plotext.figure
    figure.clear()
    figure.theme("simple" if colors else "colorless")
    names = list(chart.series)
    # The names are below: a legend inside would hide what it names.
    legend = [_sign(number, colors) for number in range(len(names))] if len(names) > 1 else []
    figure.plot_size(width, max(height - len(legend), _MIN_HEIGHT))
    figure.title(f"{chart.title}: {names[0]}" if len(names) == 1 else chart.title)
    for number, series in enumerate(chart.series.values()):
        symbol, color = legend[number] if legend else (_FINE, _COLORS[0])
        marker = plotext.marker(symbol, color if colors else None)
        if chart.across is Across.BUCKETS:
            figure.draw(figure.bar(series.x, series.y, marker=marker))
        else:
            line = figure.signal(series.x, series.y, marker=marker)
            line.lines()
            figure.draw(line)
    _label(figure, chart)
    lines = [str(figure.build()).rstrip("\n")]
    for (symbol, color), name in zip(legend, names, strict=False):
        shown = _SWATCH if symbol == _FINE else symbol
        lines.append(f"{plotext.colorize(shown, color)} {name}")
    text = "\n".join(lines)
    return text if colors else str(plotext.uncolorize(text))


def _sign(number: int, colors: bool) -> tuple[str, str]:
    """Symbol and color of a line: without colors, only letters can tell lines apart."""
    color = _COLORS[number % len(_COLORS)]
    return (_FINE, color) if colors else (ascii_letters[number % len(ascii_letters)], color)


def _label(figure: Any, chart: Chart) -> None:
    values = [y for series in chart.series.values() for y in series.y]
    if chart.across is Across.BUCKETS:
        figure.label(chart.unit, "x")
        values.append(0)
    else:
        figure.label(chart.across.value, "x")
        figure.label(chart.unit, "y")
    figure.ruler("y").ticks(*_ticks(values, _short))
    if chart.across is Across.TIME:
        times = [x for series in chart.series.values() for x in series.x]
        figure.ruler("x").ticks(*_ticks(times, _clock(max(times) - min(times))))


def _ticks(values: list[float], text: Callable[[float], str]) -> tuple[list[float], list[str]]:
    low, high = min(values), max(values)
    if low == high:
        return [low], [text(low)]
    positions = [low + (high - low) * step / (_TICKS - 1) for step in range(_TICKS)]
    return positions, [text(position) for position in positions]


def _short(value: float) -> str:
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.4g} {prefix}"
    return f"{value:.4g}"


def _clock(span_s: float) -> Callable[[float], str]:
    form = "%m-%d %H:%M" if span_s > _DAY_S else "%H:%M" if span_s > _HOUR_S else "%H:%M:%S"
    return lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime(form)
