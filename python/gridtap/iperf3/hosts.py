"""Addresses that a result does not have, but an archive needs: it resolves no names in writes."""

from __future__ import annotations

import socket
from dataclasses import replace

from gridtap.esmond.errors import HostLookupError
from gridtap.esmond.resolve import addresses
from gridtap.iperf3.measurement import Measurement

__all__ = ["address_of", "agent_of", "with_addresses"]

#: Of the socket that asks the kernel for a route; nothing is sent.
_ANY_PORT = 80


def agent_of(measurement: Measurement) -> str:
    """The address by which this host reaches the receiver.

    Where there is no way to the receiver, the result was measured elsewhere: then it is the address
    of the host that measured it, or of the sender.
    """
    try:
        found = socket.getaddrinfo(measurement.input_destination, _ANY_PORT, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        found = []
    for family, kind, protocol, _, place in found:
        try:
            with socket.socket(family, kind, protocol) as route:
                route.connect(place)
                return str(route.getsockname()[0]).partition("%")[0]
        except OSError:
            continue
    return measurement.local_address or measurement.source


def address_of(host: str) -> str:
    """An address of a host, IPv4 if it has one

    :raises HostLookupError: it has none
    """
    return addresses(host)[0].partition("%")[0]


def with_addresses(measurement: Measurement) -> Measurement:
    """The same with addresses for names, of one family if both hosts have one in common

    :raises HostLookupError: a host has none
    """
    source, destination = measurement.source, measurement.destination
    for rule in ("only-v4", "only-v6"):
        try:
            pair = [addresses(host, rule)[0].partition("%")[0] for host in (source, destination)]
        except HostLookupError:
            continue
        return replace(measurement, source=pair[0], destination=pair[1])
    return replace(measurement, source=address_of(source), destination=address_of(destination))
