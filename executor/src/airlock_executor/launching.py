"""
Makes the TaskRuns of launches: the TaskRun suspended, its Secret, and then lets it go. Each step can be done twice.

A launch waits for a Kubernetes API that is busy or refuses for a quota, up to ``pendingTimeout``. Its author is told
why.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from airlock_executor.kube import errors
from airlock_executor.kube.api import Cluster
from airlock_executor.launch import identity, outcomes, taskrun
from airlock_executor.launch.following import Launch, Note
from airlock_executor.launch.observed import Observed
from airlock_executor.launch.outcomes import Outcome
from airlock_executor.launch.tokens import TokenLife
from airlock_wire.process import backoff
from airlock_wire.taskrun import TOKEN_SECRET_PREFIX

log = logging.getLogger(__name__)

_FIRST_SECONDS, _LONGEST_SECONDS = 0.5, 15.0
#: After so many failures in a row the author is told: what ends at once is not worth a line.
_TOLD_AFTER = 2


class Launching:
    """
    Makes launches. ``mint`` gives a task instance's token; ``note`` tells the author why a launch waits.
    ``patience_seconds`` is how long one waits.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        mint: Callable[[str], str],
        note: Callable[[Launch, Note], None],
        token_seconds: float,
        patience_seconds: float,
        concurrency: int,
    ) -> None:
        self._cluster, self._mint, self._note = cluster, mint, note
        self._token_seconds, self._patience_seconds = token_seconds, patience_seconds
        self._room = asyncio.Semaphore(concurrency)

    async def launch(self, launch: Launch) -> Outcome | None:
        """Makes a launch; returns None once its TaskRun is let go, or why that cannot be."""
        began, failures = time.monotonic(), 0
        while True:
            try:
                async with self._room:
                    await self._steps(launch)
            except (errors.Invalid, errors.Conflict, errors.NotFound) as e:
                return outcomes.refused("Refused", f"the Kubernetes API does not take its TaskRun: {e}")
            except (errors.NotAllowed, errors.Busy) as e:
                failures += 1
                if time.monotonic() - began > self._patience_seconds:
                    return outcomes.refused(_reason(e), f"its TaskRun could not be made: {e}")
                if failures == _TOLD_AFTER or (failures > _TOLD_AFTER and launch.reason != _reason(e)):
                    launch.reason = _reason(e)
                    self._note(launch, Note(launch.reason, f"{launch.reason}: its TaskRun cannot be made yet: {e}"))
                await asyncio.sleep(backoff.pause(failures, _FIRST_SECONDS, _LONGEST_SECONDS))
            else:
                return None

    async def _steps(self, launch: Launch) -> None:
        namespace, name = launch.place
        observed = await self._taskrun(launch)
        launch.body = None
        await self.write_token(launch, observed)
        if observed.spec.suspend:
            await self._cluster.change_spec(namespace, name, {"suspend": False})
        launch.ready_at = time.monotonic()

    async def _taskrun(self, launch: Launch) -> Observed:
        """Returns the launch's TaskRun, which is made if it is missing."""
        namespace, name = launch.place
        if launch.body is None:
            return await self._cluster.taskrun(namespace, name)
        try:
            return await self._cluster.create_taskrun(namespace, launch.body)
        except errors.Conflict:
            # A call before this one was taken, and its answer was lost; or somebody else has the name.
            observed = await self._cluster.taskrun(namespace, name)
            if observed.metadata.labels.get(identity.LAUNCH) != launch.body["metadata"]["labels"][identity.LAUNCH]:
                raise
            return observed

    async def write_token(self, launch: Launch, owner: Observed) -> None:
        """Mints the launch's token and writes it into its Secret, which is made if it is missing."""
        life = TokenLife(time.monotonic(), self._token_seconds)
        token = self._mint(launch.ti_id)
        try:
            await self._cluster.create_secret(launch.namespace, taskrun.secret(owner, token, launch.lookups))
        except errors.Conflict:
            await self._write(launch, token)
        launch.token = life

    async def renew(self, launch: Launch) -> None:
        """Mints a token anew; a failure is left to the next time, which comes soon."""
        life = TokenLife(time.monotonic(), self._token_seconds)
        try:
            await self._write(launch, self._mint(launch.ti_id))
        except errors.KubernetesError as e:
            log.warning("the token of TaskRun %s/%s was not renewed: %s", launch.namespace, launch.name, e)
        else:
            launch.token = life

    async def _write(self, launch: Launch, token: str) -> None:
        await self._cluster.change_secret(
            launch.namespace, TOKEN_SECRET_PREFIX + launch.name, taskrun.secret_data(token)
        )

    async def successor(self, launch: Launch) -> Launch:
        """Returns a launch that takes the place of a lost one, from what its TaskRun says."""
        before = await self._cluster.whole_taskrun(*launch.place)
        body: dict[str, Any] = taskrun.again(before, str(uuid.uuid4()))
        return Launch(
            launch.key,
            launch.namespace,
            body["metadata"]["name"],
            launch.ti_id,
            body,
            losses=launch.losses + 1,
            resumed=launch.resumed,
            lookups=launch.lookups,
        )


def _reason(error: errors.KubernetesError) -> str:
    if isinstance(error, errors.NotAllowed):
        return "QuotaExceeded" if "exceeded quota" in str(error) else "Forbidden"
    return "ApiBusy"
