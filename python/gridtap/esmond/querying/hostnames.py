"""Names for addresses in output."""

from __future__ import annotations

import socket

from gridtap.esmond.querying.query_options import QueryOptions

__all__ = ["ADDRESS_FIELDS", "HostnameConversion"]

#: The fields of a row that hold addresses; ``input_source`` is whatever the tester typed.
ADDRESS_FIELDS = ("source", "destination", "ip", "measurement_agent")


class HostnameConversion:
    """Puts host names in the place of addresses, unless ``--ip`` was given.

    Each address is looked up once. One without a reverse entry stays as it is.
    """

    def __init__(self, options: object) -> None:
        self._keep = QueryOptions.adopt(options).ip
        self._names: dict[str, str] = {}

    def convert(self, row: dict[str, object]) -> dict[str, object]:
        """The same row, its addresses replaced in place."""
        if self._keep:
            return row
        for field in ADDRESS_FIELDS:
            address = row.get(field)
            if address and isinstance(address, str):
                row[field] = self.name(address)
        return row

    def name(self, address: str) -> str:
        """The fully qualified name of an address, or the address."""
        if self._keep:
            return address
        if address not in self._names:
            try:
                self._names[address] = socket.getfqdn(address)
            except (OSError, UnicodeError):
                # What an archive calls an address need not be one.
                self._names[address] = address
        return self._names[address]
