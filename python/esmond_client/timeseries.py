"""Says why this module is not here."""

from gridtap.esmond.legacy import RemovedModuleError

raise RemovedModuleError(__name__, "the time-series half of an archive")
