"""Files that were written full, beside the one that is written to."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

from gridtap.collector.logs import event_log
from gridtap.files import whole_file

__all__ = ["Rotation"]

_LOG = event_log(__name__)


class Rotation:
    """Moves a file aside under the time of that: ``a.jsonl`` becomes ``a.20261124T000000Z.jsonl``.

    A second file of the same second is ``a.20261124T000000Z-1.jsonl``, and so on.

    :param path: the file that is written to
    :param keep: rotated files that are kept; 0: all
    :param compress: with gzip, by a thread
    """

    def __init__(self, path: Path, keep: int, compress: bool) -> None:
        self._path = path
        self._keep = keep
        self._compress = compress
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_due = False
        stem, suffix = re.escape(path.stem), re.escape(path.suffix)
        self._form = re.compile(rf"{stem}\.(\d{{8}}T\d{{6}}Z)(?:-(\d+))?{suffix}(?:\.gz)?")
        self._torn = re.compile(rf"\.{self._form.pattern}\.\d+\.part")

    def rotate(self, now: float) -> None:
        """Moves the file aside, and removes the oldest of those that are too many.

        :param now: UTC epoch seconds
        :raises OSError: it cannot be moved
        """
        os.rename(self._path, self._free_name(now))
        if self._keep:
            for path in self.rotated()[: -self._keep]:
                path.unlink(missing_ok=True)
        self.resume()

    def resume(self) -> None:
        """Goes on with what is to be compressed, if there is any."""
        if self._compress and any(path.suffix != ".gz" for path in self.rotated()):
            self._start()

    def close(self) -> None:
        """Waits until all is compressed."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def rotated(self) -> list[Path]:
        """Files that were moved aside, the oldest first"""
        return [path for _, _, path in self._found()]

    def _found(self) -> list[tuple[str, int, Path]]:
        found = []
        for path in self._path.parent.iterdir():
            if match := self._form.fullmatch(path.name):
                found.append((match[1], int(match[2] or 0), path))
        return sorted(found)

    def _free_name(self, now: float) -> Path:
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        # Behind all others of this second, of which the first may be gone already.
        number = max([each + 1 for when, each, _ in self._found() if when == stamp], default=0)
        more = f"-{number}" if number else ""
        return self._path.with_name(f"{self._path.stem}.{stamp}{more}{self._path.suffix}")

    def _start(self) -> None:
        with self._lock:
            self._is_due = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gridtap-gzip")
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._is_due:
                    self._thread = None
                    return
                self._is_due = False
            self._compress_all()

    def _compress_all(self) -> None:
        # What an earlier process did not get to is done too, and what it left half done is removed.
        for torn in self._path.parent.iterdir():
            if self._torn.fullmatch(torn.name):
                torn.unlink(missing_ok=True)
        for path in self.rotated():
            if path.suffix == ".gz":
                continue
            try:
                with whole_file(path.with_name(f"{path.name}.gz")) as part:
                    assert part is not None
                    with path.open("rb") as plain, gzip.open(part, "wb", 6) as packed:
                        shutil.copyfileobj(plain, packed, 1 << 20)
                path.unlink()
            except OSError as error:
                # It stays as it is, and is tried again after the next rotation.
                _LOG.warning("not_compressed", path=str(path), reason=str(error))
                return
