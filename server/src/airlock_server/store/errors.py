"""
The errors of the store.

* StoreError
  x UnsupportedDatabase   the URL names a database that is not supported: change the setting
  x NewerDatabase         the schema is from a newer Airlock: run that one
  x Unavailable           the database did not take the call in time, or is closed: try again
    x DiskFull            its disk is full: make room on it, and try again
  x Unstorable            a value is too long, out of range or has a NUL: send another
  x NotABackup            the file cannot be put back: give another
  x LaunchError           this cannot be queued
    + UnknownDag          the DAG was never claimed: claim_dag first
    + OwnedElsewhere      another bundle claimed this dag_id first: rename one of the DAGs
    + TryIsLive           that task instance is queued or running already: wait for it, or close it
    + BadId               an id cannot be a task instance's: choose another
"""


class StoreError(Exception):
    """The base of the tree above."""


class UnsupportedDatabase(StoreError):
    """The URL names a database that is not supported."""


class NewerDatabase(StoreError):
    """The database was migrated by a newer Airlock."""


class Unavailable(StoreError):
    """The database did not take the call in time, or is closed. The write may not have been done."""


class DiskFull(Unavailable):
    """The database's disk is full. Reads go on."""


class Unstorable(StoreError):
    """PostgreSQL cannot hold a value: it is too long, out of range, or has a NUL."""


class NotABackup(StoreError):
    """The file is not a whole database of Airlock's."""


class LaunchError(StoreError):
    """This cannot be queued."""


class UnknownDag(LaunchError):
    """The DAG was never claimed."""


class OwnedElsewhere(LaunchError):
    """Another bundle claimed this dag_id first."""


class TryIsLive(LaunchError):
    """That task instance is queued or running already."""


class BadId(LaunchError):
    """The id of a DAG, DAG run or task breaks the rule of ``airlock_wire.ids``; the text names it."""
