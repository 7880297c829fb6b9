"""The release of xrootdlib whose interface this package has."""

__title__ = "xrootdlib"
__summary__ = "library for working with the XRootD middleware"
__version__ = "0.3.0"
