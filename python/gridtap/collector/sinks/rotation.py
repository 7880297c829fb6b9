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
        self._thread: threading.Thread | None = None
        stem, suffix = re.escape(path.stem), re.escape(path.suffix)
        self._form = re.compile(rf"{stem}\.(\d{{8}}T\d{{6}}Z)(?:-(\d+))?{suffix}(?:\.gz)?")

    def rotate(self, now: float) -> None:
        """Moves the file aside, and removes the oldest of those that are too many.

        :param now: UTC epoch seconds
        :raises OSError: it cannot be moved
        """
        os.rename(self._path, self._free_name(now))
        if self._keep:
            for path in self.rotated()[: -self._keep]:
                path.unlink(missing_ok=True)
        if self._compress and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._compress_all, name="gridtap-gzip")
            self._thread.start()

    def close(self) -> None:
        """Waits until all is compressed."""
        if self._thread is not None:
            self._thread.join()

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

    def _compress_all(self) -> None:
        # Also what an earlier process did not get to.
        while waiting := [path for path in self.rotated() if path.suffix != ".gz"]:
            try:
                for path in waiting:
                    with whole_file(path.with_name(f"{path.name}.gz")) as part:
                        assert part is not None
                        with path.open("rb") as plain, gzip.open(part, "wb", 6) as packed:
                            shutil.copyfileobj(plain, packed, 1 << 20)
                    path.unlink()
            except OSError as error:
                # It stays as it is, and is tried again after the next rotation.
                _LOG.warning("not_compressed", path=str(path), reason=str(error))
                return
