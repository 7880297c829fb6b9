"""What ``esmond-ps-load-gridftp`` does: a log into an archive, and the log lines about it."""

from __future__ import annotations

import os
import signal
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from optparse import OptionParser, Values
from pathlib import Path
from types import FrameType

from gridtap.cli.esmond_load_log import LoadLog
from gridtap.cli.esmond_load_options import LOAD_NAME
from gridtap.cli.event_log import EventLog
from gridtap.esmond.address import ArchiveAddress
from gridtap.esmond.errors import ArchiveUrlError
from gridtap.loader import state
from gridtap.loader.archive import Archive
from gridtap.loader.batch import Batch
from gridtap.loader.errors import ArchiveUnusableError, LoadError
from gridtap.loader.hosts import Hosts
from gridtap.loader.loading import Loader, Paths
from gridtap.loader.mapping import Choice
from gridtap.loader.sending import Sender

__all__ = ["GAVE_UP", "NOT_STORED", "run"]

#: Exit status: it could not go on; something was not stored
GAVE_UP, NOT_STORED = 1, 3

_MAX_JOBS = 64


def run(options: Values, parser: OptionParser) -> int:
    """Loads a log; returns the exit status.

    :param parser: who ends the process with 2 over options that make no sense
    """
    events = _checked(options, parser)
    paths = _paths(options)
    stopping = threading.Event()
    warnings.filterwarnings("ignore", message="username and api_key not set")
    if options.no_ssl_verify:
        # Of this process only, whose user has just said so.
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    log = LoadLog(events, options.json, not options.no_progress)
    if not (options.user and options.key) and not options.dry_run:
        log.noted("main.warn", "username and api_key not set")
    try:
        with (
            state.locked(paths.state) if paths.is_kept else nullcontext(),
            _signals(stopping, log),
            closing(_batch(options, stopping)) as batch,
        ):
            return _load(options, paths, batch, stopping, log)
    except ArchiveUnusableError as error:
        log.gave_up(str(error))
    except LoadError as error:
        log.noted("main.fatal", str(error))
    except OSError as error:
        name = error.filename or paths.log
        log.noted("main.fatal", f"{os.fsdecode(name)}: {error.strerror or error}")
    return GAVE_UP


def _load(
    options: Values, paths: Paths, batch: Batch, stopping: threading.Event, log: LoadLog
) -> int:
    choice = _choice(options)
    loader = Loader(paths, choice, batch, log, stopping, is_single=options.single)
    with log.bar(paths.log):
        loader.run()
    log.ended(loader.counts, paths.dead_letters, is_dry=options.dry_run)
    if options.delete_state and not options.dry_run:
        paths.state.unlink(missing_ok=True)
    return 0 if loader.counts.is_complete else NOT_STORED


def _checked(options: Values, parser: OptionParser) -> EventLog:
    """Refuses options that make no sense with 2; opens the log."""
    log_dir = os.path.normpath(options.log_dir) if options.log_dir else None
    if log_dir is not None and not Path(log_dir).is_dir():
        parser.error(f"{log_dir} log path does not exist.")
    if not options.file:
        parser.error("Filename is required.")
    options.file = os.path.normpath(options.file)
    if not Path(options.file).exists():
        parser.error(f"{options.file} does not exist")
    if Path(options.file).is_dir():
        parser.error(f"{options.file} is a directory")
    _check_numbers(options, parser)
    _check_access(options, parser)
    try:
        return EventLog(LOAD_NAME, Path(log_dir, f"{LOAD_NAME}.log") if log_dir else None)
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")


def _check_numbers(options: Values, parser: OptionParser) -> None:
    for name in ("timeout", "patience"):
        if getattr(options, name) < 0:
            parser.error(f"--{name} can not be negative: {getattr(options, name)}")
    if not 1 <= options.jobs <= _MAX_JOBS:
        parser.error(f"--jobs must be 1 to {_MAX_JOBS}: {options.jobs}")
    try:
        Hosts(options.host_address or ())
    except ValueError as error:
        parser.error(f"--host-address: {error}")


def _check_access(options: Values, parser: OptionParser) -> None:
    options.user = options.user or os.environ.get("ESMOND_USER") or ""
    if options.key_file and not options.key:
        options.key = _key_of(Path(options.key_file), parser)
    options.key = options.key or os.environ.get("ESMOND_KEY") or ""
    if not (options.key.isascii() and options.key.isprintable()):
        # Else the message about the header that can not be sent would show it.
        parser.error("the API key is none: only letters, digits and signs of ASCII")
    if options.ca_bundle is not None and not Path(options.ca_bundle).exists():
        parser.error(f"--ca-bundle {options.ca_bundle} does not exist.")
    try:
        ArchiveAddress(options.url, options.script_alias)
    except ArchiveUrlError as error:
        parser.error(f"--url is {error}")


def _key_of(path: Path, parser: OptionParser) -> str:
    try:
        with path.open() as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                parser.error(f"--key-file {path}: others may read it; chmod 600 {path}")
            return file.read(4096).strip()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--key-file {path}: {getattr(error, 'strerror', None) or 'not text'}")


def _paths(options: Values) -> Paths:
    default = "load_grid_ftp.json.pickle" if options.json else "load_grid_ftp.pickle"
    state_path = Path(os.path.normpath(options.pickle_file or default))
    dead = Path(options.dead_letter or f"{state_path}.dead-letter")
    is_kept = not options.dont_write and not options.dry_run
    return Paths(Path(options.file), state_path, is_kept, None if options.dry_run else dead)


def _choice(options: Values) -> Choice:
    return Choice(
        files=options.file_attr,
        users=options.name_attr,
        volumes=options.volume_attr,
        partial=options.partial,
        aggregate=options.aggregate,
    )


def _batch(options: Values, stopping: threading.Event) -> Batch:
    sender = None
    if not options.dry_run:
        archive = Archive(
            options.url,
            options.user,
            options.key,
            options.script_alias,
            False if options.no_ssl_verify else (options.ca_bundle or True),
            options.timeout or None,
        )
        sender = Sender(archive, options.patience, stopping)
    return Batch(sender, Hosts(options.host_address or ()), _choice(options), options.jobs)


@contextmanager
def _signals(stopping: threading.Event, log: LoadLog) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the run after the batch under way, the second at once."""

    def told(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        log.stopping = signal.Signals(number).name

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, told) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
