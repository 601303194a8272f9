"""A trigger that waits until Airflow's scheduler has heard of the end of the launch that deferred to it."""

import asyncio
import os

import heard
from airflow.triggers.base import BaseTrigger, TriggerEvent


class Heard(BaseTrigger):
    """Fires then, or fails."""

    def __init__(self, dag_id, task_id, fails=False):
        super().__init__()
        self._kwargs = {"dag_id": dag_id, "task_id": task_id, "fails": fails}

    def serialize(self):
        return "late_trigger.Heard", self._kwargs

    async def run(self):
        while not heard.was(os.environ["PEER_FOLDER"], self._kwargs["dag_id"], self._kwargs["task_id"]):
            await asyncio.sleep(0.2)
        if self._kwargs["fails"]:
            raise RuntimeError("as it should")
        yield TriggerEvent("heard")
