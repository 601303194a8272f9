"""What a turn does for a TaskRun: one status, one act, and when to look again. Plain data."""

import msgspec

from airlock_wire.taskrun import Status


class Create(msgspec.Struct, frozen=True):
    """Make the pod of this attempt."""

    attempt: int


class Delete(msgspec.Struct, frozen=True):
    """Delete this very pod."""

    name: str
    uid: str


class Ask(msgspec.Struct, frozen=True):
    """Ask the server what it knows of the attempt of this pod."""

    uid: str


class Forget(msgspec.Struct, frozen=True):
    """Delete the TaskRun itself: its time to live has passed."""


class Plan(msgspec.Struct, frozen=True):
    """
    First write ``status`` if there is one, then ``act``, then look again after so many seconds (None for never).

    ``by_clock``: a time-out led to it. The pod may have gone on since it was last seen, so the caller looks at it once
    more and plans again.
    """

    status: Status | None = None
    act: Create | Delete | Ask | Forget | None = None
    again_in: float | None = None
    by_clock: bool = False
    #: It begins an attempt, for which there must be a slot (``slots``).
    begins: bool = False
