"""Decides what follows a failed transaction of PostgreSQL: run it again, or raise an error of the store. Pure."""

from enum import Enum, auto

import sqlalchemy as sa

from airlock_server.store.errors import DiskFull, Unavailable, Unstorable

#: Runs of one transaction, by what went wrong with it each time.
RUNS_OF_COLLISIONS, RUNS_OF_ROWS, RUNS_OF_CONNECTIONS = 10, 5, 3

_COLLISIONS = frozenset({"40001", "40P01"})  # could not serialize; a deadlock
_ROW_EXISTS = "23505"
#: A value out of range, too long or with a NUL: SQLSTATE's class of data, and psycopg's own checks, which have none.
_DATA = "22"
#: An administrator's end of the connection, and a server that starts or stops.
_NO_SERVER = "57P"
_DISK_FULL = "53100"


class Failure(Enum):
    """What a transaction failed by."""

    COLLISION = auto()
    ROW_EXISTS = auto()
    CONNECTION = auto()
    DATA = auto()
    DISK_FULL = auto()
    UNAVAILABLE = auto()
    OTHER = auto()


_RUNS = {
    Failure.COLLISION: RUNS_OF_COLLISIONS,
    # Another transaction made the row between this one's look and its INSERT; the next look finds it.
    Failure.ROW_EXISTS: RUNS_OF_ROWS,
    Failure.CONNECTION: RUNS_OF_CONNECTIONS,
}


def failure(error: Exception) -> Failure:
    """Returns what kind of failure this is."""
    if isinstance(error, sa.exc.TimeoutError):
        return Failure.UNAVAILABLE
    if not isinstance(error, sa.exc.DBAPIError):
        return Failure.OTHER
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _COLLISIONS:
        return Failure.COLLISION
    if state == _ROW_EXISTS:
        return Failure.ROW_EXISTS
    if error.connection_invalidated or state.startswith(_NO_SERVER):
        return Failure.CONNECTION
    if state == _DISK_FULL:
        return Failure.DISK_FULL
    if isinstance(error, sa.exc.DataError) or state.startswith(_DATA):
        return Failure.DATA
    # The rest of psycopg's operational errors: no connection, no disk, a timeout; a standby takes no write (25006).
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or state == "25006":
        return Failure.UNAVAILABLE
    return Failure.OTHER


def again(kind: Failure, runs: int) -> bool:
    """Tells whether a transaction that failed in this way for the ``runs``-th time runs again."""
    return runs < _RUNS.get(kind, 1)


def explained(kind: Failure, error: Exception, what: str) -> Exception:
    """Returns the error for the caller. ``what`` is ``read`` or ``write``."""
    words = _first_line(getattr(error, "orig", None) or error)
    match kind:
        case Failure.OTHER | Failure.ROW_EXISTS:
            return _terse(error)
        case Failure.DATA:
            return Unstorable(f"the database cannot hold a value: {words}")
        case Failure.COLLISION:
            return Unavailable(f"the {what} met others {RUNS_OF_COLLISIONS} times: {words}")
        case Failure.DISK_FULL:
            return DiskFull(f"the database did not take the {what}: {words}")
        case _:
            return Unavailable(f"the database did not take the {what}: {words}")


def _terse(error: Exception) -> Exception:
    """Returns the error without the server's details, which show the values of the row."""
    if not isinstance(error, sa.exc.DBAPIError) or error.orig is None:
        return error
    short = type(error)(error.statement, None, type(error.orig)(_first_line(error.orig)), hide_parameters=True)
    return short.with_traceback(error.__traceback__)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
