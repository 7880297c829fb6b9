"""Senders that stall are given up, in words where a request was understood.

They began with the first test of the session: whole runs hardly wait here.
"""

from __future__ import annotations

import json

from tests.archive.client import Client
from tests.archive.stalling import Stalled

#: For a machine that is busy with other things
SLACK_S = 15.0


def test_what_never_becomes_a_request(stalled: list[Stalled]) -> None:
    for sender in stalled:
        if "body" not in sender.name:
            # There is nobody to answer to yet.
            assert sender.outcome(SLACK_S) == b"", sender.name


def test_a_body_that_never_ends(archive: Client, stalled: list[Stalled]) -> None:
    bodies = [sender for sender in stalled if "body" in sender.name]
    for sender in bodies:
        answer = sender.outcome(SLACK_S)
        assert answer is not None, sender.name
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 "), sender.name
        assert list(json.loads(body)) == ["detail"]
        assert archive.data(sender.key, "failures") == []
