"""
Errors of calls to the server, by what the caller does about them.

    UpstreamError
    └── Silent   no useful answer: ask again later, and decide nothing meanwhile
"""


class UpstreamError(Exception):
    """The server cannot be used."""


class Silent(UpstreamError):
    """The server did not answer, or not with what was asked."""
