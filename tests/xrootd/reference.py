"""xrootdlib 0.3.0 itself, the library that the packet classes must match.

Its import name is taken by our compatibility package, so it lives in a directory of its own:
``pip install --target .xrootdlib xrootdlib==0.3.0``.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import sys
from types import ModuleType

DEFAULT = pathlib.Path(__file__).resolve().parent.parent.parent / ".xrootdlib"


def _modules() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "xrootdlib"]


def load_reference() -> ModuleType | None:
    """``xrootdlib.structs.XrdXrootdMon`` of release 0.3.0, or None if it is not there"""
    place = os.environ.get("GRIDTAP_XROOTDLIB", str(DEFAULT))
    if not pathlib.Path(place, "xrootdlib", "__about__.py").exists():
        return None
    hidden = {name: sys.modules.pop(name) for name in _modules()}
    sys.path.insert(0, place)
    try:
        about = importlib.import_module("xrootdlib.__about__")
        module = importlib.import_module("xrootdlib.structs.XrdXrootdMon")
        return module if about.__version__ == "0.3.0" else None
    finally:
        sys.path.remove(place)
        for name in _modules():
            del sys.modules[name]
        sys.modules.update(hidden)
