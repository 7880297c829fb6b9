"""Every ceiling on what a caller may ask of the archive, and the reason for the number."""

from __future__ import annotations

__all__ = [
    "ADDRESS_BYTES",
    "BODY_BYTES",
    "BODY_SECONDS",
    "CHUNK_POINTS",
    "CONNECTIONS",
    "DEFAULT_PAGE",
    "DRAIN_SECONDS",
    "EVENT_TYPES",
    "GRACE_SECONDS",
    "HEADER_SECONDS",
    "KEEP_ALIVE_SECONDS",
    "KEY_CHARS",
    "LOCK_SECONDS",
    "LOOKUP_SECONDS",
    "MAX_INTEGER",
    "MAX_TS",
    "MAX_WINDOW",
    "METADATA_PAGE",
    "MIN_INTEGER",
    "MIN_KEY_CHARS",
    "MIN_TS",
    "PARAMETERS",
    "POINT_PAGE",
    "QUERY_PARAMETERS",
    "REQUEST_SECONDS",
    "SUBJECT_CHARS",
    "SUMMARIES",
    "TAKE_SECONDS",
    "WRITERS",
]

#: Bytes of a request's path and query, as in other servers.
ADDRESS_BYTES = 8 << 10

#: Bytes of a request body: about 200,000 points, a thousand times what clients send.
BODY_BYTES = 16 << 20

#: Seconds within which a body has to arrive, so that slow senders do not hold connections.
BODY_SECONDS = 60.0

#: Seconds within which a request line and its headers have to arrive.
HEADER_SECONDS = 20.0

#: Seconds that one request may occupy the database.
REQUEST_SECONDS = 30.0

#: Seconds that a write waits for others that write: below ``GRACE_SECONDS``.
LOCK_SECONDS = 8.0

#: Writes that are worked on at a time. They wait for each other in threads, which reads need too,
#: and the largest takes some 250 megabytes.
WRITERS = 4

#: Seconds that requests under way have to end when the server is told to stop.
GRACE_SECONDS = 10

#: Connections at once. Beyond, the one that has been without a request for longest is closed.
CONNECTIONS = 512

#: Seconds that a connection may be kept without a request.
KEEP_ALIVE_SECONDS = 30

#: Seconds that the rest of a refused body is listened to, so that its sender hears why.
DRAIN_SECONDS = 5.0

#: Seconds within which a caller has to take what waits to be sent, some 50 kilobytes.
TAKE_SECONDS = 60.0

#: Seconds that a host name may take to resolve.
LOOKUP_SECONDS = 10.0

#: Elements of a page without ``limit``, as in esmond.
DEFAULT_PAGE = 1500

#: Points of a page. Refused above rather than cut: a client that asks for n and gets fewer takes
#: them for the last.
POINT_PAGE = 100_000

#: Metadata of a page, as in perfSONAR 5.
METADATA_PAGE = 10_000

#: Points read and sent at a time, so that a page is never held whole.
CHUNK_POINTS = 5_000

#: Characters of a subject's text field and of a parameter's name, as in esmond.
SUBJECT_CHARS = 128

#: Characters of an event type or summary word, or of a key, that is repeated in an answer.
KEY_CHARS = 128

#: Elements of ``event-types``: every known type twenty times over.
EVENT_TYPES = 1_000

#: Summaries of one event type.
SUMMARIES = 100

#: Parameters of a query: a search has some twenty, and each is a condition for the database.
QUERY_PARAMETERS = 100

#: Free-form parameters of a metadata.
PARAMETERS = 1_000

#: Seconds since the epoch of 0001-01-01 and of the last second of 9999: what calendars can show.
#: Milliseconds taken for seconds lie beyond.
MIN_TS = -62_135_596_800
MAX_TS = 253_402_300_799

#: Seconds of a summary window: a hundred years.
MAX_WINDOW = 100 * 366 * 86_400

#: What the database's integers hold.
MIN_INTEGER = -(1 << 63)
MAX_INTEGER = (1 << 63) - 1

#: Characters of a key that somebody brings along: one that cannot be guessed.
MIN_KEY_CHARS = 16
