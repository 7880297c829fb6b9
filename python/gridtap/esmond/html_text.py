"""What an HTML page says, for servers and proxies that send errors for people."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["html_text"]


def html_text(page: str) -> str:
    """The text of a page's paragraphs, or of its headings when it has none"""
    parser = _Text()
    parser.feed(page)
    parser.close()
    said = " ".join(parser.paragraphs).strip()
    return said or " ".join(dict.fromkeys(text.strip() for text in parser.headings))


class _Text(HTMLParser):
    """Collects text by where it stands."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = ""
        self.paragraphs: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "h1", "title", "script", "style"}:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in {"h1", "title"}:
            self.headings.append(data)
        elif self._inside not in {"", "script", "style"}:
            self.paragraphs.append(data)
