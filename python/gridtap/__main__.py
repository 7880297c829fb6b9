"""``python -m gridtap``: the same as the command."""

from __future__ import annotations

from gridtap.cli.main import main

main()
