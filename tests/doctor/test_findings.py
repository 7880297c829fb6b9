"""Each finding: where it is, and where it is not."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gridtap.doctor import Finding, Observation, examine, observe_capture, observe_live
from gridtap.doctor.facts import Arrival
from gridtap.doctor.findings import CHECKS, GLOBAL_CHECKS
from gridtap.doctor.loss import Sequence
from gridtap.replay import ReplaySettings, replay
from gridtap.xrootd import FileCLS, FileOPN, FileTOD, FileXFR, Fstat, Header, Map, Packet, SrvInfo
from tests.cli.command import GRIDTAP
from tests.doctor.ports import free_udp_port, wait_until_bound
from tests.doctor.watching import DATA, Message, found, packets_of, seen, write_bus_file
from tests.e2e.receiver import Datagram, write_pcap

#: Finding, a capture that has it, a capture that has not
BY_CAPTURE = [
    ("fragmenting_datagrams", "two-servers.pcap", "fstat-full.pcap"),
    ("fragmenting_datagrams", "gstream-pfc-json.pcap", "gstream-ccm-bin.pcap"),
    ("fragmenting_datagrams", "ipv6-dest.pcap", "fstat-smallbuf.pcap"),
    ("no_fstat", "user-only.pcap", "fstat-full.pcap"),
    ("no_fstat", "gstream-pfc-json.pcap", "snaplen-256.pcap"),
    ("tstream_without_fstat", "trace-files.pcap", "trace-big.pcap"),
    ("no_closes", "fstat-basic.pcap", "fstat-full.pcap"),
    ("no_closes", "fstat-lfn.bin", "fstat-full.bin"),
    ("no_ops", "redir-static.pcap", "fstat-full.pcap"),
    ("no_ssq", "auth-gsi.pcap", "fstat-full.pcap"),
    ("no_lfn", "fstat-nolfn-files.pcap", "fstat-lfn.pcap"),
    ("no_auth", "fstat-full.pcap", "auth-gsi.pcap"),
    ("gstream_unframed", "gstream-pfc-nohdr.pcap", "gstream-pfc-json.pcap"),
    ("summaries_only", "report-all.pcap", "report-same-port.pcap"),
    ("truncated_packets", "snaplen-256.pcap", "two-servers.pcap"),
]

#: These need more than a capture: the tests below.
ELSEWHERE = {
    "packet_loss",
    "clock_skew",
    "duplicate_destination",
    "kernel_drops",
    "nothing_seen",
    "missing_fragments",
    "no_transfer_reports",
    "no_ident",
    "no_users",
    "no_site",
    "unknown_records",
    "unknown_keys",
    "damaged_packets",
    "undecoded_packets",
}

ALL = {*(check.id for check in CHECKS), *(check.id for check in GLOBAL_CHECKS)}


def finding(observation: Observation, identifier: str) -> Finding:
    return next(each for each in examine(observation) if each.id == identifier)


def test_every_check_has_a_test_and_an_entry_in_the_documents() -> None:
    assert {case[0] for case in BY_CAPTURE} | ELSEWHERE == ALL
    text = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text()
    assert [each for each in sorted(ALL) if f"`{each}`" not in text] == []


@pytest.mark.parametrize(("identifier", "has", "has_not"), BY_CAPTURE)
def test_captures(identifier: str, has: str, has_not: str) -> None:
    assert identifier in found(seen(has))
    assert identifier not in found(seen(has_not))


def test_servers_are_told_apart() -> None:
    by_server = {
        (each.server.host, each.id) for each in examine(seen("redir-static.pcap")) if each.server
    }
    assert ("127.0.0.12", "fragmenting_datagrams") in by_server
    assert ("127.0.0.11", "fragmenting_datagrams") not in by_server


def test_a_server_that_was_started_anew_is_one_server() -> None:
    observation = seen("restart.pcap")
    assert len(observation.servers) == 3
    ids = [each.id for each in examine(observation)]
    assert len(ids) == len(set(ids))


def test_residency_daemons_are_not_the_server_beside_them() -> None:
    observation = seen("frm.pcap")
    assert found(observation) == {"no_ssq", "no_auth"}
    assert sorted(each.is_residency for each in observation.servers.values()) == [0, 1, 1]


def test_ignored_findings_are_left_out() -> None:
    observation = seen("frm.pcap")
    assert examine(observation, ["no_ssq", "no_auth"]) == []


@pytest.mark.parametrize("name", [path.name for path in sorted(DATA.glob("*.pcap"))])
def test_captures_of_whole_packets_have_no_loss_skew_or_damage(name: str) -> None:
    """They were recorded on one host, with nothing lost"""
    wrong = {"packet_loss", "clock_skew", "duplicate_destination", "damaged_packets", "no_ident"}
    wrong |= {"unknown_keys", "unknown_records", "undecoded_packets"}
    assert found(seen(name)) & wrong == set()


def test_lost_packets_are_counted_by_class() -> None:
    numbers: dict[str, int] = {}

    def lose(packet: Message, arrival: Arrival) -> tuple[Message, Arrival] | None:
        assert isinstance(packet, Packet)
        name = "f" if packet.header.code == b"f" else "main"
        numbers[name] = number = numbers.get(name, 0) + 1
        is_lost = 50 <= number < 53 if name == "f" else number % 100 == 7
        return None if is_lost else (packet, arrival)

    loss = finding(seen("fstat-smallbuf.pcap", lose), "packet_loss")
    lost = sum(number % 100 == 7 for number in range(1, numbers["main"] + 1))
    assert (loss.evidence["f_lost"], loss.evidence["main_lost"]) == (3, lost)
    assert loss.evidence["f_received"] == numbers["f"] - 3


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [
        ([250, 251, 252, 253, 254, 255, 0, 1, 2], 0),
        ([254, 1, 255, 0, 2], 0),
        ([7, 7, 8, 8, 9], 0),
        ([10, 14, 12, 15], 2),
        ([10, 14, 12, 12, 15], 2),
        # A server that was heard of before all of its packets.
        ([5, 4, 6], 0),
        ([0, 100, 200, 44], 99 * 3),
    ],
)
def test_late_and_repeated_packets_are_not_lost(numbers: list[int], lost: int) -> None:
    sequence = Sequence()
    for number in numbers:
        sequence.see(number)
    assert (sequence.received, sequence.lost) == (len(numbers), lost)


@pytest.mark.parametrize(("shift", "side"), [(-30.0, "ahead of"), (3600.0, "behind")])
def test_clocks(shift: float, side: str) -> None:
    def later(packet: Message, arrival: Arrival) -> tuple[Message, Arrival]:
        assert arrival.received_at is not None
        return packet, arrival._replace(received_at=arrival.received_at + shift)

    skew = finding(seen("fstat-full.pcap", later), "clock_skew")
    assert skew.evidence["ahead_s"] == pytest.approx(-shift, abs=1)
    assert f"{side} the receiver's" in skew.text


def test_one_port_named_twice() -> None:
    def merged(packet: Message, arrival: Arrival) -> tuple[Message, Arrival]:
        return packet, arrival._replace(destination_port=9930)

    twice = finding(seen("two-dests.pcap", merged), "duplicate_destination")
    assert twice.evidence["sockets"] == 2
    assert twice.evidence["repeated_maps"] == 12 // 2 + 68 // 2
    assert "duplicate_destination" not in found(seen("two-dests.pcap"))


def test_nobody_sends() -> None:
    observation = observe_live("127.0.0.1", free_udp_port(), 0.3)
    assert found(observation) == {"nothing_seen"}
    assert observation.kernel_drops == 0


def test_the_kernel_drops_what_is_not_read() -> None:
    port = free_udp_port()
    command = [*GRIDTAP, "doctor", "--listen", f"127.0.0.1:{port}", "--format", "json"]
    doctor = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        wait_until_bound(port)
        # More than any buffer holds, while it cannot read.
        doctor.send_signal(signal.SIGSTOP)
        settings = ReplaySettings(repeat=0, count=300_000)
        replay(DATA / "fstat-smallbuf.pcap", ("127.0.0.1", port), settings)
        doctor.send_signal(signal.SIGCONT)
        doctor.send_signal(signal.SIGINT)
        report = json.loads(doctor.communicate(timeout=60)[0])
    finally:
        doctor.kill()
    (drops,) = (each for each in report["findings"] if each["id"] == "kernel_drops")
    assert 0 < drops["evidence"]["kernel_drops"] == report["kernel_drops"] <= 300_000
    assert drops["evidence"]["receive_buffer_bytes"] > 0


def test_live_packets_are_those_of_the_capture() -> None:
    port = free_udp_port()
    settings = ReplaySettings(local="spread", rate=200)
    sender = threading.Thread(
        target=replay, args=(DATA / "two-servers.pcap", ("127.0.0.1", port), settings)
    )
    threading.Timer(0.3, sender.start).start()
    observation = observe_live("127.0.0.1", port, 2.5)
    sender.join()
    assert observation.datagrams == 65
    # The capture is old.
    assert found(observation) == found(seen("two-servers.pcap")) | {"clock_skew"}
    assert {each.host for each in observation.servers.values()} == {"127.0.0.11", "127.0.0.12"}


def test_fragments_that_never_came(tmp_path: Path) -> None:
    datagram = Datagram(1_700_000_000.0, "192.0.2.1", 5000, bytes(64))
    whole = write_pcap(tmp_path / "whole.pcap", [datagram], 9930)
    data = bytearray(whole.read_bytes())
    # More fragments follow, says the IP header behind the headers of the file and the frame.
    struct.pack_into(">H", data, 24 + 16 + 6, 0x2000)
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(data)
    assert "missing_fragments" in found(observe_capture(cut))
    assert "missing_fragments" not in found(observe_capture(whole))


def fstat(start: int, end: int, *records: FileOPN | FileCLS | FileXFR) -> Packet:
    tod = FileTOD(1, 0, len(records), start, end, 1)
    return Packet(Header(b"f", 0, 100, 1_600_000_000), Fstat(tod, list(records)))


def test_files_that_stay_open_without_a_report() -> None:
    opened = fstat(1_700_000_000, 1_700_000_001, FileOPN(1, 40, 7, 1000, 1, b"/a"))
    busy = fstat(1_700_000_300, 1_700_000_301, FileXFR(0, 7, 1, 0, 0))
    closed = fstat(1_700_000_900, 1_700_000_900, FileCLS(0, 32, 7, 1000, 0, 0, None, None))
    report = finding(packets_of([opened, closed]), "no_transfer_reports")
    assert report.evidence["longest_open_s"] == 900
    assert "no_transfer_reports" not in found(packets_of([opened, busy, closed]))


def without(*codes: bytes) -> Callable[[Message, Arrival], tuple[Message, Arrival] | None]:
    def change(packet: Message, arrival: Arrival) -> tuple[Message, Arrival] | None:
        is_out = isinstance(packet, Packet) and packet.header.code in codes
        return None if is_out else (packet, arrival)

    return change


def test_servers_that_do_not_say_who_they_are() -> None:
    # No times in a dump: whoever is never named in it is not named.
    assert "no_ident" in found(seen("fstat-full.bin", without(b"=")))
    assert "no_ident" not in found(seen("fstat-full.bin"))
    # One hour, as is the default.
    packet = next(iter(seen_packets("fstat-full.pcap", b"=")))
    silent = packets_of([packet])
    server = next(iter(silent.servers.values()))
    server.longest_silence_s = 3600.0
    assert finding(silent, "no_ident").evidence["silence_s"] == 3600.0


def seen_packets(name: str, code: bytes) -> list[Packet]:
    packets: list[Packet] = []

    def keep(packet: Message, arrival: Arrival) -> None:
        if isinstance(packet, Packet) and packet.header.code == code:
            packets.append(packet)

    seen(name, keep)
    return packets


def test_accesses_of_nobody() -> None:
    nobody = finding(seen("fstat-full.pcap", without(b"u")), "no_users")
    assert nobody.evidence["opens"] == 36
    assert "no_users" not in found(seen("fstat-full.pcap"))
    # A redirector without logins is one as well.
    assert "no_users" in found(seen("redir-cluster.pcap", without(b"u", b"f", b"t", b"d")))


def test_servers_without_a_site() -> None:
    packet = seen_packets("fstat-full.pcap", b"=")[0]
    record = packet.record
    assert isinstance(record, Map)
    info = record.payload
    assert isinstance(info, SrvInfo)
    assert "no_site" not in found(packets_of([packet]))
    nameless = SrvInfo(info.pgm, info.ver, info.inst, info.port, None)
    bare = Packet(packet.header, Map(record.dictid, record.userid, nameless))
    assert "no_site" in found(packets_of([bare]))


def datagrams(name: str) -> list[bytes]:
    data = (DATA / name).read_bytes()
    packets = []
    while data:
        length = int.from_bytes(data[2:4], "big")
        packets.append(data[:length])
        data = data[length:]
    return packets


def test_packets_that_nobody_has_defined(tmp_path: Path) -> None:
    packets = datagrams("fstat-full.bin")
    new = [b"Z" + packets[0][1:], *packets]
    unknown = observe_capture(write_bus_file(tmp_path / "new.jsonl", new))
    assert finding(unknown, "unknown_records").evidence == {"unknown_code": 1}
    whole = observe_capture(write_bus_file(tmp_path / "whole.jsonl", packets))
    assert "unknown_records" not in found(whole)


def test_keys_that_nobody_has_defined(tmp_path: Path) -> None:
    packets = datagrams("fstat-full.bin")
    place = next(n for n, packet in enumerate(packets) if packet[:1] == b"=")
    more = packets[place] + b"&color=green"
    packets[place] = more[:2] + len(more).to_bytes(2, "big") + more[4:]
    newer = observe_capture(write_bus_file(tmp_path / "newer.jsonl", packets))
    assert finding(newer, "unknown_keys").evidence == {"=:color": 1}


def test_packets_that_contradict_themselves(tmp_path: Path) -> None:
    packets = datagrams("fstat-full.bin")
    place = next(n for n, packet in enumerate(packets) if packet[:1] == b"f")
    wrong = bytearray(packets[place])
    # The number of records.
    wrong[14:16] = b"\xff\xff"
    packets[place] = bytes(wrong)
    damaged = observe_capture(write_bus_file(tmp_path / "wrong.jsonl", packets))
    assert finding(damaged, "damaged_packets").evidence == {"fstat_count_mismatch": 1}


def test_what_is_no_packet(tmp_path: Path) -> None:
    packets = [*datagrams("fstat-full.bin"), b"abc", b"<html>"]
    odd = finding(observe_capture(write_bus_file(tmp_path / "odd", packets)), "undecoded_packets")
    assert odd.evidence == {"short_header": 1, "not_statistics": 1}
    assert "undecoded_packets" not in found(seen("fstat-full.bin"))
