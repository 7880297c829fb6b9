"""Disks that are really full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest


@contextmanager
def small_disk(size_bytes: int) -> Iterator[Path]:
    """A file system in memory that holds so much, and no more"""
    place = Path(mkdtemp(prefix="small-disk-"))
    options = ["-t", "tmpfs", "-o", f"size={size_bytes}", "none", str(place)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
        if mounted.returncode:
            pytest.skip("only root may mount a small disk")
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
    finally:
        place.rmdir()
