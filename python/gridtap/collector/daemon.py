"""The collector as a process: from its start, through signals, to its end."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, MutableMapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gridtap import _core
from gridtap.collector.activation import passed_sockets
from gridtap.collector.config import Config
from gridtap.collector.config_core import core_settings
from gridtap.collector.http import HttpServer, Observed
from gridtap.collector.logs import event_log, set_up_logs
from gridtap.collector.notify import Notifier
from gridtap.collector.pipelines import Pipelines
from gridtap.collector.sockets import open_sockets
from gridtap.collector.state_directory import StateDirectory
from gridtap.errors import ConfigError, GridtapError

__all__ = ["EXIT_BROKEN_PIPE", "EXIT_FAILED", "run"]

_LOG = event_log(__name__)

#: A part of the collector ended that should not have
EXIT_FAILED = 1

#: Nobody reads standard output any more
EXIT_BROKEN_PIPE = 141

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

#: How often the collector looks after itself, in seconds
_TICK_S = 1.0

#: How long sinks may take to end, in seconds. Service managers lose patience after 90.
_FINISH_S = 60.0


def run(load: Callable[[], Config], environment: MutableMapping[str, str]) -> int:
    """Collects until SIGTERM or SIGINT; a second one ends the process at once.

    It ends as well when records go to standard output and nobody reads that any more.

    Signals are blocked from here on, so that the thread that calls this gets them all.

    :param load: reads the configuration: at the start, and after each SIGHUP
    :param environment: usually ``os.environ``; what service managers put there is taken out
    :returns: the exit code
    :raises ConfigError: it cannot start; the text says why
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    config = load()
    set_up_logs(config.log.level, config.log.format)
    with ExitStack() as stack:
        state = StateDirectory(config.state.directory)
        stack.callback(state.close)
        core = _open_core(config, environment)
        _restore(core, state.snapshot)
        pipelines = Pipelines(core, config, state)
        if config.http.listen is not None:
            stack.callback(_serve(config, core, pipelines).close)
        parts = _Parts(core, pipelines, state, Notifier(environment))
        return _Daemon(load, config, parts).run()


@dataclass(frozen=True)
class _Parts:
    core: _core.Collector
    pipelines: Pipelines
    state: StateDirectory
    notifier: Notifier


class _Daemon:
    """From the start of the threads to their end"""

    def __init__(self, load: Callable[[], Config], config: Config, parts: _Parts) -> None:
        self._load = load
        self._config = config
        self._parts = parts
        self._saved_at = time.monotonic()

    def run(self) -> int:
        self._parts.pipelines.start()
        self._parts.core.start()
        addresses = [str(each) for each in self._config.listen.addresses]
        _LOG.info("started", listen=" ".join(addresses), sinks=self._sinks(), pid=os.getpid())
        self._parts.notifier.ready(self._told())
        code = self._until_told()
        self._stop()
        return code

    def _until_told(self) -> int:
        watchdog_s = self._parts.notifier.watchdog_s
        wait_s = min(_TICK_S, watchdog_s) if watchdog_s else _TICK_S
        while True:
            told = signal.sigtimedwait(_SIGNALS, wait_s)
            if told is not None and told.si_signo == signal.SIGHUP:
                self._reload()
            elif told is not None:
                _LOG.info("stopping", signal=signal.Signals(told.si_signo).name)
                return 0
            if _writes_to_stdout(self._config) and _is_stdout_gone():
                return EXIT_BROKEN_PIPE
            if dead := self._parts.pipelines.dead():
                _LOG.error("thread_died", sinks=" ".join(dead))
                return EXIT_FAILED
            self._look_after()

    def _look_after(self) -> None:
        notifier, every = self._parts.notifier, self._config.state.snapshot_every
        if notifier.watchdog_s is not None:
            notifier.alive()
        snapshot = self._parts.state.snapshot
        if snapshot is not None and every and time.monotonic() - self._saved_at >= every:
            self._saved_at = time.monotonic()
            notifier.status(self._told())
            try:
                self._parts.core.save(snapshot)
            except OSError as error:
                _LOG.error("not_saved", path=str(snapshot), reason=str(error))

    def _reload(self) -> None:
        self._parts.notifier.reloading()
        try:
            config = _with_what_stays(self._load(), self._config)
            self._parts.pipelines.reload(config)
        except GridtapError as error:
            _LOG.error("not_reloaded", reason=str(error))
        else:
            set_up_logs(config.log.level, config.log.format)
            self._config = config
            _LOG.info("reloaded", sinks=self._sinks())
        self._parts.notifier.ready(self._told())

    def _stop(self) -> None:
        """Receives what the kernel still has, saves the state, empties the queues"""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        core, snapshot = self._parts.core, self._parts.state.snapshot
        self._parts.notifier.stopping()
        try:
            core.stop(snapshot)
        except OSError as error:
            _LOG.error("not_saved", path=str(snapshot), reason=str(error))
            if snapshot is not None:
                # All that was open has ended; who restored the one before would end it again.
                with suppress(OSError):
                    snapshot.unlink(missing_ok=True)
        self._parts.pipelines.finish(_FINISH_S)
        _LOG.info("stopped", **_summary(core, self._parts.pipelines))

    def _sinks(self) -> str:
        return " ".join(sink.name for sink in self._config.sinks)

    def _told(self) -> str:
        counts = _summary(self._parts.core, self._parts.pipelines)
        return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _open_core(config: Config, environment: MutableMapping[str, str]) -> _core.Collector:
    def warn(text: str) -> None:
        _LOG.warning("sockets", reason=text)

    sockets = open_sockets(config.listen, passed_sockets(environment), warn)
    try:
        return _core.Collector(core_settings(config), [each.fileno() for each in sockets])
    except ValueError as error:
        raise ConfigError(f"{config.file}: {error}") from error
    finally:
        # The core has its own descriptors of them.
        for each in sockets:
            each.close()


def _serve(config: Config, core: _core.Collector, pipelines: Pipelines) -> HttpServer:
    address = config.http.listen
    assert address is not None
    observed = Observed(core.status, pipelines.status, pipelines.dead)
    try:
        return HttpServer(address.host, address.port, observed, dialects=config.http.dialects)
    except OSError as error:
        raise ConfigError(f"{config.file}: [http] listen: {address}: {error.strerror}") from error


def _with_what_stays(config: Config, running: Config) -> Config:
    """A new configuration with the settings of the old one that hold from start to end"""
    before, after = running.listen, config.listen
    kept = replace(
        config,
        listen=replace(
            after,
            addresses=before.addresses,
            workers=before.workers,
            receive_buffer=before.receive_buffer,
        ),
        state=replace(config.state, directory=running.state.directory),
        http=running.http,
    )
    for name in ("listen", "state", "http"):
        if getattr(kept, name) != getattr(config, name):
            _LOG.warning("needs_restart", table=name)
    return kept


def _restore(core: _core.Collector, snapshot: Path | None) -> None:
    if snapshot is None or not snapshot.exists():
        return
    try:
        rows = core.restore(snapshot)
        _LOG.info("restored", path=str(snapshot), rows=rows)
    except (OSError, ValueError) as error:
        # Kept for whoever wants to know; the next one would be written over it.
        aside = snapshot.with_suffix(".unreadable")
        _LOG.error("not_restored", path=str(snapshot), reason=str(error), moved_to=str(aside))
        snapshot.replace(aside)


def _summary(core: _core.Collector, pipelines: Pipelines) -> dict[str, int]:
    status = core.status()
    return {
        "packets": status["packets"]["received"],
        "accesses": sum(status["accesses"].values()),
        "records_written": pipelines.written_records,
        "records_spooled": pipelines.spooled_records,
    }


def _writes_to_stdout(config: Config) -> bool:
    return any(getattr(sink.own, "path", None) == "-" for sink in config.sinks)


def _is_stdout_gone() -> bool:
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
