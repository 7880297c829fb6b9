"""An answer as a page, for those who open an address of the archive in a browser."""

from __future__ import annotations

import html
import json
import re

__all__ = ["page"]

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
<h1>{title}</h1>
<p><a href="/">All measurements</a></p>
<pre><b>HTTP {status}</b>
{headers}

{body}</pre>
</html>
"""

#: An address in the shown JSON, as it looks behind ``html.escape``.
_ADDRESS = re.compile(r"&quot;((?:https?://[^\s&]+|/[^\s&]*)?/perfsonar/archive/[^\s&]*)&quot;")


def page(path: str, status: int, headers: dict[str, str], body: bytes) -> bytes:
    """The JSON of an answer, indented, addresses as links."""
    try:
        text = json.dumps(json.loads(body), indent=4, ensure_ascii=False) if body else ""
    except ValueError:
        text = body.decode(errors="replace")
    shown = _ADDRESS.sub(r'&quot;<a href="\1">\1</a>&quot;', html.escape(text))
    lines = "\n".join(
        f"{html.escape(name)}: {html.escape(value)}" for name, value in headers.items()
    )
    filled = _PAGE.format(title=html.escape(path), status=status, headers=lines, body=shown)
    return filled.encode()
