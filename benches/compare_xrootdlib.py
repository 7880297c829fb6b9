"""How much faster than xrootdlib 0.3.0 are packets decoded and read from Python?

    pip install --target .xrootdlib xrootdlib==0.3.0
    maturin develop --release
    python benches/compare_xrootdlib.py [--properties] [capture.bin ...]

Both libraries get the same packets: those of the captures that xrootdlib decodes without raising.
For each packet the benchmark calls ``Packet.from_buffer`` and then reads every attribute of every
object in the result, in straight-line code that is generated once and compiled against each
library's classes. Runs of the two alternate; the best of each counts. Time is the thread's CPU
time: by the clock, a busy machine interrupts the longer runs of the slower side more. The garbage
collector is treated the same on both sides: off by default, as in ``timeit``, on with ``--gc``.

``--properties`` also reads the computed attributes (``readlen``, ``Fstat.start``, the one-letter
names of ``AuthInfo``, ...), which are Python functions in xrootdlib.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import pathlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from gridtap import xrootd as ours  # noqa: E402
from xrootd.reference import load_reference  # noqa: E402

Touch = Callable[[Any], None]

#: Stored attributes, then computed ones, by class
FIELDS: dict[str, tuple[str, str]] = {
    "Header": ("code pseq plen stod", ""),
    "UserId": ("prot user pid sid host", ""),
    "SrvInfo": ("pgm ver inst port site", ""),
    "Path": ("path", ""),
    "AppInfo": ("appinfo", ""),
    "AuthInfo": (
        "protocol name host organisation role group m executable moninfo",
        "p n h o r g x y",
    ),
    "AppId": ("appid", ""),
    "Close": ("rtot wtot dictid", ""),
    "Disc": ("flags buflen dictid", ""),
    "Open": ("filesize dictid", ""),
    "ReadWrite": ("val buflen dictid", "readlen writelen"),
    "ReadU": ("readid count buflen dictid", ""),
    "ReadV": ("readid count buflen dictid", ""),
    "Window": ("sid end start", ""),
    "FileTOD": ("flags records_xfr records_total start end sid", ""),
    "FileDSC": ("flags dictid", ""),
    "FileOPN": ("flags size fileid filesize user lfn", "fsz"),
    "FileCLS": ("flags size fileid read readv write ops ssq", ""),
    "FileXFR": ("flags fileid read readv write", ""),
    "StatOPS": ("read readv write rsmin rsmax rsegs rdmin rdmax rvmin rvmax wrmin wrmax", ""),
    "StatSSQ": ("read readv rsegs write", ""),
    "ServerIdent": ("sid", ""),
    "WindowMark": ("timestamp prev_duration", ""),
    "Redirect": ("type subtype dent port dictid server path", "size local"),
}
#: Classes of the records of each stream, the frequent ones first
RECORDS = {
    "t": "ReadWrite Close Open Window Disc ReadV ReadU AppId",
    "f": "FileOPN FileCLS FileDSC FileXFR",
    "r": "Redirect WindowMark",
}
PAYLOADS = {"=": "SrvInfo", "d": "Path", "i": "AppInfo", "u": "AuthInfo"}


def read(name: str, variable: str, properties: bool) -> list[str]:
    """Statements that read all attributes of a variable"""
    stored, computed = FIELDS[name]
    names = (stored + " " + computed if properties else stored).split()
    lines = [f"{variable}.{attribute}" for attribute in names]
    if name == "FileCLS":
        for part, part_name in (("ops", "StatOPS"), ("ssq", "StatSSQ")):
            lines.append(f"part = {variable}.{part}")
            lines.append("if part is not None:")
            lines += [f"    {line}" for line in read(part_name, "part", properties)]
    return lines


def touch_source(code: str, properties: bool) -> str:
    """A function that reads every attribute of every object in a packet of this code"""
    lines = ["header = packet.header", *read("Header", "header", properties)]
    lines += ["packet.size"] if properties else []
    lines += ["record = packet.record"]
    if code in PAYLOADS:
        lines += ["record.dictid", "userid = record.userid", *read("UserId", "userid", properties)]
        lines += ["payload = record.payload", *read(PAYLOADS[code], "payload", properties)]
    else:
        if code in "rf" and properties:
            lines += ["record.start", "record.end"]
        if code == "r":
            lines += ["server = record.sid", *read("ServerIdent", "server", properties)]
        if code == "f":
            lines += ["tod = record.tod", *read("FileTOD", "tod", properties)]
        lines += ["for entry in record.records:", "    kind = type(entry)"]
        for index, name in enumerate(RECORDS[code].split()):
            lines.append(f"    {'elif' if index else 'if'} kind is {name}:")
            lines += [f"        {line}" for line in read(name, "entry", properties)]
    # Classes are locals: looking them up must not cost more than reading the attributes.
    classes = ["type", *RECORDS.get(code, "").split()]
    arguments = ", ".join(["packet", *(f"{name}={name}" for name in classes)])
    return f"def touch({arguments}):\n" + "".join(f"    {line}\n" for line in lines)


def touch_functions(library: ModuleType, properties: bool) -> dict[str, Touch]:
    """One function for each packet code, bound to the classes of a library"""
    functions = {}
    for code in [*PAYLOADS, *RECORDS]:
        namespace = {name: getattr(library, name) for name in FIELDS if hasattr(library, name)}
        exec(touch_source(code, properties), namespace)
        functions[code] = namespace["touch"]
    return functions


def packets(paths: list[pathlib.Path]) -> Iterator[bytes]:
    for path in paths:
        data = path.read_bytes()
        at = 0
        while at + 8 <= len(data):
            length = max(8, int.from_bytes(data[at + 2 : at + 4], "big"))
            yield data[at : at + length]
            at += length


class TooLongError(Exception):
    """xrootdlib does not come back from some packets."""


def accepted(decode: Callable[[bytes], Any], packet: bytes) -> bool:
    """Does a library decode the packet without raising, in reasonable time?"""

    def give_up(*_: object) -> None:
        raise TooLongError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            decode(packet)
    except Exception:
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return True


def seconds(decode: Callable[[bytes], Any], touch: Touch, batch: list[bytes], times: int) -> float:
    start = time.thread_time()
    for _ in range(times):
        for packet in batch:
            touch(decode(packet))
    return (time.thread_time() - start) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("captures", nargs="*", type=pathlib.Path)
    parser.add_argument("--properties", action="store_true", help="read computed attributes too")
    parser.add_argument("--gc", action="store_true", help="leave the garbage collector on")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    captures = options.captures or sorted((ROOT / "tests/data/xrootd").glob("*.bin"))
    theirs = load_reference()
    if theirs is None:
        raise SystemExit("xrootdlib 0.3.0 is missing: see the head of this file")
    batches: dict[str, list[bytes]] = {}
    skipped = 0
    for packet in packets(captures):
        if accepted(theirs.Packet.from_buffer, packet):
            batches.setdefault(chr(packet[0]), []).append(packet)
        else:
            skipped += 1
    libraries = (theirs, ours)
    touch = [touch_functions(library, options.properties) for library in libraries]
    best = {code: [float("inf"), float("inf")] for code in batches}
    if not options.gc:
        gc.disable()
    for _ in range(options.rounds):
        for code, batch in batches.items():
            for side, library in enumerate(libraries):
                gc.collect()
                took = seconds(library.Packet.from_buffer, touch[side][code], batch, 3)
                best[code][side] = min(best[code][side], took)
    report(batches, best, skipped)


def report(batches: dict[str, list[bytes]], best: dict[str, list[float]], skipped: int) -> None:
    print(f"{'code':>5} {'packets':>8} {'xrootdlib/s':>12} {'gridtap/s':>12} {'ratio':>6}")
    total = [0.0, 0.0]
    for code, batch in sorted(batches.items(), key=lambda item: -best[item[0]][0]):
        line(code, len(batch), best[code])
        total = [total[0] + best[code][0], total[1] + best[code][1]]
    line("all", sum(map(len, batches.values())), total)
    print(f"{skipped} packets left out: xrootdlib raises or hangs")


def line(code: str, count: int, took: list[float]) -> None:
    rates = [count / side for side in took]
    print(f"{code:>5} {count:>8} {rates[0]:>12,.0f} {rates[1]:>12,.0f} {took[0] / took[1]:>6.1f}")


if __name__ == "__main__":
    main()
