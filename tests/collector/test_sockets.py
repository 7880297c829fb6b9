"""Sockets: bound as configured, passed by a parent, and what is said when that fails."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from gridtap.collector.activation import passed_sockets
from gridtap.collector.config import Listen
from gridtap.collector.config_values import Address, Positive
from gridtap.collector.notify import Notifier
from gridtap.collector.sockets import open_sockets
from gridtap.errors import ConfigError
from tests.cli.command import obey_permissions, without_net_admin

SMALL = 4096


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(
    stack: ExitStack, *addresses: Address, workers: int = 1, buffer: int = SMALL
) -> tuple[list[socket.socket], list[str]]:
    """The sockets of such a configuration, and what was warned of"""
    warnings: list[str] = []
    listen = Listen(addresses, Positive(workers), receive_buffer=buffer)
    sockets = open_sockets(listen, [], warnings.append)
    for each in sockets:
        stack.callback(each.close)
        each.settimeout(5)
    return sockets, warnings


def port_of(opened: socket.socket) -> int:
    return int(opened.getsockname()[1])


def send(stack: ExitStack, target: str, port: int, payload: bytes = b"x") -> tuple[str, int]:
    """Sends a datagram, and says from where"""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    sender = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
    sender.sendto(payload, (target, port))
    host, source = sender.getsockname()[:2]
    return host, source


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6")


def test_ipv4(stack: ExitStack) -> None:
    (one,), warnings = opened(stack, Address("127.0.0.1", 0))
    send(stack, "127.0.0.1", port_of(one))
    assert one.recv(10) == b"x"
    assert warnings == []


@needs_ipv6
def test_any_address_of_ipv6_takes_ipv4_as_well(stack: ExitStack) -> None:
    (one,), _ = opened(stack, Address("::", 0))
    for target in ("127.0.0.1", "::1"):
        send(stack, target, port_of(one), target.encode())
        assert one.recv(10) == target.encode()


@needs_ipv6
def test_both_families_may_have_sockets_of_their_own(stack: ExitStack) -> None:
    (probe,), _ = opened(stack, Address("::", 0))
    port = port_of(probe)
    probe.close()
    (six, four), _ = opened(stack, Address("::", port), Address("0.0.0.0", port))
    send(stack, "127.0.0.1", port, b"four")
    send(stack, "::1", port, b"six")
    assert (four.recv(10), six.recv(10)) == (b"four", b"six")


@needs_ipv6
def test_another_address_of_ipv6(stack: ExitStack) -> None:
    (one,), _ = opened(stack, Address("::1", 0))
    send(stack, "::1", port_of(one))
    assert one.recv(10) == b"x"


def test_one_sender_always_meets_one_worker(stack: ExitStack) -> None:
    sockets, _ = opened(stack, Address("127.0.0.1", 0), workers=4)
    port = port_of(sockets[0])
    assert [port_of(each) for each in sockets] == [port] * 4
    senders = [
        stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(64)
    ]
    for _ in range(3):
        for sender in senders:
            sender.sendto(b"x", ("127.0.0.1", port))
    met: dict[object, set[int]] = {}
    for number, each in enumerate(sockets):
        each.setblocking(False)
        try:
            while True:
                met.setdefault(each.recvfrom(10)[1], set()).add(number)
        except BlockingIOError:
            pass
    assert len(met) == 64
    assert all(len(numbers) == 1 for numbers in met.values())
    assert len(set.union(*met.values())) > 1


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("other", [1, 3])
def test_address_in_use(stack: ExitStack, workers: int, other: int) -> None:
    held, _ = opened(stack, Address("127.0.0.1", 0), workers=other)
    taken = Address("127.0.0.1", port_of(held[0]))
    with pytest.raises(ConfigError) as caught:
        opened(stack, taken, workers=workers)
    assert str(caught.value) == (
        f"cannot listen on {taken}: the port is in use (by another collector? see: ss -ulpn)"
    )


def test_no_such_address(stack: ExitStack) -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:9930: no interface of this host has"):
        opened(stack, Address("192.0.2.1", 9930))


def test_no_such_name(stack: ExitStack) -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on nowhere\.invalid:9930: "):
        opened(stack, Address("nowhere.invalid", 9930))


def test_nothing_stays_open_when_one_cannot_be_bound(stack: ExitStack) -> None:
    (held,), _ = opened(stack, Address("127.0.0.1", 0))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ConfigError):
        opened(stack, Address("127.0.0.1", 0), Address("127.0.0.1", port_of(held)), workers=2)
    assert len(os.listdir("/proc/self/fd")) == before


def test_privileged_port() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 100:
        pytest.skip("every port may be bound here")
    code = (
        "from gridtap.collector.sockets import bind\n"
        "from gridtap.collector.config_values import Address\n"
        "bind(Address('127.0.0.1', 100))"
    )
    before = obey_permissions()
    if before:
        before = ["setpriv", "--bounding-set=-net_bind_service"]
    result = subprocess.run(
        [*before, sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "127.0.0.1:100: not permitted: ports below 1024 need CAP_NET_BIND" in result.stderr


ASK_FOR_MORE = """
from gridtap.collector.config import Listen
from gridtap.collector.config_values import Address, Positive
from gridtap.collector.sockets import open_sockets
here = Address("127.0.0.1", 0)
listen = Listen((here, here), Positive(2), receive_buffer={asked})
for each in open_sockets(listen, [], print):
    each.close()
"""


def test_receive_buffer(stack: ExitStack) -> None:
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    (one,), warnings = opened(stack, Address("127.0.0.1", 0), buffer=most)
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * most
    assert warnings == []
    asked = most + 1
    code = ASK_FOR_MORE.format(asked=asked)
    command = [*without_net_admin(), sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [
        f"listen.receive_buffer: asked the kernel for {asked:,} bytes, it grants {most:,}; bursts "
        f"may be lost. It helps to run: sysctl -w net.core.rmem_max={asked}"
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes CAP_NET_ADMIN to pass the limit")
def test_with_the_right_to_it_the_receive_buffer_passes_the_limit(stack: ExitStack) -> None:
    asked = 2 * int(Path("/proc/sys/net/core/rmem_max").read_text())
    (one,), warnings = opened(stack, Address("127.0.0.1", 0), buffer=asked)
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * asked
    assert warnings == []


# What a service manager passes. Descriptors begin at 3, so that it takes a process of its own.

CHILD = """
import os, sys
from gridtap.collector.activation import passed_sockets
from gridtap.collector.config import read_config
from gridtap.collector.sockets import open_sockets
from gridtap.errors import ConfigError
import tomllib
config = read_config(tomllib.loads(sys.argv[1]), "test.toml")
try:
    passed = passed_sockets(os.environ)
    opened = open_sockets(config.listen, passed, lambda text: print("warning:", text))
except ConfigError as error:
    sys.exit(str(error))
assert not any(name.startswith("LISTEN_") for name in os.environ)
for each in opened:
    print(each.fileno(), each.getsockname()[1], os.get_inheritable(each.fileno()))
"""


def pass_on(
    sockets: Sequence[socket.socket], addresses: Sequence[str], names: str = "", workers: int = 1
) -> subprocess.CompletedProcess[str]:
    """Runs a child that gets these sockets as systemd passes them"""
    numbers = [each.fileno() for each in sockets]

    def take_places() -> None:
        # Above all places first, so that none is overwritten.
        spare = [os.dup2(number, 100 + place) for place, number in enumerate(numbers)]
        for place, number in enumerate(spare):
            os.dup2(number, 3 + place)

    toml = (
        f"listen = {{addresses = {list(addresses)}, workers = {workers}, receive_buffer = 4096}}\n"
        "sinks.x = {type = 'jsonl', path = '-'}"
    )
    # The environment is that of the child, whose process id is known there only.
    code = f"import os; os.environ['LISTEN_PID'] = str(os.getpid())\n{CHILD}"
    return subprocess.run(
        [sys.executable, "-c", code, toml],
        env={**os.environ, "LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names},
        preexec_fn=take_places,
        pass_fds=range(3, 3 + len(sockets)),
        capture_output=True,
        text=True,
        check=False,
    )


def bound(
    stack: ExitStack, family: int = socket.AF_INET, kind: int = socket.SOCK_DGRAM
) -> socket.socket:
    made = stack.enter_context(socket.socket(family, kind))
    made.bind(("127.0.0.1" if family == socket.AF_INET else "::", 0))
    return made


def test_passed_sockets_are_taken(stack: ExitStack) -> None:
    one, two = bound(stack), bound(stack)
    ports = port_of(one), port_of(two)
    # In the order of the configuration, whatever that of the unit is; what is not passed is bound.
    result = pass_on([two, one], [f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}", "127.0.0.1:0"])
    assert result.stderr == ""
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[:2] for line in lines[:2]] == [["4", str(ports[0])], ["3", str(ports[1])]]
    assert len(lines) == 3
    assert {line[2] for line in lines} == {"False"}


@needs_ipv6
def test_a_passed_socket_for_both_families(stack: ExitStack) -> None:
    one = bound(stack, socket.AF_INET6)
    result = pass_on([one], [f"[::]:{port_of(one)}"])
    assert result.stdout.split() == ["3", str(port_of(one)), "False"]


def test_passed_sockets_of_workers(stack: ExitStack) -> None:
    held, _ = opened(stack, Address("127.0.0.1", 0), workers=2)
    address = f"127.0.0.1:{port_of(held[0])}"
    result = pass_on(held, [address], workers=2)
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["3", "4"]
    result = pass_on(held[:1], [address], workers=2)
    assert result.stderr.startswith(f"{address}: 1 passed socket(s) for 2 worker(s): write Listen")


def test_a_passed_socket_of_another_address(stack: ExitStack) -> None:
    one = bound(stack)
    result = pass_on([one], ["127.0.0.1:0"], "monitoring")
    assert result.stderr == (
        f"the passed socket monitoring at 127.0.0.1:{port_of(one)} is none of listen.addresses "
        "(127.0.0.1:0)\n"
    )


def test_a_passed_socket_that_is_not_for_udp(stack: ExitStack) -> None:
    result = pass_on([bound(stack, kind=socket.SOCK_STREAM)], ["127.0.0.1:0"], "http")
    assert result.stderr == "the passed socket http is not for UDP: write ListenDatagram=\n"


def test_sockets_meant_for_another_process_are_let_be() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b", "HOME": "/"}
    assert passed_sockets(environment) == []
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize("abstract", [False, True])
def test_what_a_service_manager_is_told(stack: ExitStack, tmp_path: Path, abstract: bool) -> None:
    name = f"\0gridtap-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    manager.bind(name)
    manager.settimeout(5)
    environment = {
        "NOTIFY_SOCKET": name.replace("\0", "@"),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
    }
    notifier = Notifier(environment)
    assert environment == {}
    assert notifier.watchdog_s == 15
    notifier.ready("fine")
    notifier.reloading()
    notifier.alive()
    notifier.stopping()
    assert manager.recv(500) == b"READY=1\nSTATUS=fine"
    assert manager.recv(500).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert manager.recv(500) == b"WATCHDOG=1"
    assert manager.recv(500).startswith(b"STOPPING=1\n")


def test_a_service_manager_that_reads_nothing_holds_nothing_up(
    stack: ExitStack, tmp_path: Path
) -> None:
    manager = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    manager.bind(str(tmp_path / "notify"))
    room = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})

    def tell() -> None:
        for _ in range(room + 3):
            notifier.status("fine")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    teller.join(60)
    assert not teller.is_alive()


def test_without_a_service_manager() -> None:
    notifier = Notifier({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"})
    assert notifier.watchdog_s is None
    notifier.ready("fine")
    Notifier({"NOTIFY_SOCKET": "/nonexistent/socket"}).ready("nobody listens")
