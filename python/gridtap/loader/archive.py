"""The requests that store transfers, one method each; nothing is decided here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gridtap.esmond.metadata import Metadata
from gridtap.esmond.writing import ArchiveWriter
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


class Archive(ArchiveWriter):
    """An archive to bring transfers into."""

    def announce(self, test: Description) -> Target:
        """Posts the description of a test.

        :raises MetadataPostException: the archive has it not, or a part of it
        """
        post = self.description(
            source=test.source,
            destination=test.destination,
            tool_name="gridftp",
            measurement_agent=test.agent,
            input_source=test.input_source,
            input_destination=test.input_destination,
        )
        for name in test.event_types:
            post.add_event_type(name)
        key, metadata = self.register(post, dict(test.parameters))
        return Target(key, metadata, _has_points(metadata))

    def put(self, target: Target, samples: Sequence[Sample]) -> None:
        """Posts samples, all with one request.

        :param samples: each of another second, and either failures or not
        :raises PostException: they, or some of them, are not stored, or nobody knows
        """
        name, value = samples[0].main
        if len(samples) == 1 and name == "failures":
            single = self.single(target.key, name)
            single.add_data_point(samples[0].ts, value)
            single.post_data()
            return
        bulk = self.bulk(target.key)
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
