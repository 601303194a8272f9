"""The interface of a secrets backend other than the store, and what a lookup answers."""

from typing import Literal, NamedTuple, Protocol

from airlock_server.store.connections import Connection

Kind = Literal["variable", "connection"]


class Variable(NamedTuple):
    """A variable that exists; in the store its value may be null."""

    value: str | None


class BackendFailed(Exception):
    """The backend has no usable answer. The text never has a value, because it is logged."""


class Backend(Protocol):
    """Answers by name; None if it does not have the name. Every other exception is a failure."""

    #: What it is called in ``[secrets] backends``.
    name: str
    #: Whether a call may take time, so that it must not run in the event loop.
    blocks: bool
    #: Whether its answers may be remembered (``[secrets] cache_seconds``).
    remembered: bool

    def variable(self, key: str) -> Variable | None:
        """Returns a variable."""

    def connection(self, conn_id: str) -> Connection | None:
        """Returns a connection."""
