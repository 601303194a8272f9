"""Why this sidecar itself stopped the runner."""

from enum import StrEnum


class Stop(StrEnum):
    """As the journal has it."""

    #: It did not stop the runner.
    NOT = ""
    SUPERSEDED = "superseded"
    ALREADY_FINISHED = "already finished"
    TOKEN_EXPIRED = "token expired"  # noqa: S105 - a reason, not a token
    REJECTED = "rejected"
    DENIED = "denied"
    TIMED_OUT = "timed out"
    BROKE_PROTOCOL = "broke protocol"
