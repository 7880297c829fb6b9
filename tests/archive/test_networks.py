"""Writing without a key from known networks, seen through proxies, trusted or not (S-06)."""

from __future__ import annotations

import pytest

from tests.archive.client import Answer, Client
from tests.archive.servers import Servers, add_user
from tests.cli.command import run

POINT = b'{"ts": 1600000000, "val": 5}'
NO_CREDENTIALS = "Authentication credentials were not provided."


def write(client: Client, path: str, *forwarded: str, **headers: str) -> Answer:
    """Posts a point, as if for these addresses"""
    sent = {"Content-Type": "application/json"} | headers
    if forwarded:
        sent["X-Forwarded-For"] = ", ".join(forwarded)
    return client.send("POST", path, POINT, sent)


@pytest.fixture(scope="module")
def proxied(servers: Servers) -> Client:
    """Behind proxies at 127.0.0.1 and in 192.0.2.0/24; a key is needed from everywhere else"""
    options = "--trust-proxy", "127.0.0.1/32", "--trust-proxy", "192.0.2.0/24"
    archive = servers.archive(*options)
    add_user(archive.db, "lab", "--network", "10.0.0.0/8", "--network", "2001:db8::/32")
    add_user(archive.db, "gone", "--network", "10.1.0.0/16")
    run("archive", "user", "disable", "gone", "--db", archive.db)
    return archive.client


@pytest.fixture(scope="module")
def path(proxied: Client) -> str:
    return proxied.key_of("throughput") + "/throughput/base"


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        (("10.2.3.4",), 201),
        (("2001:db8::1",), 201),
        (("2001:DB8:0::7",), 201),
        (("203.0.113.1",), 401),
        ((), 401),
        # The last hop that is no proxy of ours is the caller; what stands before it is hearsay.
        (("203.0.113.1", "10.2.3.4"), 201),
        (("10.2.3.4", "203.0.113.1"), 401),
        (("10.2.3.4", "192.0.2.7"), 201),
        (("203.0.113.1", "192.0.2.7"), 401),
        (("203.0.113.1", "10.2.3.4", "192.0.2.7", "192.0.2.8"), 201),
        # The longest prefix decides, and it belongs to somebody who may no more.
        (("10.1.2.3",), 401),
        (("unknown",), 401),
        (("10.2.3.4", "unknown"), 401),
        (("10.2.3.4", ""), 401),
        (("10.2.3.4'; --",), 401),
    ],
)
def test_the_last_hop_that_is_not_trusted(
    proxied: Client, path: str, forwarded: tuple[str, ...], status: int
) -> None:
    assert write(proxied.anonymous(), path, *forwarded).status == status


def test_the_key_decides_where_one_is_sent(proxied: Client, path: str) -> None:
    assert write(proxied, path, "203.0.113.1").status == 201
    wrong = write(proxied.with_key("0" * 40), path, "10.2.3.4")
    assert (wrong.status, wrong.detail) == (401, "Invalid token.")


def test_the_scheme_that_a_proxy_names(proxied: Client, servers: Servers, path: str) -> None:
    """Behind a web server that ends TLS, addresses are https; from others it is hearsay"""
    headers = {"X-Forwarded-Proto": "https", "Host": "ma.example.org"}
    key = path.split("/")[0]
    shown = proxied.send("GET", f"{key}/", None, headers).json()
    assert shown["url"] == f"https://ma.example.org{shown['uri']}"
    for forged in ("ftp", "https, http", "x://y"):
        headers["X-Forwarded-Proto"] = forged
        url = proxied.send("GET", f"{key}/", None, headers).json()["url"]
        assert url.split("://")[0] in ("http", "https")
    open_to_all = servers.get()
    direct = open_to_all.key_of("failures")
    headers["X-Forwarded-Proto"] = "https"
    shown = open_to_all.send("GET", f"{direct}/", None, headers).json()
    assert shown["url"] == f"http://ma.example.org{shown['uri']}"


def test_networks_give_no_more_than_a_key(proxied: Client, path: str) -> None:
    answer = proxied.anonymous().send("DELETE", path, None, {"X-Forwarded-For": "10.2.3.4"})
    assert answer.status == 405


def test_a_header_from_anybody_is_not_believed(servers: Servers) -> None:
    """The default: no proxy is trusted"""
    archive = servers.archive()
    add_user(archive.db, "lab", "--network", "10.0.0.0/8")
    path = archive.client.key_of("throughput") + "/throughput/base"
    for forwarded in (("10.2.3.4",), ("10.2.3.4", "10.2.3.5"), ("127.0.0.1", "10.2.3.4")):
        answer = write(archive.client.anonymous(), path, *forwarded)
        assert (answer.status, answer.detail) == (401, NO_CREDENTIALS)
    assert write(archive.client, path, "203.0.113.1", "10.2.3.4").status == 201


def test_the_peer_itself_may_be_known(servers: Servers) -> None:
    archive = servers.archive("--private", "--values", "exact")
    add_user(archive.db, "local", "--network", "127.0.0.1/32")
    client = archive.client
    key = client.anonymous().key_of("throughput")
    assert write(client.anonymous(), f"{key}/throughput/base").status == 201
    # The peer is looked at, not what it claims.
    assert write(client.anonymous(), f"{key}/throughput/base", "203.0.113.9").status == 201
    assert client.anonymous().data(key, "throughput") == [(1600000000, 5.0)]
    run("archive", "user", "disable", "local", "--db", archive.db)
    assert client.anonymous().get(f"{key}/").status == 401
