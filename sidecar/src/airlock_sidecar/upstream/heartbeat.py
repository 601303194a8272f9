"""
The heartbeat, on a timer and a connection of its own, so that no request of the runner's ever delays it.
"""

import threading
import time
from collections.abc import Callable

import msgspec

from airlock_sidecar import errors
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.upstream.calls import Calls, segment
from airlock_wire.process import backoff

#: A token refused this often in a row will not be taken again: the launch cannot go on.
DENIED_IN_A_ROW = 3
_TIMEOUT_SECONDS = 5.0


class Heart:
    """
    Beats once ``start`` was called. ``lost`` is told why, and what the server said, once, when the server wants this
    launch no more.
    """

    def __init__(self, calls: Calls, launch: Launch, who: dict[str, object], seconds: float) -> None:
        self._calls = calls
        self._launch = launch
        # Of who we are only these two: the route is strict, and a key more makes every heartbeat a 422.
        self._body = msgspec.json.encode({"hostname": who["hostname"], "pid": who["pid"]})
        self._seconds = seconds
        self._last_good = -1e9
        self._pause = threading.Event()
        self._wake = threading.Event()
        self._never = threading.Event()
        self._lost: Callable[[Stop, str], None] = lambda _why, _message: None

    def start(self, lost: Callable[[Stop, str], None]) -> None:
        """Begins to beat in a thread of its own."""
        self._lost = lost
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def good(self) -> None:
        """The server answered something that only a live launch is answered."""
        self._last_good = time.monotonic()

    def last_good(self) -> float:
        """Tells when that was last so, on the monotonic clock."""
        return self._last_good

    def age(self) -> float:
        """Seconds since the last good heartbeat."""
        return time.monotonic() - self._last_good

    def pause(self) -> None:
        """No more beats: a terminal state is on its way, after which the server would answer them with 409."""
        self._pause.set()

    def resume(self) -> None:
        """Beats again: the terminal state was refused, and the task goes on."""
        self._pause.clear()
        self._wake.set()

    def beat(self, until: threading.Event | None = None) -> None:
        """
        One heartbeat. Raises the errors.ApiError that the server answered, errors.Unreachable where it did not, and
        errors.GaveUp once ``until`` is set where it needs another token.
        """
        path = f"/task-instances/{segment(self._launch.ti_id)}/heartbeat"
        answer = self._calls.once("PUT", path, None, self._body, _TIMEOUT_SECONDS, until or self._never)
        if answer.status >= 500:
            raise errors.Unreachable(f"the server answered {answer.status}", arrived=True)
        if answer.status >= 400:
            raise answer.error()
        self.good()

    def _run(self) -> None:
        denied = 0
        while True:
            pause = self._pause.is_set()
            why, message = (Stop.NOT, "") if pause else self._beat_once()
            denied = denied + 1 if why is Stop.TOKEN_EXPIRED else 0
            # A beat that was under way when a terminal state was sent is answered with 409, and means nothing.
            final = why in (Stop.SUPERSEDED, Stop.DENIED) or denied >= DENIED_IN_A_ROW
            if final and not self._pause.is_set():
                self._lost(why, message)
                return
            # Scattered, so that the pods of one burst do not come back together for ever.
            self._wake.wait(backoff.scattered(self._seconds, 0.9, 1.1))
            self._wake.clear()

    def _beat_once(self) -> tuple[Stop, str]:
        try:
            self.beat()
        except (errors.NotFound, errors.Conflict, errors.Gone):
            return Stop.SUPERSEDED, ""
        except errors.Denied as e:
            return (Stop.TOKEN_EXPIRED, "") if e.of_token else (Stop.DENIED, e.words)
        except (errors.ApiError, errors.Unreachable):
            return Stop.NOT, ""
        return Stop.NOT, ""
