"""The requests that store transfers, one method each; nothing is decided here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridtap.esmond.errors import MetadataPostException
from gridtap.esmond.http import Transport
from gridtap.esmond.metadata import Metadata
from gridtap.esmond.post import EventTypeBulkPost, EventTypePost, MetadataPost
from gridtap.loader.grouping import Sample
from gridtap.loader.mapping import Description

__all__ = ["Archive", "Target"]


@dataclass(slots=True)
class Target:
    """A test that the archive knows.

    :param has_points: whether there may be any of it already
    """

    key: str
    metadata: Metadata
    has_points: bool


@dataclass(frozen=True)
class Archive:
    """An archive to write to.

    :param url: ``scheme://host[:port]``
    :param script_alias: deployment prefix, ``/`` for none
    :param ssl_verify: True, False, or the file of trusted authorities' certificates
    :param timeout: seconds of silence; None waits for ever
    """

    url: str
    username: str
    api_key: str
    script_alias: str = "/"
    ssl_verify: bool | str = True
    timeout: float | None = 20
    transport: Transport = field(default_factory=Transport)

    def announce(self, test: Description) -> Target:
        """Posts the description of a test.

        :raises MetadataPostException: the archive has it not, or a part of it
        """
        post = MetadataPost(
            self.url,
            self.username,
            self.api_key,
            subject_type="point-to-point",
            source=test.source,
            destination=test.destination,
            tool_name="gridftp",
            measurement_agent=test.agent,
            input_source=test.input_source,
            input_destination=test.input_destination,
            script_alias=self.script_alias,
            ssl_verify=self.ssl_verify,
            timeout=self.timeout,
            transport=self.transport,
        )
        for name in test.event_types:
            post.add_event_type(name)
        for name, value in test.parameters:
            post.add_freeform_key_value(name, value)
        metadata = post.post_metadata()
        if not metadata.metadata_key:
            raise MetadataPostException("POST error: the archive gave no metadata-key")
        return Target(metadata.metadata_key, metadata, _has_points(metadata))

    def put(self, target: Target, samples: Sequence[Sample]) -> None:
        """Posts samples, all with one request.

        :param samples: each of another second, and either failures or not
        :raises PostException: they, or some of them, are not stored, or nobody knows
        """
        access = (self.script_alias, self.ssl_verify, self.timeout)
        name, value = samples[0].main
        if len(samples) == 1 and name == "failures":
            single = EventTypePost(
                self.url,
                self.username,
                self.api_key,
                target.key,
                name,
                *access,
                transport=self.transport,
            )
            single.add_data_point(samples[0].ts, value)
            single.post_data()
            return
        bulk = EventTypeBulkPost(
            self.url,
            self.username,
            self.api_key,
            target.key,
            *access,
            transport=self.transport,
        )
        for sample in samples:
            for name, value in sample.points:
                bulk.add_data_point(name, sample.ts, value)
        bulk.post_data()

    def settle(self, target: Target) -> None:
        """Makes esmond 4.4 store what it has kept back of a request that it refused: it does with
        its next write, and a write of nothing is one.

        :raises RequestError: the archive can not be used
        """
        connection = target.metadata._connection
        url = f"{connection.address.below(target.key)}/"
        connection.write("PUT", url, json.dumps({"data": []}), repeatable=True)

    def stored(self, target: Target, samples: Iterable[Sample]) -> dict[tuple[str, int], Any]:
        """What the archive has at the seconds of samples: values by event type and second.

        :raises RequestError: the archive can not be read
        """
        seconds: dict[str, set[int]] = {}
        for sample in samples:
            seconds.setdefault(sample.main[0], set()).add(sample.ts)
        found = {}
        for name, wanted in seconds.items():
            event_type = target.metadata.get_event_type(name)
            if event_type is None:
                continue
            event_type.filters.time_start = min(wanted)
            event_type.filters.time_end = max(wanted)
            for point in event_type.iter_data():
                if point.ts_epoch in wanted:
                    found[name, point.ts_epoch] = point.val
        return found


def _has_points(metadata: Metadata) -> bool:
    """A test that was never written to has no times of update."""
    listed = metadata.get_freeform_key_value("event-types")
    if not isinstance(listed, list):
        return True
    return not all(
        isinstance(each, dict) and "time-updated" in each and each["time-updated"] is None
        for each in listed
    )
