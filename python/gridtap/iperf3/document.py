"""Values of a JSON document by name, checked; whoever lacks one is told where it should be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any

from gridtap.errors import GridtapError

__all__ = ["Field", "ResultError"]


class ResultError(GridtapError, ValueError):
    """A result of iperf3 without something that a measurement needs; the text names it."""


class Field:
    """A place in a JSON document.

    :param value: what is there, as read from JSON
    :param path: where that is, for error messages
    """

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self.path = path

    def __contains__(self, name: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def __getitem__(self, name: str) -> Field:
        """The member of an object

        :raises ResultError: there is none
        """
        path = f"{self.path}.{name}" if self.path else name
        if name not in self:
            raise ResultError(f"{path} is missing")
        return Field(self.value[name], path)

    def __iter__(self) -> Iterator[Field]:
        """The elements of an array

        :raises ResultError: it is none
        """
        if not isinstance(self.value, list):
            raise ResultError(f"{self.path} is no array")
        for position, element in enumerate(self.value):
            yield Field(element, f"{self.path}[{position}]")

    @property
    def number(self) -> int | float:
        """A finite number

        :raises ResultError: it is none
        """
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if not is_number or not math.isfinite(self.value):
            raise ResultError(f"{self.path} is no number")
        return self.value  # type: ignore[no-any-return]

    @property
    def text(self) -> str:
        """Text that says something

        :raises ResultError: it does not
        """
        if not isinstance(self.value, str) or not self.value.strip():
            raise ResultError(f"{self.path} is no text")
        return self.value

    @property
    def address(self) -> str:
        """An address as archives know it: IPv4 without the prefix of IPv6, and without a zone

        :raises ResultError: it is none
        """
        try:
            found = ip_address(self.text)
        except ValueError as error:
            raise ResultError(f"{self.path} is no address: {self.text[:100]!r}") from error
        if isinstance(found, IPv6Address):
            return str(found.ipv4_mapped or IPv6Address(int(found)))
        return str(found)

    def optional(self, name: str) -> Field | None:
        """The member of an object, if there is one"""
        if name not in self:
            return None
        return self[name]

    def flag(self, name: str) -> bool:
        """Whether a member of an object is set; iperf3 writes 0 and 1, or false and true"""
        return name in self and bool(self.value[name])
