"""Says why this module is not here."""

from gridtap.esmond.legacy import RemovedModuleError

raise RemovedModuleError(__name__, "the management interface of Cassandra below an archive")
