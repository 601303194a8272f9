"""
The errors of calls to Kubernetes.

* ClusterError
  x Unreachable   no usable answer: the call may or may not have been carried out; ask again later
  x ApiError      Kubernetes refused, with a status
    + Forbidden   403: this service account lacks a rule; the message names verb and resource
    + NotFound    404: the object does not exist
    + Conflict    409: it exists already, or somebody else changed it meanwhile: read again
    + Gone        410: the page's continue token is too old: list from the start
"""


class ClusterError(Exception):
    """The base of the tree above."""


class Unreachable(ClusterError):
    """There was no usable answer."""


class ApiError(ClusterError):
    """A status of 400 or more."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Forbidden(ApiError):
    """403."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409."""


class Gone(ApiError):
    """410."""
