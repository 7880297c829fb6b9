"""``esmond-ps-get``: the data of one event type between two hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gridtap.cli.esmond_checks import refuse
from gridtap.cli.esmond_connection import connect
from gridtap.cli.esmond_output import Answers, NothingError, emit
from gridtap.esmond.data_rows import DataRows, chosen_data
from gridtap.esmond.errors import RequestError
from gridtap.esmond.plotting import PICTURES, drawing_of
from gridtap.esmond.query_options import QueryOptions
from gridtap.files import whole_file

__all__ = ["run"]


def run(options: QueryOptions) -> bool:
    """Prints or draws the data; returns whether they are whole."""
    answers = Answers("esmond-ps-get")
    maker = DataRows(options, options.type or "")
    if options.plot is None:
        emit(answers.guarded(_rows(options, maker, answers)), maker.columns, options)
    else:
        _plot(options, maker, answers)
    return answers.is_whole


def _rows(options: QueryOptions, maker: DataRows, answers: Answers) -> Iterator[dict[str, object]]:
    for metadata in connect(options).get_metadata():
        kind = metadata.get_event_type(options.type or "")
        data = chosen_data(kind, options) if kind else None
        if data is None:
            continue
        try:
            yield from maker.of(metadata, data.iter_data())
        except RequestError as error:
            # Other tests may still answer.
            answers.complain(error)


def _plot(options: QueryOptions, maker: DataRows, answers: Answers) -> None:
    drawing = drawing_of(options)
    if drawing is None:
        refuse(f"--plot can not draw {options.type}")
    path = Path(options.plot) if options.plot else None
    if path is not None and path.suffix.lower() not in PICTURES:
        refuse(f"--plot needs a name that ends in {' or '.join(PICTURES)}: {path}")
    try:
        for row in answers.guarded(_rows(options, maker, answers)):
            drawing.add(row)
    except NothingError:
        return
    if path is None:
        print(drawing.in_terminal())
    elif drawing.is_empty:
        print("No data found.")
    else:
        with whole_file(path) as part:
            drawing.to_file(part or path, path.suffix.lower().lstrip("."))
