"""Bringing a measurement into an archive."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridtap.esmond.http import Transport
from gridtap.esmond.post import EventTypeBulkPost, EventTypePost, MetadataPost
from gridtap.iperf3.measurement import Measurement

__all__ = ["Archive"]


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

    def announce(self, measurement: Measurement, agent: str) -> str | None:
        """Posts the description of a test; returns its metadata key.

        :param agent: address of the host that ordered the test
        :raises MetadataPostException: the archive has it not, or a part of it
        """
        post = MetadataPost(
            self.url,
            self.username,
            self.api_key,
            subject_type="point-to-point",
            source=measurement.source,
            destination=measurement.destination,
            tool_name=measurement.tool_name,
            measurement_agent=agent,
            input_source=measurement.input_source,
            input_destination=measurement.input_destination,
            time_duration=measurement.duration_s,
            ip_transport_protocol=measurement.protocol,
            script_alias=self.script_alias,
            ssl_verify=self.ssl_verify,
            timeout=self.timeout,
            transport=self.transport,
        )
        for name in measurement.event_types:
            post.add_event_type(name)
        for name, value in measurement.parameters.items():
            post.add_freeform_key_value(name, value)
        return post.post_metadata().metadata_key

    def fill(self, measurement: Measurement, metadata_key: str | None) -> None:
        """Posts the results of a test, all with one request.

        :raises PostException: they, or some of them, are not stored
        """
        (first, value), *others = measurement.points
        if others:
            bulk = EventTypeBulkPost(
                self.url,
                self.username,
                self.api_key,
                metadata_key,
                self.script_alias,
                self.ssl_verify,
                self.timeout,
                transport=self.transport,
            )
            for name, each in measurement.points:
                bulk.add_data_point(name, measurement.ts, each)
            bulk.post_data()
            return
        single = EventTypePost(
            self.url,
            self.username,
            self.api_key,
            metadata_key,
            first,
            self.script_alias,
            self.ssl_verify,
            self.timeout,
            transport=self.transport,
        )
        single.add_data_point(measurement.ts, value)
        single.post_data()
