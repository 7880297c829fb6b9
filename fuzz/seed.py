#!/usr/bin/env python3
"""Fills fuzz/corpus with real packets, captures and logs: fuzzing starts from what servers send.

Run it from anywhere: `python3 fuzz/seed.py`. It needs no packages.
"""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ROOT / "tests" / "data" / "xrootd"
LOGS = ROOT / "tests" / "data" / "gridftp"
SNAPSHOT = ROOT / "tests" / "rust" / "access" / "snapshot-1.hex"
CORPUS = ROOT / "fuzz" / "corpus"
# The fuzzer copies and mutates whole inputs: large ones cost speed and teach nothing new.
LARGEST_PACKET = 4096
LARGEST_FILE = 16 * 1024
ETHERNET = 14
UDP = 8


def payloads(path: Path) -> Iterator[bytes]:
    """The UDP payloads of a little-endian pcap file of Ethernet frames, as in tests/data"""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        packet = data[at + 16 + ETHERNET : at + 16 + length]
        header = 40 if packet[0] >> 4 == 6 else 4 * (packet[0] & 15)
        yield packet[header + UDP :]
        at += 16 + length


def keep(target: str, content: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def main() -> None:
    for path in sorted(CAPTURES.iterdir()):
        if path.suffix == ".pcap":
            found = [payload for payload in payloads(path) if len(payload) <= LARGEST_PACKET]
            for payload in found:
                keep("packet", payload)
            # One second and one sender for all; the fuzzer will think of others.
            frames = [struct.pack("<HBB", len(payload), 0, 1) + payload for payload in found]
            keep("access", b"".join(frames)[:LARGEST_FILE])
        if path.suffix in {".pcap", ".pcapng", ".bin"}:
            keep("capture", path.read_bytes()[:LARGEST_FILE])
    snapshot = bytes.fromhex(SNAPSHOT.read_text())
    # Behind magic, version, the frame's length and its checksum.
    payload = snapshot[16 + 4 + 4 + 8 :]
    keep("snapshot", struct.pack("<H", len(payload)) + payload)
    # No capture is a file of bus envelopes.
    keep("capture", b'{"remote":"[::1]:1094","version":"1","data":"egAACGVT8QA="}\n{"data":""}\n')
    for path in sorted(LOGS.iterdir()):
        if path.suffix in {".log", ".txt"}:
            data = path.read_bytes()
            # The first byte is the size of the pieces.
            keep("gridftp", b"\x40" + data[:LARGEST_FILE])
            for line in data.splitlines(keepends=True):
                keep("gridftp", b"\x07" + line)


if __name__ == "__main__":
    main()
