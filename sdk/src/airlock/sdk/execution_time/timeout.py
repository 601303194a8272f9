"""A limit of time for a block of code."""

import signal
from types import FrameType, TracebackType
from typing import Self

from airlock.sdk.exceptions import AirlockTaskTimeout


class TimeoutPosix:
    """``with timeout(seconds=5):`` raises AirlockTaskTimeout into the block when the time is over; main thread only."""

    def __init__(self, seconds: float = 1, error_message: str = "Timeout") -> None:
        """``error_message`` is that of the exception."""
        self.seconds = seconds
        self.error_message = error_message

    def handle_timeout(self, signum: int, frame: FrameType | None) -> None:
        """Raises AirlockTaskTimeout."""
        del signum, frame
        raise AirlockTaskTimeout(self.error_message)

    def __enter__(self) -> Self:
        """Sets the alarm."""
        signal.signal(signal.SIGALRM, self.handle_timeout)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Takes the alarm away."""
        signal.setitimer(signal.ITIMER_REAL, 0)


timeout = TimeoutPosix
