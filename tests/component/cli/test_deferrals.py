"""`airlock dags test` of tasks that defer: their triggers run here, and what a trigger says becomes of the task."""

import os
import signal
import subprocess
import sys

import pytest
from component.cli.final_table import table

pytestmark = pytest.mark.slow

TRIGGERS = """
import asyncio
from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent

class Own(BaseTrigger):
    def __init__(self, how, seconds=0.1):
        super().__init__()
        self.how, self.seconds = how, seconds

    def serialize(self):
        return f"{__name__}.{type(self).__name__}", {"how": self.how, "seconds": self.seconds}

    async def run(self):
        await asyncio.sleep(self.seconds)
        if self.how == "raises":
            raise RuntimeError("no luck")
        yield {
            "succeeds": lambda: TaskSuccessEvent(xcoms={"return_value": [1, 2]}),
            "fails": TaskFailedEvent,
            "skips": TaskSkippedEvent,
        }.get(self.how, lambda: TriggerEvent({"seen": {1}}))()

    async def on_kill(self):
        print("killed")
"""

OPERATORS = """
from datetime import timedelta
from airflow.sdk import DAG, BaseOperator, task
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
import own

class Beside(own.Own): ...

class Op(BaseOperator):
    def __init__(self, how="", seconds=0.1, limit=None, kind=own.Own, **kwargs):
        super().__init__(**kwargs)
        self.how, self.seconds, self.limit, self.kind = how, seconds, limit, kind

    def execute(self, context):
        self.defer(
            trigger=self.kind(self.how, self.seconds), method_name="done", kwargs={"n": 1}, timeout=self.limit
        )

    def done(self, context, event, n):
        return [sorted(event["seen"]), n]
"""

FLOW = """
with DAG("flow"):
    Op(task_id="own")
    Op(task_id="raises", how="raises")
    Op(task_id="late", seconds=100, limit=timedelta(seconds=1))
    ends = Op(task_id="ends", how="succeeds", on_success_callback=lambda context: print("called back"))
    Op(task_id="fails", how="fails", retries=1, retry_delay=timedelta(seconds=0.1))
    Op(task_id="skips", how="skips")
    Op.partial(task_id="mapped").expand(seconds=[0.1, 0.2])
    @task
    def each(x):
        return x
    each.expand(x=ends.output)
"""

PROVIDERS = """
with DAG("other"):
    Op(task_id="own")

with DAG("waits"):
    DateTimeSensorAsync(task_id="moment", target_time="2020-01-01T00:00:00+00:00")
    started = {"start_from_trigger": True}
    DateTimeSensorAsync(task_id="started", target_time="{{ '2020-01-01' }}T00:00:00+00:00", **started)
    DateTimeSensorAsync(task_id="both", target_time="{{ ts }}", end_from_trigger=True, **started)
    DateTimeSensorAsync.partial(task_id="mapped", **started).expand(target_time=["2020-01-01T00:00:00+00:00", "{{ ts }}"])
    ExternalTaskSensor(task_id="task", external_dag_id="other", external_task_id="own", deferrable=True)
    ExternalTaskSensor(task_id="run", external_dag_id="other", deferrable=True)
"""

LONG = """
with DAG("long"):
    Op(task_id="waits", seconds=100)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.py").write_text(TRIGGERS)
    for name, code in (("flow", FLOW), ("providers", PROVIDERS), ("long", LONG)):
        (tmp_path / f"{name}.py").write_text(OPERATORS + code)
    return tmp_path


def command(folder, *words):
    environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home")}
    words = [sys.executable, "-m", "airlock_server", "dags", "test", *words]
    return {"args": words, "env": environ, "cwd": folder, "text": True}


def run(folder, *words):
    return subprocess.run(**command(folder, *words), capture_output=True, timeout=100, check=False)


def test_each_way_in_which_a_trigger_ends_is_an_end_of_its_task(folder):
    done = run(folder, "flow.py")

    assert {
        "own": ["success", "1", "[[1],1]"],
        "raises": ["failed", "1"],
        "late": ["failed", "1"],
        "ends": ["success", "1", "[1,2]"],
        "fails": ["failed", "2"],
        "skips": ["skipped", "1"],
        "mapped[0]": ["success", "1", "[[1],1]"],
        "mapped[1]": ["success", "1", "[[1],1]"],
        "each[0]": ["success", "1", "1"],
        "each[1]": ["success", "1", "2"],
    } == table(done.stdout)
    assert (1, "") == (done.returncode, done.stderr)
    for words in ("RuntimeError: no luck", "TaskDeferralError: Trigger failure", "TaskDeferralTimeout", "called back"):
        assert words in done.stdout


def test_sensors_of_the_standard_provider_wait_and_start_in_their_triggers(folder):
    assert 0 == run(folder, "providers.py", "other", "2026-01-01").returncode
    done = run(folder, "providers.py", "waits", "2026-01-01")

    tasks = ("moment", "started", "both", "mapped[0]", "mapped[1]", "task", "run")
    assert (dict.fromkeys(tasks, "success"), "", 0) == (
        {name: row[0] for name, row in table(done.stdout).items()},
        done.stderr,
        done.returncode,
    )
    # A task that its trigger starts and ends has no process of its own, and so no log of its own.
    assert "task_id=both" not in done.stdout.partition("\ntask ")[2]


def test_a_signal_stops_a_trigger_which_may_stop_its_work_outside(folder):
    process = subprocess.Popen(**command(folder, "long.py"), stdout=subprocess.PIPE)
    for line in process.stdout:
        if "Own waits" in line:
            break
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert "killed" in output
    assert "state      stopped" in output
