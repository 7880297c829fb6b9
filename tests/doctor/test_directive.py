"""The corrected line has what was missing, and what the server sends already."""

from __future__ import annotations

import re

import pytest

from gridtap.doctor import ServerFacts, corrected_lines
from tests.doctor.watching import seen

COLLECTOR = "collector.example.org:9930"


def lines_of(name: str, address: str) -> list[str]:
    servers = seen(name).servers.values()
    server = next(s for s in servers if s.host == address and not s.is_residency)
    return corrected_lines(server, 1472, COLLECTOR)


def events(line: str) -> set[str]:
    found = re.search(r" dest ([a-z ]+) collector\.example\.org:9930$", line)
    assert found, line
    return set(found[1].split())


#: Capture, server, events of its configuration (the data's README has them) and those added
DESTS = [
    ("fstat-basic.pcap", "127.0.0.11", "fstat user", "info"),
    ("fstat-nolfn-files.pcap", "127.0.0.11", "fstat user files", "info"),
    ("user-only.pcap", "127.0.0.11", "user info", "fstat"),
    ("trace-files.pcap", "127.0.0.11", "files user", "fstat info"),
    ("trace-io.pcap", "127.0.0.11", "io user info", "fstat"),
    ("trace-iov-auth.pcap", "127.0.0.11", "iov user", "fstat info"),
    ("trace-readv-multi.pcap", "127.0.0.11", "iov fstat user", "info"),
    ("redir-cluster.pcap", "127.0.0.21", "redir user", ""),
    ("redir-cluster.pcap", "127.0.0.12", "fstat files user", "info"),
    ("redir-static.pcap", "127.0.0.11", "redir fstat user", "info"),
    ("gstream-pfc-bin.pcap", "127.0.0.14", "fstat user pfc", "info"),
    ("gstream-ccm-bin.pcap", "127.0.0.14", "fstat user ccm pfc", "info"),
    ("gstream-tcpmon-bin.pcap", "127.0.0.11", "user tcpmon", "fstat info"),
    ("gstream-tpc-bin.pcap", "127.0.0.12", "fstat user tpc", "info"),
]


@pytest.mark.parametrize(("name", "address", "configured", "added"), DESTS)
def test_events(name: str, address: str, configured: str, added: str) -> None:
    line = lines_of(name, address)[0]
    assert events(line) == set(configured.split()) | set(added.split())


@pytest.mark.parametrize(("name", "address", "configured", "added"), DESTS)
def test_options(name: str, address: str, configured: str, added: str) -> None:
    line = lines_of(name, address)[0]
    assert line.startswith("xrootd.monitor all auth flush 30s window 5s ")
    assert " ident 5m " in line
    serves = "fstat" in events(line)
    assert (" fstat 60s lfn ops ssq xfr 5 fbsz 1472 mbuff 1472 " in line) is serves
    assert (" rbuff 2048 " in line) is ("redir" in configured)
    assert (" gbuff 1472 " in line) is bool({"pfc", "tpc", "tcpmon"} & set(configured.split()))


@pytest.mark.parametrize(
    ("name", "address", "second"),
    [
        (
            "gstream-pfc-nohdr.pcap",
            "127.0.0.14",
            "xrootd.mongstream all use flush 30s maxlen 1472 send json dflthdr",
        ),
        (
            "gstream-pfc-json.pcap",
            "127.0.0.14",
            "xrootd.mongstream pfc use flush 30s maxlen 1472 send json dflthdr",
        ),
        (
            "gstream-all-mixed.pcap",
            "127.0.0.12",
            "xrootd.mongstream tpc tcpmon use flush 30s maxlen 1472 send cgi dflthdr",
        ),
    ],
)
def test_text_streams_have_a_line_of_their_own(name: str, address: str, second: str) -> None:
    assert lines_of(name, address)[1:] == [f"{second} {COLLECTOR}"]


def test_words_that_a_release_does_not_have_are_left_out() -> None:
    observation = seen("gstream-tpc-bin.pcap")
    server = next(s for s in observation.servers.values() if s.host == "127.0.0.12")
    assert server.version == (5, 5, 3)
    server.plugins["binary"].add("H")
    assert events(corrected_lines(server, 1472, COLLECTOR)[0]) == {"fstat", "info", "user", "tpc"}


def test_sizes_follow_the_path() -> None:
    server = ServerFacts("2001:db8::1", 1)
    assert " fbsz 1440 mbuff 1440 " in corrected_lines(server, 1452, COLLECTOR)[0]
    assert " fbsz 8960 mbuff 8960 " in corrected_lines(server, 8972, COLLECTOR)[0]
