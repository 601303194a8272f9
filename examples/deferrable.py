"""Deferral: a task that gives its worker back while it waits, and goes on where its trigger has seen something."""

import asyncio
from datetime import timedelta
from time import time

from airlock.sdk import DAG, BaseOperator, task
from airlock.sdk.bases.trigger import BaseTrigger, TriggerEvent
from airlock.standard.sensors.time_delta import TimeDeltaSensor


class CountTrigger(BaseTrigger):
    """Many triggers wait in one event loop, so `run` must not block."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def serialize(self):
        """Says how to make it again, in another process: a path, and arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"count": self.count}

    async def run(self):
        for _ in range(self.count):
            await asyncio.sleep(0.2)
        yield TriggerEvent({"counted": self.count, "at": time()})


class CountOperator(BaseOperator):
    template_fields = ("count",)

    def __init__(self, *, count, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    def execute(self, context):  # noqa: ARG002 - the name is Airflow's
        """Leaves the worker. A wait that takes longer than its time is an error in the task."""
        self.defer(trigger=CountTrigger(int(self.count)), method_name="go_on", timeout=timedelta(minutes=1))

    def go_on(self, context, event):  # noqa: ARG002 - the name is Airflow's
        """Runs in a worker again, once the trigger has fired."""
        return event["counted"]


with DAG("deferrable", tags=["example"], params={"count": 3}):
    # Sensors of the standard provider defer when they are told to.
    wait = TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=1), deferrable=True)
    count = CountOperator(task_id="count", count="{{ params.count }}")

    @task
    def report(counted):
        return f"counted to {counted}"

    wait >> count
    report(count.output)
