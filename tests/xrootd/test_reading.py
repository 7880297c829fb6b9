"""Sources of every kind, read in every way, give the same packets and records."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from gridtap import _core
from gridtap.xrootd import (
    FileAccess,
    Packet,
    Summary,
    TextGstream,
    read_accesses,
    read_packets,
    read_records,
)
from gridtap.xrootd.records import RECORDS

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"
BASIC = DATA / "fstat-full.pcap"


def udp_payloads(pcap: Path) -> list[tuple[str, bytes]]:
    """Sender and payload of each datagram of a little-endian Ethernet/IPv4 capture"""
    data = pcap.read_bytes()
    at, found = 24, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        ip = data[at + 16 + 14 : at + 16 + length]
        udp = ip[4 * (ip[0] & 15) :]
        sender = ".".join(str(byte) for byte in ip[12:16])
        found.append((f"{sender}:{int.from_bytes(udp[:2], 'big')}", udp[8:]))
        at += 16 + length
    return found


def envelopes(pcap: Path) -> bytes:
    """The capture as a message bus carries it"""
    return b"".join(
        json.dumps({"remote": sender, "data": base64.b64encode(payload).decode()}).encode() + b"\n"
        for sender, payload in udp_payloads(pcap)
    )


def as_pcapng(pcap: Path) -> bytes:
    """The capture in the newer format, with times in microseconds"""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + length + body + length

    data = pcap.read_bytes()
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    blocks = [section, block(1, struct.pack("<HHI", 1, 0, 0))]
    at = 24
    while at < len(data):
        seconds, micros, length, original = struct.unpack_from("<IIII", data, at)
        high, low = divmod(seconds * 1_000_000 + micros, 1 << 32)
        head = struct.pack("<IIIII", 0, high, low, length, original)
        blocks.append(block(6, head + data[at + 16 : at + 16 + length]))
        at += 16 + length
    return b"".join(blocks)


FORMS: dict[str, Callable[[], bytes]] = {
    "pcap": BASIC.read_bytes,
    "pcapng": lambda: as_pcapng(BASIC),
    "raw": BASIC.with_suffix(".bin").read_bytes,
    "envelopes": lambda: envelopes(BASIC),
}


def without_place(access: FileAccess) -> tuple[int, FileAccess]:
    """What does not depend on the kind of source, behind what tells accesses apart"""
    return access.file_id or 0, access._replace(server_address=None, server_udp_port=None)


@pytest.mark.parametrize("form", FORMS)
def test_accesses_are_the_same_from_every_kind_of_source(form: str) -> None:
    accesses = list(read_accesses(io.BytesIO(FORMS[form]())))
    truth = json.loads(BASIC.with_suffix("").with_suffix(".truth.json").read_text())
    assert len(accesses) == truth["totals"]["opens_ok"]
    assert {type(access) for access in accesses} == {FileAccess}
    # Sources without a clock of their own let records go in another order.
    expected = sorted(without_place(access) for access in read_accesses(BASIC))
    assert sorted(without_place(access) for access in accesses) == expected
    addresses = {access.server_address for access in accesses}
    assert addresses == ({None} if form == "raw" else {"127.0.0.11"})


@pytest.mark.parametrize("form", FORMS)
def test_packets_are_the_same_from_every_kind_of_source(form: str) -> None:
    payloads = udp_payloads(BASIC)
    packets = read_packets(io.BytesIO(FORMS[form]()))
    for number, (sender, payload) in enumerate(payloads, 1):
        packet = next(packets)
        assert packet == Packet.from_buffer(payload)
        assert packets.number == number
        host, port = sender.split(":")
        assert packets.peer == (None if form == "raw" else (host, int(port)))
        has_clock = form in ("pcap", "pcapng")
        assert (packets.received_at is not None) is has_clock
    assert next(packets, None) is None
    assert next(packets, None) is None
    assert packets.skipped == 0


def test_packets_of_all_kinds_come_out() -> None:
    kinds = {type(packet) for packet in read_packets(DATA / "report-same-port.pcap")}
    assert kinds == {Packet, Summary}
    kinds = {type(packet) for packet in read_packets(DATA / "gstream-pfc-json.pcap")}
    assert kinds == {Packet, TextGstream}


def test_every_way_to_name_a_source(tmp_path: Path) -> None:
    expected = list(read_accesses(BASIC))
    assert list(read_accesses(str(BASIC))) == expected
    with BASIC.open("rb") as file:
        assert list(read_accesses(file)) == expected
    with BASIC.open("rb", buffering=0) as raw:
        assert list(read_accesses(raw)) == expected
    odd = tmp_path / os.fsdecode(b"odd \xff name.pcap")
    shutil.copy(BASIC, odd)
    assert list(read_accesses(odd)) == expected


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = BASIC.read_bytes()

    def feed() -> None:
        with pipe.open("wb", buffering=0) as file:
            for at in range(0, len(data), 999):
                file.write(data[at : at + 999])

    writer = threading.Thread(target=feed)
    writer.start()
    assert list(read_accesses(pipe)) == list(read_accesses(BASIC))
    writer.join()


@pytest.mark.parametrize("what", RECORDS)
def test_arrow_has_what_iteration_has(what: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    for name in ("fstat-full.pcap", "redir-cluster.pcap", "trace-io.pcap", "v610-mixed.pcap"):
        table = pyarrow.table(read_records(DATA / name, what))
        rows = [record._asdict() for record in read_records(DATA / name, what)]
        assert table.to_pylist() == rows
        assert table.column_names == list(RECORDS[what]._fields)


def test_arrow_streams_a_large_source_in_batches() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    data = DATA.joinpath("trace-io.bin").read_bytes()
    records = read_records(io.BytesIO(data * 200), "packets")
    batches = list(pyarrow.RecordBatchReader.from_stream(records))
    assert len(batches) > 1
    rows = sum(batch.num_rows for batch in batches)
    assert rows == sum(1 for _ in read_records(io.BytesIO(data * 200), "packets"))
    assert rows == records.counts()["datagrams"]


def test_polars_reads_records() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(read_accesses(BASIC))
    expected = [access.read_bytes for access in read_accesses(BASIC)]
    assert frame["read_bytes"].to_list() == expected


def test_pandas_reads_records() -> None:
    pandas = pytest.importorskip("pandas")
    if not hasattr(pandas.DataFrame, "from_arrow"):
        pytest.skip("this pandas has no DataFrame.from_arrow")
    frame = pandas.DataFrame.from_arrow(read_accesses(BASIC))
    assert list(frame["path"]) == [access.path for access in read_accesses(BASIC)]


def test_duckdb_reads_records() -> None:
    duckdb = pytest.importorskip("duckdb")
    query = duckdb.from_arrow(read_accesses(BASIC)).aggregate("count(*), sum(write_bytes)")
    rows = list(read_accesses(BASIC))
    assert query.fetchall() == [(len(rows), sum(row.write_bytes or 0 for row in rows))]


def test_counts_say_what_was_read() -> None:
    accesses = read_accesses(BASIC)
    assert accesses.counts()["datagrams"] == 0
    rows = list(accesses)
    counts = accesses.counts()
    payloads = udp_payloads(BASIC)
    assert counts["datagrams"] == len(payloads)
    assert counts["bytes"] == sum(len(payload) for _, payload in payloads)
    assert counts["packets"] == {"=": 3, "f": 9, "u": 9}
    assert counts["faults"] == {}
    assert counts["accesses"] == {"closed": len(rows)}
    assert set(counts) == {
        "datagrams",
        "bytes",
        "packets",
        "faults",
        "accesses",
        "losses",
        "duplicate_packets",
        "stale_packets",
        "failed_operations",
    }


def test_faults_are_counted_and_skipped() -> None:
    data = b"garbage at the start" + BASIC.with_suffix(".bin").read_bytes()
    accesses = read_accesses(io.BytesIO(data))
    assert len(list(accesses)) == 36
    assert accesses.counts()["faults"] == {"lost_framing": 1}
    packets = read_packets(io.BytesIO(data))
    assert len(list(packets)) == 21
    assert packets.skipped == 1


def test_ports_pick_packets_of_a_capture() -> None:
    capture = DATA / "two-dests.pcap"
    first, second = (read_records(capture, "packets", ports=[port]) for port in (9930, 9931))
    both = read_records(capture, "packets", ports=[9930, 9931])
    counted = [len(list(records)) for records in (first, second, both)]
    assert counted == [50, 46, 96]
    assert list(read_packets(capture, ports=[1])) == []
    assert len(list(read_packets(capture, ports=(9931,)))) == 46
    with pytest.raises(OverflowError):
        read_accesses(capture, ports=[65_536])


READERS = [read_accesses, read_packets, lambda source: read_records(source, "packets")]


@pytest.mark.parametrize("read", READERS)
def test_what_cannot_be_opened_names_the_file(read: Callable[[Any], Any], tmp_path: Path) -> None:
    missing = tmp_path / "missing.pcap"
    for name in (missing, str(missing)):
        with pytest.raises(FileNotFoundError) as caught:
            read(name)
        assert os.fspath(caught.value.filename) == str(missing)
    with pytest.raises(IsADirectoryError) as wrong:
        read(tmp_path)
    assert os.fspath(wrong.value.filename) == str(tmp_path)
    with pytest.raises(ValueError, match="null"):
        read("a\0b")


def test_read_errors_name_the_file() -> None:
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("no file here that opens and cannot be read")
    with pytest.raises(OSError, match="Input/output error") as caught:
        list(read_accesses(memory))
    assert os.fspath(caught.value.filename) == str(memory)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("source", [None, 3, b"\0\0", object(), [b""]])
def test_what_is_no_source_is_refused(read: Callable[[Any], Any], source: object) -> None:
    with pytest.raises(TypeError, match="a source is a path or a binary file object, not"):
        read(source)


@pytest.mark.parametrize("read", READERS)
def test_text_files_are_refused(read: Callable[[Any], Any], tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"read\(\) returned str, not bytes"):
        read(io.StringIO("text"))
    path = tmp_path / "text"
    path.write_text("x")
    with path.open() as file, pytest.raises(TypeError, match=r"read\(\) returned str"):
        read(file)


@pytest.mark.parametrize("read", READERS)
def test_closed_files_are_refused(read: Callable[[Any], Any]) -> None:
    file: BinaryIO = BASIC.open("rb")
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        read(file)


class Breaking(io.RawIOBase):
    """Gives so many bytes, then fails"""

    def __init__(self, data: bytes, error: BaseException) -> None:
        self.data = io.BytesIO(data)
        self.error = error

    def read(self, size: int = -1, /) -> bytes:
        piece = self.data.read(min(size, 500))
        if not piece:
            raise self.error
        return piece


class OddError(Exception):
    """None of the exceptions that files raise"""


@pytest.mark.parametrize("error", [OSError(5, "disk"), OddError("odd"), KeyboardInterrupt()])
@pytest.mark.parametrize("read", READERS)
def test_what_a_file_object_raises_comes_through(
    read: Callable[[Any], Any], error: BaseException
) -> None:
    data = BASIC.read_bytes()[:5000]
    with pytest.raises(type(error)) as caught:
        list(read(Breaking(data, error)))
    assert caught.value is error


def test_rows_read_before_an_interruption_are_not_lost() -> None:
    capture = BASIC.read_bytes()
    source = Breaking(capture[:5000], OddError("once"))
    packets = read_records(source, "packets")
    with pytest.raises(OddError):
        list(packets)
    source.data = io.BytesIO(capture[5000:])
    source.error = EOFError("at the end")
    with pytest.raises(EOFError):
        list(packets)
    source.read = lambda size: b""  # type: ignore[method-assign,misc,assignment]
    assert list(packets) == list(read_records(BASIC, "packets"))


def test_errors_come_through_arrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    records = read_accesses(Breaking(BASIC.read_bytes()[:5000], OddError("odd")))
    with pytest.raises((OSError, pyarrow.ArrowException), match="OddError: odd"):
        pyarrow.table(records)


class Misbehaving:
    """A ``read`` that returns something it must not"""

    def __init__(self, result: object) -> None:
        self.result = result

    def read(self, size: int, /) -> Any:
        return b"\0" * (size + 1) if self.result == "too much" else self.result


@pytest.mark.parametrize(
    ("result", "error"),
    [("too much", ValueError), (None, TypeError), (bytearray(4), TypeError), (7, TypeError)],
)
def test_odd_file_objects_are_refused(result: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"read\(\) returned"):
        read_accesses(Misbehaving(result))


class CallingBack(io.BytesIO):
    """A file object that asks its own reader"""

    def __init__(self, data: bytes, ask: Callable[[Any], object]) -> None:
        super().__init__(data)
        self.ask = ask
        self.reader: Any = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.reader is not None:
            self.ask(self.reader)
        return super().read(100)


@pytest.mark.parametrize(
    "ask", [lambda r: r.counts(), lambda r: r._reader.rows(), lambda r: next(iter(r))]
)
def test_a_source_that_uses_its_reader_gets_an_exception(ask: Callable[[Any], object]) -> None:
    source = CallingBack(BASIC.read_bytes(), ask)
    source.reader = read_accesses(source)
    with pytest.raises(RuntimeError, match="must not use it"):
        list(source.reader)


def test_packets_of_a_source_that_uses_its_reader() -> None:
    source = CallingBack(BASIC.read_bytes(), lambda reader: reader.number)
    source.reader = read_packets(source)
    with pytest.raises(RuntimeError, match="must not use it"):
        list(source.reader)


class Slow(io.BytesIO):
    """Lets other threads run at each read"""

    def read(self, size: int | None = -1, /) -> bytes:
        threading.Event().wait(0.0002)
        return super().read(200)


@pytest.mark.parametrize("make", [Path, lambda path: Slow(path.read_bytes())])
def test_threads_share_a_reader(make: Callable[[Path], Any]) -> None:
    """Each record goes to one thread; looking at counts meanwhile blocks nobody"""
    records = read_records(make(DATA / "trace-io.pcap"), "io")
    packets = read_packets(make(DATA / "trace-io.pcap"))
    seen: list[object] = []
    done = threading.Event()

    def iterate(source: Any) -> None:
        seen.extend(source)

    def watch() -> None:
        while not done.is_set():
            records.counts()
            assert packets.number >= 0

    targets = [records, records, records, packets, packets, packets]
    threads = [threading.Thread(target=iterate, args=(t,), daemon=True) for t in targets]
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    done.set()
    watcher.join(10)
    expected: list[object] = [*read_records(DATA / "trace-io.pcap", "io")]
    expected += read_packets(DATA / "trace-io.pcap")
    assert sorted(map(repr, seen)) == sorted(map(repr, expected))


def test_other_threads_run_while_a_pipe_is_waited_for() -> None:
    for read in (read_accesses, read_packets):
        reading, writing = os.pipe()
        with open(writing, "wb", buffering=0) as sink, open(reading, "rb", buffering=0) as source:
            path = f"/dev/fd/{source.fileno()}"
            got: list[object] = []
            thread = threading.Thread(
                target=lambda r=read, p=path, g=got: g.extend(r(p)), daemon=True
            )
            thread.start()
            # If the reader held the interpreter lock this would never be reached.
            sink.write(BASIC.with_suffix(".bin").read_bytes())
            sink.close()
            thread.join(20)
            assert not thread.is_alive()
            assert got


def test_an_unknown_kind_of_record_is_refused() -> None:
    with pytest.raises(KeyError):
        read_records(BASIC, "nothing")
    with pytest.raises(ValueError, match="unknown kind of record"):
        _core.RecordReader(BASIC, "nothing")


def test_an_empty_source_is_empty() -> None:
    for what in RECORDS:
        assert list(read_records(io.BytesIO(), what)) == []
    assert list(read_packets(os.devnull)) == []
