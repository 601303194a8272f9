"""Tasks that wait: sensors in both modes, triggers, a person."""

import time
from datetime import timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, PokeReturnValue, Variable, task
from cages import cage, each, note, say

#: Longer than an executor of Airflow's takes to report an end: it fails a task that has come back by then.
PAUSE = timedelta(seconds=6)


class Twice(BaseOperator):
    """Waits in a trigger two times, and says each time that it is back."""

    def execute(self, context):
        note(self.dag.dag_id, "start", 1)
        self.defer(trigger=TimeDeltaTrigger(PAUSE), method_name="again", kwargs={"n": 1})

    def again(self, context, event=None, n=0):
        say("is back", n)
        note(self.dag.dag_id, "back", n)
        if n == 2:
            return "done"
        return self.defer(trigger=TimeDeltaTrigger(PAUSE), method_name="again", kwargs={"n": n + 1})


def waited(who, seconds):
    """Tells whether so many seconds have passed since the first look."""
    name = f"zoo_first_look_{who}"
    first = float(Variable.get(name, default=0))
    if not first:
        Variable.set(name, str(time.time()))
        return False
    return time.time() - first >= seconds


for dag in each("poke"):
    PythonSensor(task_id="look", python_callable=waited, op_args=[dag.dag_id, 3], poke_interval=1)

for dag in each("reschedule"):
    PythonSensor(task_id="look", python_callable=waited, op_args=[dag.dag_id, 12], poke_interval=6, mode="reschedule")

for dag in each("short_pokes"):
    PythonSensor(task_id="look", python_callable=waited, op_args=[dag.dag_id, 8], poke_interval=1, mode="reschedule")

for _ in each("sensor_value"):

    @task.sensor(poke_interval=1, timeout=30)
    def until_found():
        return PokeReturnValue(is_done=True, xcom_value="found")

    @task
    def use(what):
        return what

    use(until_found())

for _ in each("sensor_timeout"):
    PythonSensor(task_id="soft", python_callable=lambda: False, poke_interval=1, timeout=2, soft_fail=True)
    PythonSensor(task_id="hard", python_callable=lambda: False, poke_interval=1, timeout=2)

for _ in each("deferrable"):
    Twice(task_id="twice")
    TimeDeltaSensor(task_id="delta", delta=timedelta(seconds=1), deferrable=True)

for dag in each("approval"):

    @task
    def goes_on():
        say("was approved")

    ApprovalOperator(task_id="ask", subject=f"May {cage(dag)} go on?") >> goes_on()
