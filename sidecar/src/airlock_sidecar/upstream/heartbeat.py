"""
Sends the heartbeat on a timer and a connection of its own, so that a request of the runner's never delays it.
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

#: After so many refusals in a row the token will not be accepted again, and the launch cannot go on.
DENIED_IN_A_ROW = 3
_TIMEOUT_SECONDS = 5.0


class Heart:
    """
    Sends heartbeats once ``start`` was called. ``lost`` is called once, with the reason and the server's message, when
    the server gives this launch up.
    """

    def __init__(self, calls: Calls, launch: Launch, identity: dict[str, object], seconds: float) -> None:
        self._calls = calls
        self._launch = launch
        # Only these two fields: the route is strict and answers any further key with 422.
        self._body = msgspec.json.encode({"hostname": identity["hostname"], "pid": identity["pid"]})
        self._seconds = seconds
        self._last_good = -1e9
        self._pause = threading.Event()
        self._wake = threading.Event()
        self._never = threading.Event()
        self._on_loss: Callable[[Stop, str], None] = lambda _why, _message: None

    def start(self, on_loss: Callable[[Stop, str], None]) -> None:
        """Begins to beat in a thread of its own."""
        self._on_loss = on_loss
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def good(self) -> None:
        """Notes an answer that the server gives only to a live launch."""
        self._last_good = time.monotonic()

    def last_good(self) -> float:
        """Tells when the last such answer came, on the monotonic clock."""
        return self._last_good

    def age(self) -> float:
        """Seconds since the last good heartbeat."""
        return time.monotonic() - self._last_good

    def pause(self) -> None:
        """Stops the heartbeats: after the terminal state that is being sent, the server would answer them with 409."""
        self._pause.set()

    def resume(self) -> None:
        """Resumes the heartbeats: the terminal state was refused, and the task goes on."""
        self._pause.clear()
        self._wake.set()

    def beat(self, until: threading.Event | None = None) -> None:
        """
        Sends one heartbeat. Raises errors.ApiError for an error of the server, errors.Unreachable without an answer,
        and errors.GaveUp if it needs another token and ``until`` is set.
        """
        path = f"/task-instances/{segment(self._launch.ti_id)}/heartbeat"
        answer = self._calls.ask_with_renewal("PUT", path, None, self._body, _TIMEOUT_SECONDS, until or self._never)
        if answer.status >= 500:
            raise errors.Unreachable(f"the server answered {answer.status}", arrived=True)
        if answer.status >= 400:
            raise answer.error()
        self.good()

    def _run(self) -> None:
        denials = 0
        while True:
            pause = self._pause.is_set()
            why, message = (Stop.NOT, "") if pause else self._beat_once()
            denials = denials + 1 if why is Stop.TOKEN_EXPIRED else 0
            # A beat that was under way when a terminal state was sent is answered with 409, and means nothing.
            final = why in (Stop.SUPERSEDED, Stop.DENIED) or denials >= DENIED_IN_A_ROW
            if final and not self._pause.is_set():
                self._on_loss(why, message)
                return
            # Scattered, so that the pods of one burst do not come back together for ever.
            self._wake.wait(backoff.scattered(self._seconds, 0.9, 1.1))
            self._wake.clear()

    def _beat_once(self) -> tuple[Stop, str]:
        answered = True
        try:
            self.beat()
        except errors.Unreachable:
            answered = False
        except (errors.NotFound, errors.Conflict, errors.Gone):
            return Stop.SUPERSEDED, ""
        except errors.Denied as e:
            return (Stop.TOKEN_EXPIRED, "") if e.of_token else (Stop.DENIED, e.words)
        except errors.ApiError:
            return Stop.NOT, ""
        finally:
            self._launch.clock.beat(answered=answered)
        return Stop.NOT, ""
