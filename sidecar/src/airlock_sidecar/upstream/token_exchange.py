"""
Exchanges the pod's token for the task's: at the start, and whenever the server refuses the current one.

Every start waits for it, so it begins as soon as HTTP is loaded, while the runner's image may still be pulled. It
waits while the operator has not yet written this pod into the TaskRun's status, and while Kubernetes or the server is
away. Two answers are final: policy denies the token, or another pod is the current one.
"""

import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import msgspec

from airlock_sidecar import errors
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream import retries
from airlock_sidecar.upstream.token import Token, read_file
from airlock_wire.protocol.messages import TaskInstance
from airlock_wire.workload import Exchanged, Execute, TaskInstanceRef

_TIMEOUT_SECONDS = 10.0
#: The longest time between two tries, whatever the server's Retry-After says.
_LONGEST_PAUSE_SECONDS = 60.0
#: After so many tries (about four seconds) the log says that an answer expected soon is missing.
_SOON_SAID_AFTER_TRIES = 8


class ExchangeAsks(Protocol):
    """What ``api.ExchangeApi`` does, without importing it: it is loaded after the socket listens."""

    def ask(self, pod_token: str, timeout: float) -> Any:
        """Asks once; returns an answer as ``api.Answer``, or raises errors.Unreachable."""


class Step(Enum):
    """What to do after an answer."""

    TAKE = "take"
    #: Not yet: the operator is about to say that this pod counts.
    SOON = "soon"
    #: Later: the pod's token is stale, too many pods ask at once, or the server or Kubernetes is away.
    LATER = "later"
    #: The refusal is final.
    FINAL = "final"


def step(status: int) -> Step:
    """Returns what to do after an answer, by its status. Pure."""
    if status < 300:
        return Step.TAKE
    if status == 409:
        return Step.SOON
    return Step.LATER if status in (401, 429) or status >= 500 else Step.FINAL


def foreign(expected: TaskInstance, actual: TaskInstanceRef, before: TaskInstanceRef | None) -> errors.ApiError | None:
    """
    Returns an error if the server named the wrong task instance: not the one that this pod was made for, or not the one
    that it named ``before``. Pure.
    """
    fields = ("dag_id", "task_id", "run_id", "map_index", "try_number")
    differ = [name for name in fields if getattr(expected, name) != getattr(actual, name)]
    if differ:
        text = f"the server exchanged the pod's token for another task instance's: {', '.join(differ)} differ"
        return errors.Refused(200, {"reason": "WrongTaskInstance", "message": text})
    if before is not None and before.id != actual.id:
        return errors.Gone(200, {"reason": "Superseded", "message": "the server knows this launch under another id"})
    return None


class TokenExchange:
    """
    Keeps ``token`` valid. ``generation`` counts the tokens, so that only one of several threads whose token was refused
    exchanges it. ``say`` is called once for each reason to wait.
    """

    def __init__(self, api: ExchangeAsks, file: str, launch: Launch, token: Token, say: Callable[[str], None]) -> None:
        self._api = api
        self._file = file
        self._launch = launch
        self._token = token
        self._say = say
        self._lock = threading.Lock()
        self.generation = 1 if launch.memory.token else 0

    def begin(self, until: threading.Event) -> None:
        """Gets the first token, unless an earlier start of this sidecar has left one; raises as ``renew``."""
        self.renew(0, until)

    def renew(self, refused: int, until: threading.Event) -> None:
        """
        Gets a newer token than that of generation ``refused``. Raises errors.ApiError for a final refusal,
        errors.GaveUp once ``until`` is set.
        """
        with self._lock:
            if self.generation == refused:
                self._take(self._ask(until))
                self.generation += 1

    def _ask(self, until: threading.Event) -> Exchanged:
        tries, last_reason = 0, ""
        while not until.is_set():
            tries += 1
            pause, why = retries.delay(tries), ""
            say_after = retries.SAID_AFTER_TRIES
            try:
                answer = self._api.ask(read_file(self._file), _TIMEOUT_SECONDS)
            except (errors.Unreachable, OSError, ValueError) as e:
                why = str(e)
            else:
                match step(answer.status):
                    case Step.TAKE:
                        return msgspec.json.decode(answer.body, type=Exchanged)
                    case Step.FINAL:
                        raise _final(answer.error())
                    case Step.SOON:
                        pause = retries.soon(tries)
                        say_after = _SOON_SAID_AFTER_TRIES
                why = answer.error().words
                pause = max(pause, _asked_pause(answer.retry_after))
            if tries >= say_after and why != last_reason:
                last_reason = why
                self._say(f"the pod's token is not exchanged yet ({why}); waiting")
            until.wait(pause)
        raise errors.GaveUp(f"the exchange of the pod's token after {tries} tries")

    def _take(self, exchanged: Exchanged) -> None:
        work, task_instance = self._launch.workload, exchanged.task_instance
        if isinstance(work, Execute) and (wrong := foreign(work.ti, task_instance, self._launch.memory.task_instance)):
            raise wrong
        self._launch.adopt(exchanged.token, task_instance)
        self._token.swap(exchanged.token)


def _final(e: errors.ApiError) -> errors.ApiError:
    """
    Returns the error for the callers. A 404 of the exchange means a wrong address and says nothing about the launch.
    """
    return e if isinstance(e, errors.Denied | errors.Gone) else errors.Refused(e.status, e.detail, e.body)


def _asked_pause(header: str | None) -> float:
    """Returns the seconds of a Retry-After header, with an upper bound."""
    return min(float(header), _LONGEST_PAUSE_SECONDS) if header is not None and header.isdecimal() else 0.0
