"""Tasks of our executor alone that run while something is lost: each says to the witness when it begins."""

import time
from datetime import timedelta

from airflow.providers.standard.sensors.python import PythonSensor
from airflow.sdk import DAG, BaseHook, task
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


@task
def asks_for_the_database():
    """Asks for Airflow's own database in each spelling under which Airflow finds the variable."""
    for conn_id in ("airflow_db", "AIRFLOW_DB", "air\ufb02ow_db"):
        try:
            answer = BaseHook.get_connection(conn_id).get_uri()
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        print("asked for the database:", conn_id, answer[::-1])


with DAG("asks_for_the_database", default_args=OURS, schedule=None):
    asks_for_the_database()

with DAG("sleepers", default_args=OURS, schedule=None):
    sleeps.expand(n=numbers())

with DAG("one_sleeper", default_args=OURS | {"retries": 1, "retry_delay": timedelta(seconds=1)}, schedule=None):
    sleeps(1)

with DAG("blocked", default_args=OURS, schedule=None):
    sleeps(1)

with DAG("late_ends", default_args=OURS, schedule=None):
    Twice(task_id="twice")
    PythonSensor(task_id="look", python_callable=waited, op_args=["late_ends", 4], poke_interval=2, mode="reschedule")
