"""Host names looked up by the client.

An archive looks names up itself, but searches only for the first address of each family
(``esmond/api/api_v2.py`` of https://github.com/esnet/esmond). A host with more of them is found
whole when each is searched for.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator, Mapping

from gridtap.esmond.errors import HostLookupError

__all__ = ["addresses", "searches"]

_FIELDS = ("source", "destination", "measurement-agent")

#: Families to look up by dns-match-rule: all of the first group that has any address.
_RULES = {
    "v4v6": ((socket.AF_INET, socket.AF_INET6),),
    "only-v4": ((socket.AF_INET,),),
    "only-v6": ((socket.AF_INET6,),),
    "prefer-v4": ((socket.AF_INET,), (socket.AF_INET6,)),
    "prefer-v6": ((socket.AF_INET6,), (socket.AF_INET,)),
}

#: Most searches that one becomes: four addresses each of two hosts and of an agent.
_MAX_SEARCHES = 64


def searches(criteria: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The searches by address that a search by host name becomes

    :raises HostLookupError: a name has no address, or there are too many
    """
    rule = criteria.get("dns-match-rule", "v4v6")
    named = [field for field in _FIELDS if field in criteria]
    found = [addresses(criteria[field], rule) for field in named]
    rest = {name: value for name, value in criteria.items() if name != "dns-match-rule"}
    combinations = list(itertools.product(*found))
    if len(combinations) > _MAX_SEARCHES:
        raise HostLookupError(
            f"these names have so many addresses that they make {len(combinations)} searches; "
            f"give addresses, or a dns-match-rule"
        )
    for combination in combinations:
        yield {**rest, **dict(zip(named, combination, strict=True))}


def addresses(host: str, rule: str = "v4v6") -> list[str]:
    """Addresses of a host, each once

    :param rule: a ``dns-match-rule``
    :raises HostLookupError: it has none
    """
    if rule not in _RULES:
        raise HostLookupError(f"Invalid dns-match-rule parameter {rule}")
    for families in _RULES[rule]:
        found = [one for family in families for one in _lookup(host, family)]
        if found:
            return list(dict.fromkeys(found))
    raise HostLookupError(f"Unable to find address for host {host}")


def _lookup(host: str, family: socket.AddressFamily) -> list[str]:
    try:
        answers = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(answer[4][0]) for answer in answers]
