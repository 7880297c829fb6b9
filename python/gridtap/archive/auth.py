"""Who calls: keys, and networks that need none."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time

from gridtap.archive import limits
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import Storage, User
from gridtap.errors import ArchiveError

__all__ = ["NO_CREDENTIALS", "authenticate", "new_user", "rotate"]

NO_CREDENTIALS = "Authentication credentials were not provided."


def authenticate(storage: Storage, header: str | None, peer: str | None) -> User | None:
    """The caller, by the key in the header, else by the network; ``None`` if nobody in particular.

    :param header: ``Authorization``: ``Token KEY``, or ``ApiKey USER:KEY`` as esmond 1 had it
    :param peer: the caller's address
    :raises RefusedError: 401, a key that is none
    """
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() == "token":
        return _by_token(storage, rest.split())
    if scheme.lower() == "apikey":
        name, _, key = rest.strip().partition(":")
        return _by_key(storage, key, name)
    return _by_network(storage, peer)


def _by_token(storage: Storage, words: list[str]) -> User:
    if not words:
        raise RefusedError("Invalid token header. No credentials provided.", 401)
    if len(words) > 1:
        raise RefusedError("Invalid token header. Token string should not contain spaces.", 401)
    return _by_key(storage, words[0])


def _by_key(storage: Storage, key: str, name: str | None = None) -> User:
    digest = _digest(key)
    found = None
    # Every user is compared, so that time tells nothing of who it was.
    for user in storage.users():
        is_key = hmac.compare_digest(digest, user.key_hash)
        if is_key and name in (None, user.name):
            found = user
    if found is None:
        raise RefusedError("Invalid token.", 401)
    if found.is_disabled:
        raise RefusedError("User inactive or deleted.", 401)
    return found


def _by_network(storage: Storage, peer: str | None) -> User | None:
    """The user of the smallest network that the caller is in"""
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    found: tuple[int, User] | None = None
    for user in storage.users():
        for text in user.networks:
            network = ipaddress.ip_network(text)
            if address in network and (found is None or network.prefixlen > found[0]):
                found = network.prefixlen, user
    return found[1] if found and not found[1].is_disabled else None


def new_user(
    storage: Storage, name: str, key: str | None = None, networks: tuple[str, ...] = ()
) -> str:
    """Adds a user and returns the key, of which only a digest is kept.

    :param key: one that the user has already; by default a new one of 40 hex digits
    :raises ArchiveError: there is such a user, or the key or a network is none
    """
    if not name or len(name) > limits.KEY_CHARS or not name.isprintable() or ":" in name:
        raise ArchiveError(f"not a user name: {name!r}")
    key = _checked(key) if key is not None else secrets.token_hex(20)
    given = tuple(dict.fromkeys(_network(text) for text in networks))
    taken = {text: user.name for user in storage.users() for text in user.networks}
    for text in given:
        if text in taken:
            raise ArchiveError(f"network {text} is user {taken[text]}'s")
    if any(user.key_hash == _digest(key) for user in storage.users()):
        raise ArchiveError("that key is in use")
    if not storage.add_user(User(name, _digest(key), False, given, int(time.time()))):
        raise ArchiveError(f"user {name} is there already")
    return key


def rotate(storage: Storage, name: str) -> str:
    """Gives a user a new key; the old one is of no more use.

    :raises ArchiveError: there is no such user
    """
    key = secrets.token_hex(20)
    if not storage.change_user(name, key_hash=_digest(key)):
        raise ArchiveError(f"no user {name}")
    return key


def _digest(key: str) -> bytes:
    # Keys are random: there is nothing to guess that a slower digest would protect.
    return hashlib.sha256(key.encode()).digest()


def _checked(key: str) -> str:
    if len(key) < limits.MIN_KEY_CHARS or not key.isascii() or not key.isprintable() or " " in key:
        raise ArchiveError(
            f"a key must be at least {limits.MIN_KEY_CHARS} ASCII characters without blanks"
        )
    return key


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ArchiveError(f"not a network: {text}") from error
