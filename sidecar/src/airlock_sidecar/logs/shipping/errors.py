"""
The errors of shipping a log to its store, and what the shipper does about each.

* LogStoreError (a SidecarError)
  x StoreAway      no answer, or a 5xx: try again, with growing waits
  x StoreRefused   the store refused: credentials, rights, no such bucket. Say so in the log; try again, rarely, with
                   credentials that were read anew
  x StoreChanged   the object is not the version that this write replaces: read the object, and append to it
"""

from airlock_sidecar.errors import SidecarError


class LogStoreError(SidecarError):
    """The root. Its text is for people and holds no credential."""


class StoreAway(LogStoreError):
    """The store did not answer, or answered with a 5xx."""


class StoreRefused(LogStoreError):
    """The store refused the request."""


class StoreChanged(LogStoreError):
    """The object has another version now."""
