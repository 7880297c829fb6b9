"""Hosts in searches: addresses of either family, and names that the server looks up."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.archive.client import Client
from tests.archive.servers import Servers

V4, V6 = "10.99.0.1", "2001:db8:99::1"

#: Names of the server's own hosts file, with several addresses of a family
HOSTS = """\
127.0.0.1 localhost
10.77.0.1 both.test
10.77.0.2 both.test
2001:db8:77::1 both.test
2001:db8:77::2 both.test
10.77.0.9 four.test
2001:db8:77::9 six.test
"""
ADDRESSES = {
    "a": "10.77.0.1", "b": "10.77.0.2", "c": "2001:db8:77::1", "d": "2001:db8:77::2",
    "e": "10.77.0.9", "f": "2001:db8:77::9", "g": "10.77.0.3",
}  # fmt: skip


@pytest.fixture(scope="module")
def named(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A server that knows some names, with one metadata for each of their addresses"""
    hosts = tmp_path_factory.mktemp("names") / "hosts"
    hosts.write_text(HOSTS)
    client = servers.start(before=_with_hosts(hosts)).client
    for name, address in ADDRESSES.items():
        client.create("failures", source=address, name=name)
    return client


def _with_hosts(hosts: Path) -> list[str]:
    """What to put before a command so that it, and nobody else, reads this hosts file"""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    before = ["unshare", "-rm", "sh", "-c", script, "sh"]
    probe = subprocess.run([*before, "getent", "ahosts", "both.test"], capture_output=True)
    if b"10.77.0.2" not in probe.stdout:
        pytest.skip("no mount namespaces here")
    return before


@pytest.mark.parametrize(
    ("host", "rule", "expected"),
    [
        # Every address of a family, not the first alone (S-12)
        ("both.test", None, "abcd"),
        ("both.test", "v4v6", "abcd"),
        ("both.test", "only-v4", "ab"),
        ("both.test", "only-v6", "cd"),
        ("both.test", "prefer-v4", "ab"),
        ("both.test", "prefer-v6", "cd"),
        ("four.test", None, "e"),
        ("four.test", "only-v4", "e"),
        ("four.test", "only-v6", None),
        ("four.test", "prefer-v6", "e"),
        ("six.test", None, "f"),
        ("six.test", "only-v4", None),
        ("six.test", "only-v6", "f"),
        ("six.test", "prefer-v4", "f"),
        ("SIX.test", None, "f"),
        ("none.test", None, None),
        ("none.test", "prefer-v4", None),
    ],
)
def test_names(named: Client, host: str, rule: str | None, expected: str | None) -> None:
    query = {"source": host} if rule is None else {"source": host, "dns-match-rule": rule}
    answer = named.send("GET", query=query)
    if expected is None:
        assert answer.status == 400
        assert answer.detail == f"Unable to find address for host {host}"
        return
    found = answer.json()
    assert "".join(sorted(metadata["name"] for metadata in found)) == expected


def test_names_together_with_other_conditions(named: Client) -> None:
    assert named.get(source="both.test", name="b").json()[0]["source"] == "10.77.0.2"
    assert named.get(source="both.test", destination="four.test").json() == []
    key = named.get(source="four.test").json()[0]["metadata-key"]
    assert named.get(f"{key}/", source="four.test").status == 200
    assert named.get(f"{key}/", source="both.test").status == 404


@pytest.fixture(scope="module")
def keys(archive: Client) -> dict[str, str]:
    return {
        archive.key_of("failures", source=V4): "4",
        archive.key_of("failures", source=V6): "6",
        archive.key_of("failures", source="127.0.0.1", measurement_agent="127.0.0.1"): "l",
    }


@pytest.mark.parametrize(
    ("host", "rule", "expected"),
    [
        (V4, "v4v6", "4"), (V4, "only-v4", "4"), (V4, "prefer-v4", "4"), (V4, "prefer-v6", "4"),
        (V4, "only-v6", None),
        (V6, "v4v6", "6"), (V6, "only-v6", "6"), (V6, "prefer-v4", "6"), (V6, "prefer-v6", "6"),
        (V6, "only-v4", None),
        (V6.upper(), None, "6"),
        ("localhost", None, "l"), ("localhost", "only-v4", "l"), ("localhost", "prefer-v4", "l"),
        ("", None, None), (" ", None, None), ("nonesuch.invalid", None, None),
        ("a" * 64 + ".invalid", None, None), ("x..y", None, None), ("no such host", None, None),
        ("10.1.1.1/24", None, None), ("fe80::1%eth0%eth1", None, None),
    ],
)  # fmt: skip
def test_literals_and_localhost(
    archive: Client, keys: dict[str, str], host: str, rule: str | None, expected: str | None
) -> None:
    query = {"source": host} if rule is None else {"source": host, "dns-match-rule": rule}
    answer = archive.send("GET", query=query)
    if expected is None:
        assert answer.status == 400
        assert answer.detail == f"Unable to find address for host {host}"
        return
    assert "".join(keys.get(each["metadata-key"], "?") for each in answer.json()) == expected


@pytest.mark.parametrize("field", ["source", "destination", "measurement-agent"])
def test_the_rule_is_checked_where_an_address_is_asked_for(archive: Client, field: str) -> None:
    for rule in ("any", "v6-only", "V4V6"):
        answer = archive.send("GET", query={field: "10.1.1.1", "dns-match-rule": rule})
        assert answer.status == 400
        assert answer.detail == f"Invalid dns-match-rule parameter {rule}"


def test_the_rule_alone_is_ignored(archive: Client, keys: dict[str, str]) -> None:
    key = next(iter(keys))
    for rule in ("any", "only-v6"):
        query = {"metadata-key": key, "dns-match-rule": rule}
        answer = archive.send("GET", query=query)
        assert [metadata["metadata-key"] for metadata in answer.json()] == [key]


@pytest.mark.parametrize("field", ["destination", "measurement-agent"])
def test_the_other_fields(archive: Client, keys: dict[str, str], field: str) -> None:
    address = "10.98.0.1" if field == "destination" else "127.0.0.1"
    key = archive.key_of("failures", **{field: address, "place": field})
    host = "localhost" if field == "measurement-agent" else address
    query = {field: host, "place": field}
    assert [each["metadata-key"] for each in archive.send("GET", query=query).json()] == [key]
    answer = archive.send("GET", query={field: "none.invalid"})
    assert answer.detail == "Unable to find address for host none.invalid"
