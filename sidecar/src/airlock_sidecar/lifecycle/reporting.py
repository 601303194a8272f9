"""
Sends the task's terminal state to the server: journals it, sends it, and replays it until the server has it.
"""

import threading
import time
from typing import Any

import msgspec

from airlock_sidecar import errors
from airlock_sidecar.lifecycle import judging
from airlock_sidecar.state.journal import Terminal
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.upstream.calls import Calls, segment
from airlock_sidecar.upstream.heartbeat import Heart

#: A heartbeat older than this is repeated before a terminal state is first sent: the launch may be superseded.
FRESH_SECONDS = 10.0
#: The fields of a terminal state that people see.
_SHOWN = ("retry_reason", "rendered_map_index")
#: The mark that the runner puts in place of text that it cut off.
_CUT = "…"


class Reporter:
    """Sends terminal states. ``stop`` ends the wait for a server that is away, when this process must end."""

    def __init__(self, launch: Launch, calls: Calls, heart: Heart, stop: threading.Event) -> None:
        self._launch = launch
        self._calls = calls
        self._heart = heart
        self._stop = stop

    def report(self, state: str, payload: dict[str, Any], digest: str, *, judged: bool = False) -> bool:
        """
        Journals a terminal state and sends it. Returns True once the server has it, False if it was withheld or the
        launch is superseded. Raises errors.ApiError if the server refuses its content, errors.GaveUp if this process is
        ending.
        """
        payload = self._shown(payload)
        with self._launch.remembering() as memory:
            late = not judged and memory.stopped == Stop.TIMED_OUT
            if late and state == "up_for_retry":
                # The runner's message about it only says that it was told to stop.
                payload = payload | {"retry_reason": memory.stopped_message}
            memory.terminal = Terminal(digest=digest, state=state, payload=payload, judged=judged)
            memory.timeline.setdefault("terminal", round(time.time(), 4))
            signalled, stopped = bool(memory.signalled), memory.stopped
            withheld = not judged and judging.withheld(state, signalled=signalled, stopped=stopped)
            memory.terminal.dropped = memory.terminal.withheld = withheld
        if withheld:
            self._launch.log(f"the task was told to stop before it ended, so its {state!r} does not count", "warning")
            return False
        return self.send()

    def _shown(self, payload: dict[str, Any]) -> dict[str, Any]:
        """
        Returns the payload with the fields masked that people see. The runner may have cut a text inside a secret.
        """
        masker = self._launch.masker
        texts = {key: payload[key] for key in _SHOWN if isinstance(payload.get(key), str)}
        return payload | {
            key: masker.mask_cut(text, len(text) - 1) if text.endswith(_CUT) else masker.mask(text)
            for key, text in texts.items()
        }

    def send(self) -> bool:
        """Sends the journalled state, or sends it again after a restart; as ``report``."""
        terminal = self._launch.memory.terminal
        assert terminal is not None  # noqa: S101 - only called with one
        if terminal.acknowledged or terminal.dropped:
            return terminal.acknowledged
        self._heart.pause()
        if not terminal.sending and self._heart.age() > FRESH_SECONDS and not self._still_ours():
            return self._drop()
        replay = terminal.sending

        def doubtful() -> None:
            nonlocal replay
            replay = True

        with self._launch.remembering():
            terminal.sending = True
        path = f"/task-instances/{segment(self._launch.ti_id)}/state"
        try:
            self._calls.call(
                "PATCH", path, body=msgspec.json.encode(terminal.payload), until=self._stop, doubtful=doubtful
            )
        except errors.Gone:
            # Another launch is the current one now, whether or not an earlier try arrived.
            return self._drop()
        except (errors.NotFound, errors.Conflict):
            # If a first try is refused this way, it was too late. If a replay is, the server has the state: the call
            # that reports a retry archives the retry's id, so its replay is answered with 404.
            if not replay:
                return self._drop()
        except errors.Denied:
            # The token has run out, in an outage for example. The state is kept in the record for the owner to write.
            raise
        except errors.ApiError:
            with self._launch.remembering() as memory:
                memory.terminal = None
            self._heart.resume()
            raise
        with self._launch.remembering():
            terminal.acknowledged = True
            self._launch.memory.timeline.setdefault("acknowledged", round(time.time(), 4))
        return True

    def _still_ours(self) -> bool:
        while True:
            try:
                self._heart.beat(self._stop)
            except (errors.NotFound, errors.Conflict, errors.Gone):
                return False
            except errors.ApiError:
                return True
            except errors.Unreachable as e:
                if self._stop.wait(1.0):
                    raise errors.GaveUp("the server was away until the end") from e
            else:
                return True

    def _drop(self) -> bool:
        with self._launch.remembering() as memory:
            assert memory.terminal is not None  # noqa: S101 - the caller's
            memory.terminal.dropped = True
            memory.stopped = memory.stopped or Stop.SUPERSEDED
        self._launch.log("result dropped: the server says that this launch is no longer the one that counts", "warning")
        return False
