"""Accesses read from real captures are those that the clients made: none missing, none invented."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest

from gridtap.xrootd import FileAccess, read_accesses
from tests.xrootd.ground_truth import (
    ANONYMOUS,
    CORPUS,
    CUT,
    NO_FILES,
    UNACCOUNTED,
    Access,
    captures,
    load,
    pair,
)

#: An account's fact and the field that must agree with it.
TOTALS = {
    "bytes_read": "read_bytes",
    "bytes_readv": "readv_bytes",
    "bytes_written": "write_bytes",
}
COUNTS = {
    "read_calls": "read_ops",
    "readv_calls": "readv_ops",
    "write_calls": "write_ops",
    "readv_segments": "readv_segments",
}
EXTREMES = {
    "read_min": "read_min_bytes",
    "read_max": "read_max_bytes",
    "readv_min": "readv_min_bytes",
    "readv_max": "readv_max_bytes",
    "write_min": "write_min_bytes",
    "write_max": "write_max_bytes",
    "segs_min": "readv_min_segments",
    "segs_max": "readv_max_segments",
}
SIGMAS = {
    "read": ("read_sigma_bytes", "read_calls", "bytes_read"),
    "readv": ("readv_sigma_bytes", "readv_calls", "bytes_readv"),
    "write": ("write_sigma_bytes", "write_calls", "bytes_written"),
}


def records(name: str) -> list[FileAccess]:
    return list(read_accesses(CORPUS / f"{name}.pcap"))


def with_files() -> list[str]:
    late = {"late-capture"}
    return [n for n in captures() if n not in NO_FILES | CUT | ANONYMOUS | late]


@pytest.mark.parametrize("name", with_files())
def test_no_access_is_missing_or_invented(name: str) -> None:
    pairs, missing, extra = pair(load(name), records(name))
    assert not missing
    assert len(extra) == UNACCOUNTED.get(name, 0), [r.path for r in extra]
    for access, record in pairs:
        assert record.path == access.path
        if not access.via.startswith("http") and record.user_protocol == "xroot":
            # Servers cut a login at a blank and replace what could pass for a separator.
            shown = re.sub(r"[^A-Za-z0-9._-]", "_", access.login.partition(" ")[0])
            shown = "_" + shown[1:] if shown.startswith("-") else shown
            # One raw client sent an empty login; its account has the user it ran as.
            assert record.user_name == shown or (name, record.user_name) == ("odd-names", None)


@pytest.mark.parametrize("name", with_files())
def test_bytes_and_counts_are_the_clients_own(name: str) -> None:
    compared = 0
    for access, record in pair(load(name), records(name))[0]:
        if not record.close_seen or not is_comparable(name, access, record):
            continue
        compared += 1
        assert list(differences(access, record)) == [], (access.path, access.via)
    if name not in CLOSELESS | {"gstream-tpc-bin", "gstream-tpc-http"}:
        assert compared > 0


#: f-stream without transfer reports: such servers send no closes.
CLOSELESS = {"fstat-lfn"}


def is_comparable(name: str, access: Access, record: FileAccess) -> bool:
    """False where server and client count different things."""
    facts = access.facts
    if facts.get("readv_failed") or "requested_ranges" in facts:
        return False  # the server sent, and counted, what the client refused or asked for in pieces
    if name.startswith("gstream-pfc") and facts["bytes_read"] > 65_536:
        return False  # a proxy does not count asynchronous reads
    if access.via == "http (put)" and record.server_version == "v5.5.3":
        return False  # uploads by HTTP count from 5.7.3 on
    if facts.get("writev_calls"):
        return False  # a vector write counts as one write of 0 bytes
    if name == "multistream" and not access.via:
        return False  # the server counts what was asked for, also past the end of the file
    return not (access.ended_by.startswith("disconnect") and record.read_ops is None)


def differences(access: Access, record: FileAccess) -> Iterator[str]:
    facts = access.facts
    for fact, field in TOTALS.items():
        expected, got = facts[fact], getattr(record, field)
        if fact == "bytes_written" and "pgwrite" in access.via:
            expected += 4 * math.ceil(expected / 4096)  # a checksum for each page
            if got is not None and abs(got - expected) <= 4 * math.ceil(expected / 4096):
                got = expected
        if fact == "bytes_read" and record.readv_bytes is None:
            expected += facts["bytes_readv"]  # the t-stream's close tells only the sum
        if got is None and fact == "bytes_readv":
            continue
        if got != expected:
            yield f"{fact}: {expected} is {got}"
    if access.via or record.read_ops is None:
        return
    for fact, field in COUNTS.items():
        if fact in facts and getattr(record, field) != facts[fact]:
            yield f"{fact}: {facts[fact]} is {getattr(record, field)}"
    if record.read_min_bytes is None and record.readv_min_bytes is None:
        return
    for fact, field in EXTREMES.items():
        if fact in facts and getattr(record, field) != facts[fact]:
            yield f"{fact}: {facts[fact]} is {getattr(record, field)}"
    for kind, (field, count, total) in SIGMAS.items():
        sigma = getattr(record, field)
        if sigma is not None and f"{kind}_ssq" in facts:
            n = facts[count]
            expected = math.sqrt(max(0.0, facts[f"{kind}_ssq"] / n - (facts[total] / n) ** 2))
            if not math.isclose(sigma, expected, rel_tol=1e-9, abs_tol=1e-6):
                yield f"{kind} sigma: {expected} is {sigma}"


def test_sums_of_squares_become_standard_deviations() -> None:
    found = [r.read_sigma_bytes for r in records("fstat-full") if (r.read_ops or 0) > 1]
    assert found
    assert all(sigma is not None for sigma in found)


@pytest.mark.parametrize("name", sorted(ANONYMOUS))
def test_opens_without_names_are_counted(name: str) -> None:
    found = records(name)
    assert len(found) == len(load(name))
    assert {r.path for r in found} == {None}
    assert {r.close_reason for r in found} == {"open"}
    sizes = sorted(a.facts["size_at_open"] for a in load(name))
    assert sorted(r.file_size_bytes or 0 for r in found) == sizes


@pytest.mark.parametrize("name", sorted(NO_FILES & set(captures())))
def test_nothing_is_made_of_captures_without_file_records(name: str) -> None:
    assert records(name) == []


def test_a_late_capture_gives_what_it_holds() -> None:
    accesses, found = load("late-capture"), records("late-capture")
    whole = [r for r in found if r.open_seen]
    orphans = [r for r in found if not r.open_seen]
    assert all(r.path is None and r.close_seen and r.mode is None for r in orphans)
    pairs, _, extra = pair(accesses, whole)
    assert extra == []
    facts = [tuple(a.facts[fact] for fact in TOTALS) for a in accesses]
    for record in orphans:
        assert (record.read_bytes, record.readv_bytes, record.write_bytes) in facts
    for access, record in pairs:
        if record.user_pid is not None:
            assert list(differences(access, record)) == []


def test_a_restart_ends_what_was_open() -> None:
    found = records("restart")
    assert len({r.server_started_at for r in found}) == 3
    assert len({r.server_id for r in found}) == 1
    ended = [r for r in found if r.close_reason == "restart"]
    assert ended
    assert all(not r.close_seen and r.closed_at is None for r in ended)


def test_no_loss_is_suspected_in_complete_captures() -> None:
    for name in with_files():
        assert not any(r.loss_suspected for r in records(name)), name


def test_times_lie_in_their_windows() -> None:
    for name in with_files():
        for r in records(name):
            if r.opened_at is not None and r.open_window_start is not None:
                assert r.open_window_end is not None
                assert r.open_window_start <= r.opened_at <= r.open_window_end
            if r.closed_at is not None and r.close_window_start is not None:
                assert r.close_window_end is not None
                assert r.close_window_start <= r.closed_at <= r.close_window_end
