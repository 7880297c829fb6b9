"""Every ceiling of the loader, and the reason for the number."""

from __future__ import annotations

__all__ = [
    "BACKOFF_S",
    "EARLIER_LOGS",
    "FAULTS",
    "HEAD_BYTES",
    "HOSTS",
    "PICKLE_BYTES",
    "PIECE_BYTES",
    "PLACES",
    "RECORD_BYTES",
    "SHOWN_FAULTS",
    "STATE_BYTES",
    "TAIL_BYTES",
    "TESTS",
]

#: Bytes of a log that are stored before the state moves: some 20,000 records. The more there are,
#: the more of them share a request; what was under way is sent again after a crash.
PIECE_BYTES = 8 << 20

#: Transfers alike in all that is described, with one start second, each of which gets a test of its
#: own. Each is a round of requests; where there are more, merging is what is wanted.
PLACES = 16

#: Bytes at the beginning of a log by which it is known again: the first records, with microseconds.
HEAD_BYTES = 1024

#: Bytes before the place to go on at which are known again, too.
TAIL_BYTES = 1024

#: Logs that are remembered: servers write on into one that has just been rotated.
EARLIER_LOGS = 8

#: Tests whose metadata key is remembered: a day of a busy server has some hundred.
TESTS = 20_000

#: Names of servers whose addresses are remembered; a log normally has one.
HOSTS = 10_000

#: First and longest pause before an archive that is away is asked again, in seconds.
BACKOFF_S = (0.5, 30.0)

#: Answers of 500 in a row, and nothing else, after which it is the archive and not the records.
FAULTS = 10

#: Lines about bad input of one kind in one log; what is beyond is counted.
SHOWN_FAULTS = 1000

#: Bytes of a record that are kept in a dead letter: servers cut records at 4,095.
RECORD_BYTES = 64 << 10

#: Bytes of a state file: it has a kilobyte.
STATE_BYTES = 1 << 20

#: Bytes of an old state file: it holds one line of a log.
PICKLE_BYTES = 1 << 20
