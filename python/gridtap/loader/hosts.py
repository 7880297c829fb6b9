"""Addresses of the servers that logs name: an archive resolves no names in writes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gridtap.esmond.errors import HostLookupError
from gridtap.esmond.resolve import addresses
from gridtap.loader import limits
from gridtap.loader.errors import UnusableTransferError

__all__ = ["Hosts"]


class Hosts:
    """Addresses by name and family, each looked up once.

    :param given: ``ADDRESS``, of every server that the logs name, or ``HOST=ADDRESS``: instead of
        looking it up
    :raises ValueError: not an address
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._given: dict[tuple[str, bool], str] = {}
        for each in given:
            host, _, text = each.rpartition("=")
            address = ipaddress.ip_address(text.strip("[]"))
            self._given[host, address.version == 6] = str(address)
        self._found: dict[tuple[str, bool], str | None] = {}

    def address(self, host: str, peer: str) -> str:
        """An address of a server, of the family of its peer's

        :raises UnusableTransferError: it has none
        """
        is_v6 = ":" in peer
        key = (host, is_v6)
        if key not in self._found:
            if len(self._found) >= limits.HOSTS:
                self._found.clear()
            self._found[key] = self._look_up(host, is_v6)
        found = self._found[key]
        if found is None:
            family = "IPv6" if is_v6 else "IPv4"
            raise UnusableTransferError(f"{host} has no {family} address here; see --host-address")
        return found

    def _look_up(self, host: str, is_v6: bool) -> str | None:
        try:
            return str(ipaddress.ip_address(host.strip("[]")))
        except ValueError:
            pass
        given = self._given.get((host, is_v6)) or self._given.get(("", is_v6))
        if given is not None:
            return given
        try:
            return addresses(host, "only-v6" if is_v6 else "only-v4")[0].partition("%")[0]
        except HostLookupError:
            return None
