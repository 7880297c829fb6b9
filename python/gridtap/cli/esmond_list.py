"""``esmond-ps-get-endpoints`` and ``esmond-ps-get-metadata``: which tests there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gridtap.cli.esmond_connection import connect
from gridtap.cli.esmond_output import Answers, emit
from gridtap.esmond.querying.coverage import tests_with_data
from gridtap.esmond.querying.hostnames import HostnameConversion
from gridtap.esmond.querying.listings import (
    DEFAULT_FIELDS,
    ENDPOINT_FIELDS,
    endpoint_row,
    extended_row,
    metadata_row,
)
from gridtap.esmond.querying.query_options import QueryOptions

if TYPE_CHECKING:
    from gridtap.esmond.query import Metadata

__all__ = ["run_endpoints", "run_metadata"]


def run_endpoints(options: QueryOptions) -> bool:
    """Lists who measures what; returns whether the list is whole."""
    return _list("esmond-ps-get-endpoints", options, endpoint_row, ENDPOINT_FIELDS)


def run_metadata(options: QueryOptions) -> bool:
    """Lists tests with their parameters; returns whether the list is whole."""
    row_of = extended_row if options.metadata else metadata_row
    return _list("esmond-ps-get-metadata", options, row_of, DEFAULT_FIELDS)


def _list(
    command: str,
    options: QueryOptions,
    row_of: Callable[[Metadata], dict[str, object]],
    columns: Sequence[str],
) -> bool:
    connection = connect(options)
    names = HostnameConversion(options)

    def rows() -> Iterator[dict[str, object]]:
        for metadata in tests_with_data(connection, options):
            yield names.convert(row_of(metadata))

    answers = Answers(command)
    emit(answers.guarded(rows()), columns, options)
    return answers.is_whole
