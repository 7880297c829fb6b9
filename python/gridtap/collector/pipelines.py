"""All sinks of a collector, and what becomes of them when the configuration changes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gridtap import _core
from gridtap.collector.config import Config
from gridtap.collector.config_core import core_settings
from gridtap.collector.config_sinks import SinkConfig
from gridtap.collector.dead_letters import DeadLetters
from gridtap.collector.handover import HandOver
from gridtap.collector.logs import event_log
from gridtap.collector.pipeline import Pipeline
from gridtap.collector.sinks.protocol import Sink
from gridtap.collector.spool import Spool
from gridtap.collector.state_directory import StateDirectory
from gridtap.errors import ConfigError, MissingExtraError, SinkSettingError, SpoolError

__all__ = ["Pipelines", "make_sink"]

_LOG = event_log(__name__)

#: Of each sink between the core's queue and the spool. A sink that falls behind further is slow.
_HAND_OVER_BYTES = 16 << 20

#: How long a sink that is taken out may take to end, in seconds
_REMOVAL_S = 5.0


class Pipelines:
    """The pipelines of a configuration.

    :raises ConfigError: a sink cannot be made, or its spool not be used
    """

    def __init__(self, core: _core.Collector, config: Config, state: StateDirectory) -> None:
        self._core = core
        self._state = state
        self._config = config
        self._running: dict[str, Pipeline] = {}
        for path in state.left_spools(each.name for each in config.sinks):
            _LOG.warning("spool_without_sink", path=str(path))
        made = [make_sink(each, config.file) for each in config.sinks]
        lines = self._lines(config.sinks)
        for sink, each, line in zip(config.sinks, made, lines, strict=True):
            self._running[sink.name] = self._pipeline(sink, each, line)

    def start(self) -> None:
        """Starts the threads of all."""
        for each in self._running.values():
            each.start()

    def dead(self) -> list[str]:
        """Names of those whose threads have ended though they should not have."""
        return [name for name, each in self._running.items() if not each.is_running()]

    @property
    def written_records(self) -> int:
        """Records that sinks took"""
        return sum(each.written_records for each in self._running.values())

    @property
    def spooled_records(self) -> int:
        """Records on disk that sinks have still to take"""
        spools = [each.line.spool for each in self._running.values()]
        return sum(spool.stored_records for spool in spools if spool is not None)

    def status(self) -> list[dict[str, object]]:
        """A row for each sink: what became of its records behind the core."""
        return [_row(each) for each in self._running.values()]

    def reload(self, config: Config) -> None:
        """Goes over to another configuration, while packets keep coming in.

        Sinks of the same name keep their queue and spool; all open their files anew.

        :raises ConfigError: it cannot be used; all is as it was
        """
        self._check(config)
        before = {each.name: each for each in self._config.sinks}
        made = {each.name: make_sink(each, config.file) for each in config.sinks}
        added = [each for each in config.sinks if each.name not in before]
        lines = self._lines(added)
        try:
            self._core.reload(core_settings(config))
        except ValueError as error:
            for line in lines:
                line.abandon()
            raise ConfigError(f"{config.file}: {error}") from error
        for each in config.sinks:
            if each.name in before:
                changed = each.own != before[each.name].own
                self._running[each.name].renew(made[each.name] if changed else None)
        for each, line in zip(added, lines, strict=True):
            self._running[each.name] = self._pipeline(each, made[each.name], line)
            self._running[each.name].start()
        for name in before.keys() - made.keys():
            # The core has what is queued for it, and nothing new.
            self._running.pop(name).finish(_REMOVAL_S)
        self._config = config

    def finish(self, timeout_s: float) -> None:
        """Ends all when the core has stopped: queues are emptied into sinks, or into spools."""
        deadline = time.monotonic() + timeout_s
        for each in self._running.values():
            each.finish(max(1.0, deadline - time.monotonic()))

    def _check(self, config: Config) -> None:
        before = {each.name: each for each in self._config.sinks}
        for each in config.sinks:
            old = before.get(each.name)
            if old is None:
                continue
            if old.type.name != each.type.name:
                raise ConfigError(
                    f"{config.file}: [sinks.{each.name}] type: it cannot change while the "
                    "collector runs: give the sink another name, or restart"
                )
            if old.general.spool != each.general.spool:
                _LOG.warning("needs_restart", key=f"sinks.{each.name}.spool")

    def _lines(self, sinks: Sequence[SinkConfig]) -> list[HandOver]:
        """What stands before each sink, with its spool"""
        lines: list[HandOver] = []
        try:
            for sink in sinks:
                directory, most = self._state.spool(sink.name), sink.general.spool
                spool = Spool(directory, most) if directory is not None and most else None
                lines.append(HandOver(spool, _HAND_OVER_BYTES))
        except SpoolError as error:
            for line in lines:
                line.abandon()
            raise ConfigError(f"spool: {error}") from error
        return lines

    def _pipeline(self, sink: SinkConfig, made: Sink, line: HandOver) -> Pipeline:
        dead = DeadLetters(self._state.dead_letters(sink.name), sink.type.form)
        return Pipeline(sink.name, self._core, self._core.index(sink.name), made, line, dead)


def make_sink(sink: SinkConfig, file: str) -> Sink:
    """Makes a sink, which touches nothing outside the process.

    :param file: what errors call the configuration
    :raises ConfigError: it cannot work with its settings, or an extra is missing
    """
    try:
        return sink.type.make(sink.own)
    except (SinkSettingError, MissingExtraError) as error:
        raise ConfigError(f"{file}: [sinks.{sink.name}] {error}") from error


def _row(pipeline: Pipeline) -> dict[str, object]:
    line, spool = pipeline.line, pipeline.line.spool
    return {
        "name": pipeline.name,
        "written_records": pipeline.written_records,
        "refused_records": dict(pipeline.refused_records),
        "failures": pipeline.failures,
        "trouble": pipeline.trouble,
        "waiting_bytes": line.waiting_bytes,
        "lost_records": line.lost_records,
        "spool_records": spool.stored_records if spool else 0,
        "spool_bytes": spool.stored_bytes if spool else 0,
        "spool_dropped_records": spool.dropped_records if spool else 0,
    }
