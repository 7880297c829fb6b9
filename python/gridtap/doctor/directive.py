"""The ``xrootd.monitor`` line that a server should have.

The directive is described in "XRootD Configuration Reference", section ``monitor``
(https://xrootd.org/doc/), its f-stream in "System Monitoring Reference".
"""

from __future__ import annotations

from gridtap.doctor.facts import ServerFacts

__all__ = ["MIN_RBUFF", "corrected_lines"]

#: Words behind ``dest`` for the letters of g-stream providers, and the release that has them.
_PROVIDERS: dict[str, tuple[str, tuple[int, ...]]] = {
    "C": ("pfc", ()),
    "M": ("ccm", ()),
    "T": ("tcpmon", ()),
    "P": ("tpc", (5, 5)),
    "R": ("throttle", (5, 7)),
    "H": ("http", (6,)),
}

#: Buffers of r packets cannot be smaller, bytes.
MIN_RBUFF = 2048


def corrected_lines(server: ServerFacts, payload_bytes: int, collector: str) -> list[str]:
    """Lines for the configuration of a server: what it sends now, and what was missing.

    :param payload_bytes: largest datagram that travels whole
    :param collector: ``HOST:PORT``
    """
    is_redirector = server.codes["r"] > 0
    # Multiples of the size of records.
    size = payload_bytes // 16 * 16
    words = ["xrootd.monitor all auth flush 30s window 5s"]
    events = []
    if server.serves_files or not is_redirector:
        words.append(f"fstat 60s lfn ops ssq xfr 5 fbsz {size} mbuff {size}")
        events += ["fstat", "info"]
    if server.segment_reads:
        events.append("iov")
    elif server.trace_io:
        events.append("io")
    elif server.codes["t"] or server.codes["d"]:
        events.append("files")
    events.append("user")
    if is_redirector:
        words.append(f"rbuff {max(size, MIN_RBUFF)}")
        events.append("redir")
    providers = _provider_words(server)
    if providers:
        words.append(f"gbuff {size}")
        events += providers
    words.append(f"ident 5m dest {' '.join(events)} {collector}")
    return [" ".join(words), *_gstream_lines(server, size, collector)]


def _provider_words(server: ServerFacts) -> list[str]:
    letters = server.plugins.get("binary", set())
    known = (_PROVIDERS[letter] for letter in sorted(letters) if letter in _PROVIDERS)
    return [word for word, since in known if not server.version or server.version >= since]


def _gstream_lines(server: ServerFacts, size: int, collector: str) -> list[str]:
    """What is sent as text goes on as text, with a header and in packets that fit."""
    texts = {framing: letters for framing, letters in server.plugins.items() if framing != "binary"}
    if not texts:
        return []
    letters = set().union(*texts.values())
    words = [_PROVIDERS[letter][0] for letter in sorted(letters) if letter in _PROVIDERS]
    # Events without a header do not name their provider.
    named = " ".join(words) if "none" not in texts and words else "all"
    form = "cgi" if "cgi" in texts else "json"
    send = f"send {form} dflthdr {collector}"
    return [f"xrootd.mongstream {named} use flush 30s maxlen {size} {send}"]
