"""Bringing a measurement into an archive."""

from __future__ import annotations

from gridtap.esmond.writing import ArchiveWriter
from gridtap.iperf3.measurement import Measurement

__all__ = ["Archive"]


class Archive(ArchiveWriter):
    """An archive to bring measurements into."""

    def announce(self, measurement: Measurement, agent: str) -> str:
        """Posts the description of a test; returns its metadata key.

        :param agent: address of the host that ordered the test
        :raises MetadataPostException: the archive has it not, or a part of it
        """
        test = self.description(
            source=measurement.source,
            destination=measurement.destination,
            tool_name=measurement.tool_name,
            measurement_agent=agent,
            input_source=measurement.input_source,
            input_destination=measurement.input_destination,
            time_duration=measurement.duration_s,
            ip_transport_protocol=measurement.protocol,
        )
        for name in measurement.event_types:
            test.add_event_type(name)
        key, _ = self.register(test, measurement.parameters)
        return key

    def fill(self, measurement: Measurement, metadata_key: str) -> None:
        """Posts the results of a test, all with one request.

        :raises PostException: they, or some of them, are not stored
        """
        (first, value), *others = measurement.points
        if others:
            bulk = self.bulk(metadata_key)
            for name, each in measurement.points:
                bulk.add_data_point(name, measurement.ts, each)
            bulk.post_data()
            return
        single = self.single(metadata_key, first)
        single.add_data_point(measurement.ts, value)
        single.post_data()
