"""The addresses of metadata: list, detail, event types, summaries; and making them."""

from __future__ import annotations

import secrets
import time

from gridtap.archive import filters, jsontext, limits, paging, presentation
from gridtap.archive.addresses import Resolver
from gridtap.archive.calls import Answer, Call
from gridtap.archive.description import Registry, parse
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import EventRecord, Storage
from gridtap.esmond.event_types import SUMMARY_IN_URL, SummaryType

__all__ = ["MetadataApi", "summary_type"]

#: What bodies of metadata may be; forms are understood and then found to lack everything.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_BY_URL = {in_url: kind for kind, in_url in SUMMARY_IN_URL.items()}


def summary_type(word: str) -> SummaryType:
    """The summary type that an address names.

    :raises RefusedError: none, or its singular
    """
    if word not in _BY_URL:
        raise RefusedError(f"Invalid summary type '{word[: limits.KEY_CHARS]}'")
    return _BY_URL[word]


class MetadataApi:
    """Answers about metadata.

    :param is_exact: also show parameters in the types in which they were posted
    """

    def __init__(self, storage: Storage, registry: Registry, is_exact: bool) -> None:
        self._storage = storage
        self._registry = registry
        self._is_exact = is_exact
        self._resolver = Resolver()

    def close(self) -> None:
        """Ends what looks names up."""
        self._resolver.close()

    def find(self, call: Call) -> Answer:
        """GET of the list: a page of what matches, in the first element also the totals."""
        criteria = filters.criteria(call.query, self._resolver, int(time.time()))
        page = paging.metadata_page(call.query)
        records, total = self._storage.find(criteria, page.limit, page.offset)
        links = paging.links(call, page, total > page.offset + page.limit)
        shown = [presentation.metadata(record, call, self._is_exact) for record in records]
        if shown:
            shown[0] |= {
                "metadata-count-total": total,
                "metadata-previous-page": links.get("prev"),
                "metadata-next-page": links.get("next"),
            }
        return Answer(200, [jsontext.dump(shown).encode()], paging.header(links))

    def get(self, call: Call) -> Answer:
        """GET of one metadata, which also has to match the query."""
        criteria = filters.criteria(call.query, self._resolver, int(time.time()))
        record = self._storage.get(call.parts["key"], criteria)
        if record is None:
            raise RefusedError("Not found.", 404)
        shown = presentation.metadata(record, call, self._is_exact)
        return Answer(200, [jsontext.dump(shown).encode()])

    def create(self, call: Call) -> Answer:
        """POST of a description: 201 with the metadata, whether it is new or was there."""
        description = parse(self._body(call), self._registry)
        record = self._storage.create(description, secrets.token_hex(16))
        shown = presentation.metadata(record, call, self._is_exact)
        return Answer(201, [jsontext.dump(shown).encode()], {"Location": shown["url"]})

    def event(self, call: Call) -> Answer:
        """GET of an event type: a list with one element, empty if it is not registered here."""
        record = self._storage.get(call.parts["key"])
        if record is None:
            raise RefusedError("Not found.", 404)
        found = record.event(call.parts["event_type"])
        shown = [presentation.event(found, record.key, call)] if found else []
        return Answer(200, [jsontext.dump(shown).encode()])

    def summaries(self, call: Call) -> Answer:
        """GET of the windows that are kept of one summary type."""
        kind = summary_type(call.parts["summaries"])
        event = self._event(call)
        if event is None:
            raise RefusedError("Not found.", 404)
        shown = [
            presentation.summary(each, call.parts["key"], event.event_type, call)
            for each in event.summaries
            if each.summary_type is kind
        ]
        if not shown:
            raise RefusedError("Not found.", 404)
        return Answer(200, [jsontext.dump(shown).encode()])

    def _event(self, call: Call) -> EventRecord | None:
        record = self._storage.get(call.parts["key"])
        return record.event(call.parts["event_type"]) if record else None

    def _body(self, call: Call) -> object:
        media_type = call.content_type.partition(";")[0].strip().lower()
        if not call.body or media_type in _FORMS:
            return {}
        if media_type != "application/json":
            raise RefusedError(f'Unsupported media type "{call.content_type}" in request.', 415)
        try:
            return jsontext.load(call.body)
        except ValueError as error:
            raise RefusedError(f"JSON parse error - {error}") from error
