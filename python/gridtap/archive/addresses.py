"""Host names in searches become addresses: all that a name has, by the wanted rule."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlowError

from gridtap.archive import limits
from gridtap.archive.refusal import RefusedError

__all__ = ["RULES", "Resolver"]

_V4, _V6 = socket.AF_INET, socket.AF_INET6

#: Rule to families in the order in which they are asked; ``prefer`` takes the first that answers.
RULES: dict[str, tuple[socket.AddressFamily, ...]] = {
    "v4v6": (_V6, _V4),
    "only-v4": (_V4,),
    "only-v6": (_V6,),
    "prefer-v4": (_V4, _V6),
    "prefer-v6": (_V6, _V4),
}

#: Seconds that an answer is kept, and how many are.
_KEPT_SECONDS = 60.0
_KEPT_NAMES = 1_000


class Resolver:
    """Looks names up, and remembers the answers for a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int], tuple[float, frozenset[str]]] = OrderedDict()
        # Few, so that slow name servers hold up searches by name and nothing else.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="lookup")

    def close(self) -> None:
        """Ends its threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def addresses(self, host: str, rule: str) -> frozenset[str]:
        """Addresses of a name or a literal, in canonical form.

        :raises RefusedError: no such rule, or no address by it
        """
        families = RULES.get(rule)
        if families is None:
            raise RefusedError(f"Invalid dns-match-rule parameter {rule[: limits.KEY_CHARS]}")
        found: frozenset[str] = frozenset()
        for family in families:
            found |= self._lookup(host, family)
            if found and rule.startswith("prefer"):
                break
        if not found:
            raise RefusedError(f"Unable to find address for host {host[:255]}")
        return found

    def _lookup(self, host: str, family: socket.AddressFamily) -> frozenset[str]:
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            return self._named(host, family)
        is_wanted = literal.version == (4 if family is _V4 else 6)
        return frozenset({str(literal)}) if is_wanted else frozenset()

    def _named(self, host: str, family: socket.AddressFamily) -> frozenset[str]:
        question = (host.lower(), int(family))
        with self._lock:
            known = self._known.get(question)
            if known and known[0] > time.monotonic():
                return known[1]
        found = self._ask(host, family)
        with self._lock:
            self._known[question] = (time.monotonic() + _KEPT_SECONDS, found)
            self._known.move_to_end(question)
            if len(self._known) > _KEPT_NAMES:
                self._known.popitem(last=False)
        return found

    def _ask(self, host: str, family: socket.AddressFamily) -> frozenset[str]:
        if not host or len(host) > 253 or "\0" in host:
            return frozenset()
        question = self._threads.submit(socket.getaddrinfo, host, None, family, socket.SOCK_STREAM)
        try:
            answers = question.result(limits.LOOKUP_SECONDS)
        except (OSError, UnicodeError, TooSlowError):
            return frozenset()
        # IPv6 addresses may carry the interface they were found through.
        return frozenset(str(answer[4][0]).partition("%")[0] for answer in answers)
