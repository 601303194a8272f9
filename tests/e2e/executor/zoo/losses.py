"""Tasks of our executor alone that run while something is lost: each says to the witness when it begins."""

import time
from datetime import timedelta

from airflow.providers.standard.sensors.python import PythonSensor
from airflow.sdk import DAG, task
from cages import EXECUTORS, note
from waits import Twice, waited

OURS = {"executor": EXECUTORS["taskrun"], "retries": 0}


@task
def sleeps(n, dag_run=None, ti=None):
    note(ti.dag_id, "start", dag_run.run_id, n, ti.try_number)
    time.sleep(float(dag_run.conf.get("seconds", 20)))
    return n


@task
def numbers(dag_run=None):
    return list(range(int(dag_run.conf.get("count", 1))))


with DAG("sleepers", default_args=OURS, schedule=None):
    sleeps.expand(n=numbers())

with DAG("one_sleeper", default_args=OURS | {"retries": 1, "retry_delay": timedelta(seconds=1)}, schedule=None):
    sleeps(1)

with DAG("blocked", default_args=OURS, schedule=None):
    sleeps(1)

with DAG("late_ends", default_args=OURS, schedule=None):
    Twice(task_id="twice")
    PythonSensor(task_id="look", python_callable=waited, op_args=["late_ends", 4], poke_interval=2, mode="reschedule")
