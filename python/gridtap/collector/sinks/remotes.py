"""Who was at the other end of an access: an address that an archive can keep, and a name."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlowError
from dataclasses import dataclass
from typing import Literal

__all__ = ["Grouping", "Remote", "Remotes", "address_of"]

#: ``site``: clients of one domain and network are one. ``host``: each is its own.
Grouping = Literal["site", "host"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Networks that sites are told apart by: what is routed on its own
_SITE_BITS = {4: 24, 6: 48}

#: Seconds that the address of a name is kept, and that it is kept that there is none
_KEPT_S, _KEPT_MISSING_S = 3_600.0, 300.0

#: Names that are kept
_KEPT_NAMES = 10_000

#: Longest wait for a name server, in seconds
_LOOKUP_S = 2.0


@dataclass(frozen=True, slots=True)
class Remote:
    """The other end.

    :param address: a literal
    :param name: of a site or host; a literal or network if it has none
    """

    address: str
    name: str


class Remotes:
    """Finds the other ends, with the help of the name service if need be. For one thread.

    :param grouping: what is one remote
    :param addresses: of domains and hosts that are not looked up
    :param resolve: look the others up
    """

    def __init__(
        self, grouping: Grouping, addresses: Mapping[str, str], *, resolve: bool = True
    ) -> None:
        self._grouping = grouping
        self._addresses = {name.lower().strip("."): to for name, to in addresses.items()}
        self._resolve = resolve
        self._known: OrderedDict[str, tuple[float, list[_Address]]] = OrderedDict()
        # One at a time; a thread of its own, as the system's resolver knows no time limit.
        self._lookups: ThreadPoolExecutor | None = None

    def of(self, hosts: Sequence[str], near: _Address) -> Remote | None:
        """The remote that a client belongs to; None if it has no address.

        :param hosts: names and literals of the client, as servers write them:
            ``[::ffff:192.0.2.9]`` too
        :param near: address of the server; names are looked up in its family first
        """
        literals = [address for host in hosts if (address := address_of(host)) is not None]
        names = [host.lower().strip(".") for host in hosts if address_of(host) is None]
        name = names[0] if names else ""
        for each in _parents(name):
            if each in self._addresses:
                return Remote(self._addresses[each], each)
        if not literals and self._resolve:
            found = self._look_up(name)
            literals = [each for each in found if each.version == near.version] or found
            # The order of answers changes; whose network a site is known by should not.
            literals.sort(key=int)
        return self._grouped(literals[0], name) if literals else None

    def close(self) -> None:
        """Ends its thread."""
        if self._lookups is not None:
            self._lookups.shutdown(wait=False, cancel_futures=True)
            self._lookups = None

    def _grouped(self, address: _Address, name: str) -> Remote:
        if self._grouping == "host":
            return Remote(str(address), name or str(address))
        bits = _SITE_BITS[address.version]
        network = ipaddress.ip_network((address, bits), strict=False)
        domain = ".".join(name.split(".")[-2:])
        return Remote(str(network.network_address), domain or str(network))

    def _look_up(self, name: str) -> list[_Address]:
        known = self._known.get(name)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = self._ask(name)
        kept_s = _KEPT_S if found else _KEPT_MISSING_S
        self._known[name] = (time.monotonic() + kept_s, found)
        self._known.move_to_end(name)
        if len(self._known) > _KEPT_NAMES:
            self._known.popitem(last=False)
        return found

    def _ask(self, name: str) -> list[_Address]:
        if not name or len(name) > 253 or "\0" in name:
            return []
        if self._lookups is None:
            self._lookups = ThreadPoolExecutor(4, thread_name_prefix="gridtap-lookup")
        asked = self._lookups.submit(socket.getaddrinfo, name, None, 0, socket.SOCK_STREAM)
        try:
            answers = asked.result(_LOOKUP_S)
        except (OSError, UnicodeError, TooSlowError):
            return []
        found = (address_of(str(answer[4][0])) for answer in answers)
        return [address for address in found if address is not None]


def address_of(text: str) -> _Address | None:
    """An address as servers write it, IPv4-mapped ones as IPv4; None: it is a name"""
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _parents(name: str) -> Iterator[str]:
    """``a.b.c``, ``b.c``, ``c``"""
    while name:
        yield name
        name = name.partition(".")[2]
