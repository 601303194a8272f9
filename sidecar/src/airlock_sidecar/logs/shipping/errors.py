"""
What can go wrong between a log and its store, and what the shipper does about it.

* LogStoreError (a SidecarError)
  x StoreAway      nothing came back, or a 5xx: try again, with growing waits
  x StoreRefused   the store said no: credentials, rights, no such bucket. Say so in the log; try again, rarely, with
                   credentials that were read anew
  x StoreChanged   the object is not the version that this was to replace: look at what is there, and append to that
"""

from airlock_sidecar.errors import SidecarError


class LogStoreError(SidecarError):
    """The root. Its text is for people and holds no credential."""


class StoreAway(LogStoreError):
    """No answer, or one that says that the store is unwell."""


class StoreRefused(LogStoreError):
    """An answer, and it was no."""


class StoreChanged(LogStoreError):
    """Another version is there."""
