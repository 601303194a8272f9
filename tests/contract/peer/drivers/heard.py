"""
Whether Airflow's scheduler has heard that a launch ended, and a trigger that waits for it.

A task that waits for something may be queued again before Airflow's supervisor, which sometimes takes seconds, has
ended. The scheduler then takes the first launch's end for the second's and fails it: Airflow's own race. What a task of
these tests waits for comes after its launch's end was heard.
"""

import asyncio
import os
import time
from pathlib import Path

from airflow.triggers.base import BaseTrigger, TriggerEvent

#: In which the scheduler does with an event that it took what it does.
_SECONDS = 2.0


def note(key):
    """The executor gives the end of this launch to the scheduler."""
    _path(key.dag_id, key.task_id).touch()


def was(dag_id, task_id):
    """Whether the scheduler has dealt with the end of a launch of this task."""
    path = _path(dag_id, task_id)
    return path.exists() and time.time() - path.stat().st_mtime > _SECONDS


def _path(dag_id, task_id):
    return Path(os.environ["PEER_FOLDER"], f"heard-{dag_id}-{task_id}")


class Heard(BaseTrigger):
    """Fires, or fails, when the end of the launch that deferred to it was heard."""

    def __init__(self, dag_id, task_id, fails=False):
        super().__init__()
        self._kwargs = {"dag_id": dag_id, "task_id": task_id, "fails": fails}

    def serialize(self):
        return "heard.Heard", self._kwargs

    async def run(self):
        while not was(self._kwargs["dag_id"], self._kwargs["task_id"]):
            await asyncio.sleep(0.2)
        if self._kwargs["fails"]:
            raise RuntimeError("as it should")
        yield TriggerEvent("heard")
