"""
Makes good what the platform took: a launch that never began is made anew, one that had begun is scheduled again.

Neither costs a try. Both are bounded: by ``[airlock] infra_budget`` for a task instance, and by what an author may have
to expect: a task that began may do harm when it begins twice.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from airlock_executor.kube import errors
from airlock_executor.launch.following import Launch, Note
from airlock_executor.launch.outcomes import End, Outcome
from airlock_executor.launching import Launching
from airlock_executor.rerun import Answer
from airlock_executor.settings import Settings
from airlock_wire.process import backoff

log = logging.getLogger(__name__)

#: Between a lost launch and the next: a platform that has just lost one may lose the next.
_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 60.0
#: How often something is asked of a server that is away; with the pauses it is over five minutes.
_ASKED_TIMES = 12


class Result(msgspec.Struct, frozen=True):
    """What the scheduler's thread is told of a launch: a note, its end, or the launch that takes its place."""

    launch: Launch
    note: Note | None = None
    outcome: Outcome | None = None
    successor: Launch | None = None


class Ways(msgspec.Struct, frozen=True):
    """
    How the executor's thread reaches what is not Kubernetes. ``mint`` gives a task instance's token for its sidecar,
    ``execution_token`` one for a single request. ``reschedule`` makes that request, and may block.
    """

    mint: Callable[[str], str]
    execution_token: Callable[[str], str]
    reschedule: Callable[[str, str], Answer]


class Recovery:
    """Recovers lost launches."""

    def __init__(self, launching: Launching, settings: Settings, ways: Ways) -> None:
        self._launching, self._settings, self._ways = launching, settings, ways

    async def recover(self, launch: Launch, outcome: Outcome) -> Result:
        """Returns what became of a launch that the platform took: its end, or its successor, which is not begun."""
        why_not = refusal(launch, outcome, self._settings)
        if why_not:
            return Result(launch, outcome=_failed(outcome, why_not))
        if outcome.end is End.SAVE:
            answer = await self._asked(launch)
            if answer is Answer.SAVED:
                note = Note(outcome.reason, f"{outcome.text}; it is scheduled again on the same try")
                silent = msgspec.structs.replace(outcome, end=End.SILENT)
                return Result(launch, note=note, outcome=silent)
            if answer is Answer.OVER:
                return Result(launch, outcome=msgspec.structs.replace(outcome, end=End.ORDERLY))
            if answer is Answer.AWAY:
                return Result(
                    launch, outcome=_failed(outcome, "Airflow's API server was away, so its try is not saved")
                )
        return await self._anew(launch, outcome)

    async def _asked(self, launch: Launch) -> Answer:
        """Asks Airflow to schedule the task instance again, until it answers or the bound is reached."""
        for failures in range(1, _ASKED_TIMES + 1):
            token = self._ways.execution_token(launch.ti_id)
            answer = await asyncio.to_thread(self._ways.reschedule, launch.ti_id, token)
            if answer is not Answer.AWAY:
                return answer
            await asyncio.sleep(backoff.pause(failures, _FIRST_SECONDS, _LONGEST_SECONDS))
        return Answer.AWAY

    async def _anew(self, launch: Launch, outcome: Outcome) -> Result:
        """Returns the launch that takes the place of one that never began."""
        for failures in range(1, _ASKED_TIMES + 1):
            await asyncio.sleep(backoff.pause(failures + launch.losses, _FIRST_SECONDS, _LONGEST_SECONDS))
            try:
                successor = await self._launching.successor(launch)
            except errors.NotFound:
                return Result(launch, outcome=_failed(outcome, "its TaskRun is gone, so it is not launched anew"))
            except errors.KubernetesError as e:
                log.warning("TaskRun %s/%s was not read: %s", launch.namespace, launch.name, e)
            else:
                note = Note(outcome.reason, f"{outcome.text}; it never began, and is launched anew on the same try")
                return Result(launch, note=note, successor=successor)
        return Result(launch, outcome=_failed(outcome, "the Kubernetes API was away, so it is not launched anew"))


def refusal(launch: Launch, outcome: Outcome, settings: Settings) -> str:
    """Returns why a lost launch is not made good; empty if it is. Pure."""
    if launch.losses >= settings.infra_budget:
        return f"it was lost {launch.losses + 1} times, and [airlock] infra_budget is {settings.infra_budget}"
    if outcome.end is not End.SAVE:
        return ""
    if not settings.rerun_after_start:
        return "its try is not saved, as [airlock] rerun_after_start is False"
    if launch.resumed and not settings.rerun_resumed:
        return (
            "its try is not saved, as it had been deferred and would begin from its start; [airlock] rerun_resumed "
            "allows it"
        )
    return ""


def _failed(outcome: Outcome, why: str) -> Outcome:
    return Outcome(End.FAILED, outcome.reason, f"{outcome.text}; {why}")
