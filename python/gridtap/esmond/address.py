"""Where an archive is: one URL made of what users give, and addresses below it."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urlsplit

from gridtap.esmond.errors import ArchiveUrlError

__all__ = ["PS_ROOT", "ArchiveAddress", "clean_alias"]

#: First part of every path of the contract
PS_ROOT = "perfsonar"

_ARCHIVE = f"/{PS_ROOT}/archive"


def clean_alias(script_alias: str | None) -> str:
    """A deployment prefix without slashes at its ends; empty for ``None``, ``""`` and ``"/"``"""
    return (script_alias or "").strip("/")


class ArchiveAddress:
    """The address of an archive.

    :param api_url: ``scheme://host[:port]``; a path with the deployment prefix, or all the way to
        the archive or below it, is understood as well
    :param script_alias: deployment prefix
    :raises ArchiveUrlError: not an HTTP URL
    """

    def __init__(self, api_url: str, script_alias: str | None) -> None:
        parts = _split(api_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        path, alias = parts.path.rstrip("/"), clean_alias(script_alias)
        before, found, _ = f"{path}/".partition(f"{_ARCHIVE}/")
        if found:
            self.path = before + _ARCHIVE
        elif not alias or path == f"/{alias}" or path.endswith(f"/{alias}"):
            self.path = path + _ARCHIVE
        else:
            self.path = f"{path}/{alias}{_ARCHIVE}"

    @property
    def listing(self) -> str:
        """URL of the list of metadata"""
        return f"{self.origin}{self.path}/"

    def below(self, *segments: str) -> str:
        """URL of something in the archive, without a final slash"""
        return self.listing + "/".join(quote(segment, safe="") for segment in segments)

    def follow(self, uri: str) -> str:
        """URL of a ``uri`` or ``base-uri`` that the archive gave.

        These carry the deployment prefix already. They never lead to another host: credentials go
        to the archive that the user named, and nowhere else.

        :raises ArchiveUrlError: the archive gave no path
        """
        try:
            parts = urlsplit(uri)
        except ValueError as error:
            raise ArchiveUrlError(f"the archive gave an address that is none: {uri!r}") from error
        if not parts.path.startswith("/"):
            raise ArchiveUrlError(f"the archive gave an address without a path: {uri!r}")
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.origin}{parts.path}{query}"


def _split(api_url: str) -> SplitResult:
    try:
        parts = urlsplit(api_url.strip())
        parts.port  # noqa: B018 - a number out of range is found out only when asked for
    except ValueError as error:
        raise ArchiveUrlError(f"not the URL of an archive: {api_url!r}: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ArchiveUrlError(
            f"not the URL of an archive: {api_url!r}: http://HOST or https://HOST is needed"
        )
    return parts
