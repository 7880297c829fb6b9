"""Throughput between servers and remote sites, in a perfSONAR archive.

Accesses wait in a journal until the interval in which they came is over. Its segment then never
changes again: the points made of it are the same however often they are posted, so that each is in
the archive once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from gridtap.collector.journal import Journal, Segment
from gridtap.collector.sinks.points import ArchivePoints
from gridtap.collector.sinks.protocol import Form, StoredBatch
from gridtap.collector.sinks.refusals import Refusals
from gridtap.collector.sinks.remotes import Grouping, Remotes, address_of
from gridtap.collector.sinks.settings import FsyncPolicy, Setting
from gridtap.collector.sinks.transfers import gather
from gridtap.errors import RefusedError, SinkSettingError, SinkUnavailableError
from gridtap.esmond.address import ArchiveAddress
from gridtap.esmond.errors import ArchiveUrlError
from gridtap.esmond.writing import ArchiveWriter

__all__ = ["EsmondSettings", "EsmondSink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EsmondSettings:
    """Settings of a sink of type ``esmond``."""

    url: Annotated[str, Setting("of the archive: `scheme://host[:port]`")]
    directory: Annotated[
        str,
        Setting(
            "where accesses wait until they are posted; made if its parent is there. It is "
            "this sink's alone"
        ),
    ]
    user: Annotated[str, Setting("whose key it is")] = ""
    key: Annotated[str, Setting("that may write; better in a file")] = field(default="", repr=False)
    key_file: Annotated[str, Setting("file that has nothing but the key")] = ""
    script_alias: Annotated[str, Setting("deployment prefix of the archive; `/`: none")] = "esmond"
    ca_file: Annotated[
        str, Setting("certificates of trusted authorities; empty: those of the system")
    ] = ""
    timeout: Annotated[float, Setting("without receiving anything from the archive", "s")] = 20.0
    interval: Annotated[int, Setting("that one point stands for", "s")] = 60
    remote: Annotated[
        Grouping,
        Setting(
            "what the other end is: `site`, a domain's clients in one network (/24 or /48), or "
            "`host`"
        ),
    ] = "site"
    addresses: Annotated[
        dict[str, str], Setting("addresses that stand for domains or hosts, by their names")
    ] = field(default_factory=dict)
    resolve: Annotated[bool, Setting("names of other clients are looked up")] = True
    measurement_agent: Annotated[
        str, Setting("address that archives show as the measuring host; empty: the server's")
    ] = ""
    fsync: Annotated[
        FsyncPolicy, Setting("when accesses that wait are made to survive a crash of the host")
    ] = "interval"
    fsync_every: Annotated[float, Setting("of the fsync policy `interval`", "s")] = 1.0


class EsmondSink:
    """Sums accesses up and posts points.

    :param clock: gives UTC epoch seconds
    :raises SinkSettingError: a setting that cannot be
    """

    form: ClassVar[Form] = "lines"

    def __init__(self, settings: EsmondSettings, *, clock: Callable[[], float] = time.time) -> None:
        _check(settings)
        self._settings = settings
        self._clock = clock
        self._directory = Path(settings.directory)
        self._remotes = Remotes(settings.remote, settings.addresses, resolve=settings.resolve)
        self._journal: Journal | None = None
        self._archive: ArchivePoints | None = None
        self._refusals = Refusals(settings.url)
        self._period = 0
        self._synced_at = 0.0

    def write(self, batch: StoredBatch) -> None:
        """See :py:class:`~.protocol.Sink`."""
        journal = self._opened()
        self._post_all(journal)
        if not journal.size:
            self._period = self._period_of(self._clock())
        journal.append(batch)
        self._refusals.tell()

    def flush(self) -> None:
        """See :py:class:`~.protocol.Sink`. What waits is safe, but not posted yet."""
        if self._journal is not None:
            self._journal.sync()

    def tick(self, now: float) -> None:
        """See :py:class:`~.protocol.Sink`."""
        journal = self._opened() if self._journal or self._directory.is_dir() else None
        if journal is None:
            return
        if journal.size and self._period_of(now) != self._period:
            journal.seal()
        self._post_all(journal)
        if abs(now - self._synced_at) >= self._settings.fsync_every:
            self._synced_at = now
            if self._settings.fsync == "interval":
                journal.sync()

    def reopen(self) -> None:
        """See :py:class:`~.protocol.Sink`. The file of the key is read again."""
        self._drop_archive()

    def close(self) -> None:
        """See :py:class:`~.protocol.Sink`. What waits is posted."""
        if self._journal is None:
            return
        journal, self._journal = self._journal, None
        try:
            journal.seal()
            self._post_all(journal)
        finally:
            journal.close()
            self._refusals.close()
            self._remotes.close()
            self._drop_archive()

    def _opened(self) -> Journal:
        if self._journal is None:
            try:
                self._directory.mkdir(exist_ok=True)
            except OSError as error:
                raise SinkUnavailableError(f"{self._directory}: {error.strerror}") from error
            self._journal = Journal(self._directory, self._settings.fsync)
        return self._journal

    def _post_all(self, journal: Journal) -> None:
        """Posts what is sealed: usually nothing, or what the archive was not there for."""
        for segment in journal.sealed():
            self._post(segment)
            journal.remove(segment)

    def _post(self, segment: Segment) -> None:
        interval_s = self._settings.interval
        try:
            transfers = gather(segment.batches(), interval_s, self._remotes)
        except OSError as error:
            raise SinkUnavailableError(f"{segment.path}: {error.strerror}") from error
        refusals = []
        if transfers.amounts and self._archive is None:
            self._archive = self._archive_points()
        for series, amounts in sorted(transfers.amounts.items()):
            assert self._archive is not None
            # Accesses of one interval may come in several segments. Each has its own second of it.
            points = {
                begin + segment.number % interval_s: amount.throughput
                for begin, amount in sorted(amounts.items())
            }
            records = sum(amount.records for amount in amounts.values())
            try:
                self._archive.post(series, points, records)
            except RefusedError as error:
                refusals.append((error.reason, error.records, error.text))
        for reason, records in transfers.refused.items():
            text = f"{segment.path}: accesses that no point can be made of"
            refusals.append((reason, records, text))
        # Only now: a segment that was not posted to its end is posted again.
        for refusal in refusals:
            self._refusals.add(*refusal)

    def _archive_points(self) -> ArchivePoints:
        settings = self._settings
        writer = ArchiveWriter(
            settings.url,
            settings.user,
            self._key(),
            script_alias=settings.script_alias,
            ssl_verify=settings.ca_file or True,
            timeout=settings.timeout,
        )
        return ArchivePoints(writer, agent=settings.measurement_agent, interval_s=settings.interval)

    def _key(self) -> str:
        if not self._settings.key_file:
            return self._settings.key
        try:
            return Path(self._settings.key_file).read_text().strip()
        except OSError as error:
            text = f"{self._settings.key_file}: {error.strerror}"
            raise SinkUnavailableError(text) from error

    def _drop_archive(self) -> None:
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def _period_of(self, moment: float) -> int:
        return int(moment // self._settings.interval)


def _check(settings: EsmondSettings) -> None:
    for name in ("url", "directory"):
        if not getattr(settings, name):
            raise SinkSettingError(f"{name}: none is given")
    if settings.key and settings.key_file:
        raise SinkSettingError("key, key_file: only one may be given")
    if settings.interval < 1:
        raise SinkSettingError(f"interval: less than a second: {settings.interval}")
    if settings.timeout <= 0:
        raise SinkSettingError(f"timeout: not positive: {settings.timeout}")
    if settings.remote not in ("site", "host"):
        raise SinkSettingError(f"remote: neither site nor host: {settings.remote}")
    if settings.fsync not in ("never", "interval", "always"):
        raise SinkSettingError(f"fsync: no such policy: {settings.fsync}")
    agent = {"measurement_agent": settings.measurement_agent} if settings.measurement_agent else {}
    for name, address in {**settings.addresses, **agent}.items():
        if address_of(address) is None:
            raise SinkSettingError(f"{name}: not an address: {address}")
    try:
        ArchiveAddress(settings.url, settings.script_alias)
    except ArchiveUrlError as error:
        raise SinkSettingError(f"url: {error}") from error
