"""Charts in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from gridtap.errors import MissingExtraError
from gridtap.esmond.plotting import Across, Chart

__all__ = ["draw_as_text"]

_TICKS = 5
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
    figure.plot_size(width, height)
    names = list(chart.series)
    # A legend hides what is behind it; one line can do without.
    figure.title(f"{chart.title}: {names[0]}" if len(names) == 1 else chart.title)
    figure.label(chart.across.value if chart.across is not Across.BUCKETS else chart.unit, "x")
    for name, series in chart.series.items():
        if chart.across is Across.BUCKETS:
            drawn = figure.bar(series.x, series.y)
        else:
            drawn = figure.signal(series.x, series.y)
            drawn.lines()
        if len(names) > 1:
            drawn.label(name)
        figure.draw(drawn)
    values = [y for series in chart.series.values() for y in series.y]
    if chart.across is Across.BUCKETS:
        values.append(0)
    figure.ruler("y").ticks(*_ticks(values, _short))
    if chart.across is Across.TIME:
        figure.label(chart.unit, "y")
        times = [x for series in chart.series.values() for x in series.x]
        figure.ruler("x").ticks(*_ticks(times, _clock(max(times) - min(times))))
    text = str(figure.build())
    return text if colors else str(plotext.uncolorize(text))


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
