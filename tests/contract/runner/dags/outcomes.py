"""Tasks that end in every way; Airflow's runner imports this."""

import os
import sys
import time
from datetime import timedelta

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.sdk.exceptions import AirflowSkipException


class Defers(BaseOperator):
    def execute(self, context):
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=1)), method_name="resume", kwargs={"from": "execute"})

    def resume(self, context, event=None, **kwargs):
        return {"event": event, **kwargs}


class NeverYet(BaseSensorOperator):
    def poke(self, context):
        return False


class Untemplated(BaseOperator):
    """Has no field that is rendered."""

    def execute(self, context):
        time.sleep(120)


class Polite(BaseOperator):
    """Stays until it is told to stop, and then says so."""

    def execute(self, context):
        print("it began", flush=True)
        while True:
            time.sleep(0.02)

    def on_kill(self):
        print("on_kill was called", flush=True)


with DAG("contract"):

    @task
    def templated():
        time.sleep(120)

    @task
    def succeed():
        return {"answer": 42}

    @task(retries=0)
    def fail():
        raise ValueError("as it should")

    @task(retries=2)
    def retry():
        raise ValueError("not this time")

    @task
    def skip():
        raise AirflowSkipException("nothing to do")

    @task(retries=2)
    def exit_with_3():
        os._exit(3)

    @task
    def exit_with_0():
        os._exit(0)

    @task
    def killed():
        os.kill(os.getpid(), 9)

    @task
    def large_xcom():
        return "x" * (3 * 1024 * 1024)

    @task
    def waits(path):
        """Says that it began, then stays until it is ended or asked to ask."""
        from airflow.sdk import Variable

        print("it began", flush=True)
        while not os.path.exists(path):
            time.sleep(0.02)
        return Variable.get("greeting")

    @task.short_circuit
    def short_circuit():
        return False

    @task(map_index_template="{{ 'named ' ~ ti.map_index }}")
    def mapped(n):
        return n

    @task
    def when_it_began():
        """For the measurement: the moment of the first line of user code."""
        print(f"user code at {time.time():.4f}", file=sys.stderr, flush=True)

    (
        templated(),
        succeed(),
        fail(),
        retry(),
        skip(),
        exit_with_3(),
        exit_with_0(),
        killed(),
        large_xcom(),
        when_it_began(),
    )
    waits(os.environ.get("GO_ON_FILE", ""))
    short_circuit() >> task(task_id="after")(lambda: None)()
    mapped.expand(n=[1])
    Defers(task_id="defer")
    Polite(task_id="polite")
    Untemplated(task_id="untemplated")
    NeverYet(task_id="reschedule", mode="reschedule", poke_interval=60)
