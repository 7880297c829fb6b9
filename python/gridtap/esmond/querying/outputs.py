"""Rows as text: human, JSON, JSON lines and CSV, byte for byte as the original commands print them.

A row is an ordered mapping from column to value. Engines are generators of pieces of text, so that
an answer of any length passes through in constant memory; the documented classes of esmond_client
are the same engines over a list.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gridtap.errors import GridtapError
from gridtap.esmond.querying.query_options import QueryOptions

__all__ = [
    "ENGINES",
    "NO_DATA",
    "CSVOutput",
    "EsmondClientException",
    "EsmondClientWarning",
    "EsmondOutput",
    "HeaderRow",
    "HumanOutput",
    "JsonOutput",
    "Row",
    "Style",
    "csv_text",
    "human_text",
    "json_lines_text",
    "json_text",
    "output_factory",
]

Row = Mapping[str, object]

_SEPARATOR = "= + = + = + = + = + =\n"
NO_DATA = "No data found."


class EsmondClientException(GridtapError):  # noqa: N818 - its documented name
    """Wrong use of an output class.

    :param value: what is wrong; the text form is its repr, as it always was
    """

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return repr(self.value)


class EsmondClientWarning(Warning):
    """Base of what the commands' own library warns of."""


class HeaderRow(dict[str, object]):
    """A row that heads those after it; human output prints all of it, whatever the columns are."""


@dataclass(frozen=True, slots=True)
class Style:
    """How values look.

    :param is_extended: human output goes on with what is not in the columns
    :param json_values: objects in human and CSV output are JSON instead of Python text
    """

    is_extended: bool = False
    json_values: bool = False


def human_text(rows: Iterable[Row], columns: Sequence[str], style: Style) -> Iterator[str]:
    """One line per column, a line of signs between rows."""
    is_first = True
    for row in rows:
        lines = [] if is_first else [_SEPARATOR]
        is_first = False
        names = list(row) if isinstance(row, HeaderRow) else list(columns)
        if style.is_extended and not isinstance(row, HeaderRow):
            names += [name for name in row if name not in columns]
        lines += [f"{name}: {_cell(row.get(name), style)}\n" for name in names]
        yield "".join(lines)
    if is_first:
        yield NO_DATA


def json_text(rows: Iterable[Row], columns: Sequence[str], style: Style) -> Iterator[str]:
    """One line: an array of objects."""
    is_first = True
    for row in rows:
        yield ("[" if is_first else ", ") + json.dumps(row)
        is_first = False
    yield json.dumps([{"msg": NO_DATA}]) if is_first else "]"


def json_lines_text(rows: Iterable[Row], columns: Sequence[str], style: Style) -> Iterator[str]:
    """One object a line; no row, no line."""
    for row in rows:
        yield json.dumps(row) + "\n"


def csv_text(rows: Iterable[Row], columns: Sequence[str], style: Style) -> Iterator[str]:
    """Excel's dialect with a header line; every line ends with CR and LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)

    def line(values: Iterable[object]) -> str:
        writer.writerow(values)
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield line(columns)
    is_empty = True
    for row in rows:
        is_empty = False
        yield line([_cell(row.get(name), style) for name in columns])
    if is_empty:
        yield line(["No data"] * len(columns))


def _cell(value: object, style: Style) -> object:
    """A value as it is printed; lists are joined, each on its own merits."""
    if isinstance(value, list):
        if style.json_values and any(isinstance(item, (list, dict)) for item in value):
            return json.dumps(value)
        return ", ".join(str(item) for item in value)
    if style.json_values and isinstance(value, dict):
        return json.dumps(value)
    return value


Engine = Callable[[Iterable[Row], Sequence[str], Style], Iterator[str]]

#: The text engine of each ``--output-format`` that has one
ENGINES: Mapping[str, Engine] = {
    "human": human_text,
    "json": json_text,
    "csv": csv_text,
    "jsonl": json_lines_text,
}


class EsmondOutput:
    """Base of the documented output classes: rows in a list, one text out.

    :raises EsmondClientException: ``data`` is not a list of dictionaries
    """

    def __init__(self, data: list[dict[str, object]], columns: Sequence[str] | None) -> None:
        if not isinstance(data, list):
            raise EsmondClientException("Data arg must be a list")
        if data and not isinstance(data[0], dict):
            raise EsmondClientException("Data arg must be a list of dicts")
        self._data = data
        self._columns = columns
        self._style = Style()

    def get_output(self) -> str:
        """All rows as text.

        :raises NotImplementedError: of the base class
        """
        raise NotImplementedError("Implement in subclasses.")

    def has_data(self) -> bool:
        """Whether there is any row."""
        return bool(self._data)

    def add_to_payload(self, rows: list[dict[str, object]]) -> None:
        """Appends rows.

        :raises EsmondClientException: not a list
        """
        if not isinstance(rows, list):
            raise EsmondClientException("Arg to add_to_payload must be a list")
        self._data.extend(rows)

    def _text(self, engine: Engine) -> str:
        return "".join(engine(self._data, self._columns or (), self._style))


class HumanOutput(EsmondOutput):
    """See :py:func:`human_text`."""

    def __init__(
        self,
        data: list[dict[str, object]],
        columns: Sequence[str] | None,
        extended_data: bool = False,
    ) -> None:
        super().__init__(data, columns)
        self._style = Style(is_extended=extended_data)

    def get_output(self) -> str:
        """All rows as text for people."""
        return self._text(human_text)


class JsonOutput(EsmondOutput):
    """See :py:func:`json_text`."""

    def get_output(self) -> str:
        """All rows as one JSON array."""
        return self._text(json_text)


class CSVOutput(EsmondOutput):
    """See :py:func:`csv_text`."""

    def get_output(self) -> str:
        """All rows as CSV."""
        return self._text(csv_text)


def output_factory(
    options: object, data: list[dict[str, object]], columns: Sequence[str]
) -> EsmondOutput:
    """The output class for the format that options ask for.

    :raises EsmondClientException: no such class; JSON lines and Parquet are not texts in memory
    """
    wanted = QueryOptions.adopt(options)
    output: EsmondOutput
    if wanted.format == "human":
        output = HumanOutput(data, columns)
    elif wanted.format == "json":
        output = JsonOutput(data, None)
    elif wanted.format == "csv":
        output = CSVOutput(data, columns)
    else:
        raise EsmondClientException(f"no output class for {wanted.format}")
    output._style = Style(is_extended=wanted.metadata, json_values=wanted.json_values)
    return output
