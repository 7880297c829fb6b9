"""An archive to write to: where it is and who writes, said once for all posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridtap.esmond.errors import MetadataPostException
from gridtap.esmond.http import Transport
from gridtap.esmond.metadata import Metadata
from gridtap.esmond.post import EventTypeBulkPost, EventTypePost, MetadataPost

__all__ = ["ArchiveWriter"]


@dataclass(frozen=True)
class ArchiveWriter:
    """Makes posts for one archive, over kept connections.

    :param url: ``scheme://host[:port]``
    :param username: empty, like ``api_key``: the archive knows who may write by address
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

    def description(self, **fields: Any) -> MetadataPost:
        """A test between two points, to be described further.

        :param fields: those of :py:class:`~.metadata_post.MetadataPost`
        """
        return MetadataPost(
            self.url,
            self.username,
            self.api_key,
            subject_type="point-to-point",
            script_alias=self.script_alias,
            ssl_verify=self.ssl_verify,
            timeout=self.timeout,
            transport=self.transport,
            **fields,
        )

    def register(self, test: MetadataPost, parameters: Mapping[str, Any]) -> tuple[str, Metadata]:
        """Posts the description of a test; returns its metadata key, and all that came back.

        :param parameters: more that is known of it, by name
        :raises MetadataPostException: the archive has it not, or a part of it
        """
        for name, value in parameters.items():
            test.add_freeform_key_value(name, value)
        metadata = test.post_metadata()
        if not metadata.metadata_key:
            raise MetadataPostException("POST error: the archive gave no metadata-key")
        return metadata.metadata_key, metadata

    def single(self, metadata_key: str, event_type: str) -> EventTypePost:
        """Points of one event type, a request for each"""
        return EventTypePost(
            self.url,
            self.username,
            self.api_key,
            metadata_key,
            event_type,
            self.script_alias,
            self.ssl_verify,
            self.timeout,
            transport=self.transport,
        )

    def bulk(self, metadata_key: str) -> EventTypeBulkPost:
        """Points of any of its event types, all with one request"""
        return EventTypeBulkPost(
            self.url,
            self.username,
            self.api_key,
            metadata_key,
            self.script_alias,
            self.ssl_verify,
            self.timeout,
            transport=self.transport,
        )
