"""The contract as an OpenAPI document, which the archive serves at ``/openapi.json``.

It is written to be read by those who write clients: what a schema cannot say, such as that a time
has to be before another, is in the descriptions. The tests hold the archive to it, and it to the
archive.
"""

from gridtap.archive.openapi.document import document

__all__ = ["document"]
