"""``esmond-ps-get``: the data of one event type between two hosts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from gridtap.cli.esmond_checks import notice, refuse
from gridtap.cli.esmond_connection import connect
from gridtap.cli.esmond_output import Answers, NothingError, emit
from gridtap.esmond.errors import EsmondError
from gridtap.esmond.querying.data_rows import DataRows, chosen_data
from gridtap.esmond.querying.outputs import NO_DATA
from gridtap.esmond.querying.plot_file import draw_to_file
from gridtap.esmond.querying.plot_terminal import draw_as_text
from gridtap.esmond.querying.plotting import PICTURES, Chart, chart_of
from gridtap.esmond.querying.query_options import QueryOptions
from gridtap.files import whole_file

__all__ = ["run"]

#: A plot smaller than this shows nothing; one higher than this wastes the screen.
_MIN_COLUMNS, _MIN_LINES, _MAX_LINES = 40, 12, 30


def run(options: QueryOptions) -> bool:
    """Prints or draws the data; returns whether they are whole."""
    answers = Answers("esmond-ps-get")
    maker = DataRows(options, options.type or "")
    if options.plot is None:
        rows = (row for _, row in _rows(options, maker, answers))
        emit(answers.guarded(rows), maker.columns, options)
    else:
        _plot(options, maker, answers)
    return answers.is_whole


def _rows(
    options: QueryOptions, maker: DataRows, answers: Answers
) -> Iterator[tuple[str, dict[str, object]]]:
    """Rows, each with the key of its metadata"""
    for metadata in connect(options).get_metadata():
        kind = metadata.get_event_type(options.type or "")
        data = chosen_data(kind, options) if kind else None
        if data is None:
            continue
        try:
            for row in maker.of(metadata, data.iter_data()):
                yield metadata.metadata_key or "", row
        except EsmondError as error:
            # Other tests may still answer.
            answers.complain(error)


def _plot(options: QueryOptions, maker: DataRows, answers: Answers) -> None:
    chart = chart_of(options)
    if chart is None:
        refuse(f"--plot can not draw {options.type}: its values are no numbers")
    path = Path(options.plot) if options.plot else None
    if path is not None and path.suffix.lower() not in PICTURES:
        refuse(f"--plot needs a name that ends in {' or '.join(PICTURES)}: {path}")
    try:
        for key, row in answers.guarded(_rows(options, maker, answers)):
            chart.add(key, row)
    except NothingError:
        return
    if chart.left_out:
        notice(f"esmond-ps-get: {chart.left_out} values that are no numbers are not drawn")
    if not chart.series:
        print(NO_DATA)
    elif path is None:
        _show(chart)
    else:
        with whole_file(path) as part:
            draw_to_file(chart, part or path, path.suffix.lower().removeprefix("."))


def _show(chart: Chart) -> None:
    width, height = shutil.get_terminal_size()
    lines = min(max(height - 2, _MIN_LINES), _MAX_LINES)
    print(draw_as_text(chart, max(width, _MIN_COLUMNS), lines, colors=sys.stdout.isatty()))
