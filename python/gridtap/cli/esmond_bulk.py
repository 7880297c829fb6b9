"""``esmond-ps-get-bulk``: the data of many tests in files."""

from __future__ import annotations

import sys
from pathlib import Path

from gridtap.cli.bulk_progress import BulkProgress
from gridtap.cli.esmond_checks import notice
from gridtap.cli.esmond_connection import connect, reason_of
from gridtap.esmond.errors import EsmondError
from gridtap.esmond.querying.bulk import BulkPull, Saved
from gridtap.esmond.querying.bulk_journal import Journal
from gridtap.esmond.querying.query_options import QueryOptions

__all__ = ["run"]

_NAME = "esmond-ps-get-bulk"


def run(options: QueryOptions) -> bool:
    """Writes the files; returns whether all could be written."""
    directory = Path(options.output_dir).absolute()
    connection = connect(options)
    filters = connection.filters
    with Journal(options, directory) as journal:
        window = (filters.time_start or 0, filters.time_end or 0)
        filters.time_start, filters.time_end = journal.begin(window, resume=options.resume)
        pull = BulkPull(options, directory, journal)
        try:
            tasks = pull.tasks(connection.get_metadata())
        except EsmondError as error:
            notice(f"{_NAME}: {reason_of(error)}")
            return False
        try:
            with BulkProgress(tasks) as progress:
                report = _Report(directory, progress)
                for saved in pull.run(tasks):
                    report.tell(saved)
        except (KeyboardInterrupt, OSError):
            _say_how_to_go_on(journal)
            raise
        if report.finished < len(tasks):
            _say_how_to_go_on(journal)
            return False
        journal.finish()
    return True


def _say_how_to_go_on(journal: Journal) -> None:
    if journal.has_entries:
        notice(f"{_NAME}: the same command with --resume goes on from here")


class _Report:
    """Says on standard output what becomes of each event type, in the words of the original."""

    def __init__(self, directory: Path, progress: BulkProgress) -> None:
        self._directory = directory
        self._progress = progress
        self._test: object = None
        self.finished = 0

    def tell(self, saved: Saved) -> None:
        """Reports on one task."""
        task, done = saved.task, saved.done
        lines = []
        if task.metadata is not self._test:
            self._test = task.metadata
            lines += ["", f" {task.metadata}"]
        if task.kind is not None:
            lines += ["", f"  * processing {task.event_type}"]
        if done is not None:
            self.finished += 1
            if task.kind is not None:
                lines += self._outcome(saved)
        self._progress.clear()
        if lines:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        if saved.error is not None:
            notice(f"{_NAME}: {reason_of(saved.error)}")
        # After the lines, so that the bar is below them.
        self._progress.advance(saved)

    def _outcome(self, saved: Saved) -> list[str]:
        done = saved.done
        if done is None or done.name is None:
            return ["  * no data for that event type, skipping output."]
        path = self._directory / done.name
        if saved.is_old:
            return [f"   * got {done.rows} results before", f"  * keeping {path}"]
        return [f"   * got {done.rows} results", f"  * writing {path}"]
