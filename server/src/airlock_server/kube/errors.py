"""
What can go wrong between the server and Kubernetes.

* ClusterError
  x Unreachable   nothing usable came back: it may or may not have happened; ask again later
  x ApiError      Kubernetes answered no, with a status
    + Forbidden   403: this service account lacks a rule; the message names verb and resource
    + NotFound    404: there is no such object
    + Conflict    409: it exists already, or somebody else changed it meanwhile: read again
    + Gone        410: the page's continue token is too old: list from the start
"""


class ClusterError(Exception):
    """The base of the tree above."""


class Unreachable(ClusterError):
    """Nothing usable came back."""


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
