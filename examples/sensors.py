"""Sensors: tasks that wait for something, in a worker or, while they do not look, outside it."""

from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir

from airlock.sdk import DAG, PokeReturnValue, task
from airlock.standard.sensors.python import PythonSensor
from airlock.standard.sensors.time_delta import TimeDeltaSensor

MARK = Path(gettempdir()) / "airlock-example-{{ run_id }}"

with DAG("sensors", tags=["example"]):

    @task
    def write(path):
        Path(path).write_text("ready")

    wait = PythonSensor(
        task_id="wait",
        python_callable=lambda path: Path(path).exists(),
        op_args=[str(MARK)],
        poke_interval=1,
        timeout=60,
    )

    @task.sensor(poke_interval=1, timeout=60, mode="reschedule")
    def third_look(task_state_store):
        """With `reschedule` the worker is free between two looks, so what was seen must be kept outside it."""
        looks = int(task_state_store.get("looks") or 0) + 1
        task_state_store.set("looks", looks)
        return PokeReturnValue(is_done=looks >= 3, xcom_value=looks)

    @task.sensor(poke_interval=1, timeout=2, soft_fail=True)
    def never():
        """`soft_fail` makes a sensor that has waited in vain a skipped task, not a failed one."""
        return False

    @task
    def remove(path):
        Path(path).unlink()

    write(str(MARK)) >> wait >> remove(str(MARK))
    TimeDeltaSensor(task_id="after_a_second", delta=timedelta(seconds=1), poke_interval=1) >> third_look()
    never()
