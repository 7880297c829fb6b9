"""Lines in a file that is rotated, or on standard output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from gridtap.collector.frames import sync_directory
from gridtap.collector.logs import event_log
from gridtap.collector.sinks.linefile import LineFile
from gridtap.collector.sinks.protocol import Form, StoredBatch
from gridtap.collector.sinks.rotation import Rotation
from gridtap.collector.sinks.settings import FsyncPolicy, Setting
from gridtap.errors import SinkSettingError, SinkUnavailableError

__all__ = ["JsonlSettings", "JsonlSink"]

_LOG = event_log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlSettings:
    """Settings of a sink of type ``jsonl``."""

    path: Annotated[
        str, Setting("file to append to, in an existing directory; `-` is standard output")
    ]
    rotate_size: Annotated[
        int, Setting("the file is rotated before it would exceed this; 0: never", "bytes")
    ] = 1 << 30
    rotate_every: Annotated[
        float,
        Setting(
            "the file is rotated at each multiple of this since 1970 in UTC, so that `1d` is at "
            "midnight; 0: never",
            "s",
        ),
    ] = 86_400.0
    keep: Annotated[int, Setting("rotated files that are kept; 0: all")] = 14
    compress: Annotated[bool, Setting("rotated files are compressed with gzip")] = False
    fsync: Annotated[FsyncPolicy, Setting("when lines are made to survive a crash of the host")] = (
        "interval"
    )
    fsync_every: Annotated[float, Setting("of the fsync policy `interval`", "s")] = 1.0


class JsonlSink:
    """Appends batches of lines to a file: whole batches, so that it has whole lines only.

    :param clock: gives UTC epoch seconds
    :raises SinkSettingError: a negative number, or no such policy
    """

    form: ClassVar[Form] = "lines"

    def __init__(self, settings: JsonlSettings, *, clock: Callable[[], float] = time.time) -> None:
        _check(settings)
        self._settings = settings
        self._clock = clock
        self._path = Path(settings.path)
        self._is_stdout = settings.path == "-"
        self._rotation = Rotation(self._path, settings.keep, settings.compress)
        self._file: LineFile | None = None
        self._period = 0
        self._synced_at = 0.0

    def write(self, batch: StoredBatch) -> None:
        """See :py:class:`~.protocol.Sink`."""
        with self._mapped():
            now = self._clock()
            self._rotate_if_due(now)
            file = self._opened(now)
            limit = self._settings.rotate_size
            size = file.size()
            if self._rotates(file) and limit and size and size + len(batch.data) > limit:
                self._rotate(now)
                file = self._opened(now)
            file.append(batch.data, sync=self._settings.fsync == "always")

    def flush(self) -> None:
        """See :py:class:`~.protocol.Sink`."""
        if self._file is not None and self._settings.fsync != "never":
            with self._mapped():
                self._file.sync()

    def tick(self, now: float) -> None:
        """See :py:class:`~.protocol.Sink`."""
        with self._mapped():
            self._rotate_if_due(now)
        # Also when the clock was set back.
        if abs(now - self._synced_at) >= self._settings.fsync_every:
            self._synced_at = now
            if self._settings.fsync == "interval":
                self.flush()

    def reopen(self) -> None:
        """See :py:class:`~.protocol.Sink`."""
        try:
            self.flush()
        finally:
            self._close_file()

    def close(self) -> None:
        """See :py:class:`~.protocol.Sink`. Waits until rotated files are compressed."""
        try:
            self.reopen()
        finally:
            self._rotation.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Whatever is wrong with the file may be right when it is opened again.
            self._close_file()
            what = error.filename or self._settings.path
            raise SinkUnavailableError(f"{what}: {error.strerror or error}") from error

    def _opened(self, now: float) -> LineFile:
        if self._file is None:
            if self._is_stdout:
                self._file = LineFile.standard_output()
                return self._file
            self._file, torn = LineFile.open(self._path)
            if torn:
                aside = f"{self._path}.torn"
                _LOG.warning("torn_line_moved", path=str(self._path), bytes=torn, to=aside)
            self._rotation.resume()
            self._period = self._period_of(self._file.changed_at() if self._file.size() else now)
        return self._file

    def _period_of(self, moment: float) -> int:
        every = self._settings.rotate_every
        return int(moment // every) if every else 0

    def _rotate_if_due(self, now: float) -> None:
        # A file of yesterday is rotated even if nothing is written today.
        if self._file is None and not self._is_stdout and self._has_old_file():
            self._opened(now)
        if self._file is None or not self._rotates(self._file):
            return
        period = self._period_of(now)
        if period == self._period:
            return
        if self._file.size():
            self._rotate(now)
        else:
            self._period = period

    def _rotates(self, file: LineFile) -> bool:
        return file.is_regular and not self._is_stdout

    def _has_old_file(self) -> bool:
        return bool(self._settings.rotate_every) and self._path.is_file()

    def _rotate(self, now: float) -> None:
        self.flush()
        self._close_file()
        self._rotation.rotate(now)
        if self._settings.fsync != "never":
            sync_directory(self._path.parent)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _check(settings: JsonlSettings) -> None:
    if not settings.path:
        raise SinkSettingError("path: no file is named")
    if settings.fsync not in ("never", "interval", "always"):
        raise SinkSettingError(f"fsync: no such policy: {settings.fsync}")
    for name in ("rotate_size", "rotate_every", "keep", "fsync_every"):
        if getattr(settings, name) < 0:
            raise SinkSettingError(f"{name}: negative: {getattr(settings, name)}")
