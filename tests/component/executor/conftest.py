import time

import msgspec
import pytest
from doubles.taskrun_api import PlayedTaskRunApi

from airlock_executor.background import Background
from airlock_executor.launch.following import Launch, launch_of
from airlock_executor.launch.order import Order
from airlock_executor.launch.taskrun import PodSettings, taskrun
from airlock_executor.recovery import Ways
from airlock_executor.rerun import Answer
from airlock_executor.settings import read

ORDER = Order(
    launch_id="0fd4f8b6-6a5e-4a39-9b0c-8b0f3c2f1a77",
    ti_id="0199d0aa-1111-7000-8000-000000000001",
    dag_version_id="0199d0aa-2222-7000-8000-000000000002",
    dag_id="sales",
    task_id="load",
    run_id="manual__1",
    try_number=1,
    map_index=-1,
    queue="default",
    priority=1,
    bundle_name="dags",
    bundle_version=None,
    file="sales.py",
    context_carrier={},
)


class Executor:
    """The executor's own thread against a played API, and what the scheduler's thread takes out of it."""

    def __init__(self, api, folder, **options):
        texts = {name: str(value) for name, value in options.items()}
        base = {"image": "images/airflow:1", "namespace": "airflow", "kubeconfig": api.kubeconfig(folder)}
        self.settings = read(base | texts, {})
        self.api = api
        self.minted = []
        self.answers = [Answer.SAVED]
        self.asked = []
        self.background = Background(self.settings, Ways(self._mint, lambda ti: f"execution-{ti}", self._reschedule))
        self.background.start()

    def _mint(self, ti_id):
        self.minted.append(ti_id)
        return f"token-{len(self.minted)}-of-{ti_id}"

    def _reschedule(self, ti_id, token):
        self.asked.append((ti_id, token))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def launch(self, key="key", **changes) -> Launch:
        order = msgspec.structs.replace(ORDER, **changes)
        namespace, body = taskrun(order, self.settings, PodSettings(), "/dags")
        launch = launch_of(order, namespace, body, key)
        self.background.submit(launch)
        return launch

    def result(self, seconds=10.0):
        """The next thing that the thread has to say."""
        return self.background.results.get(timeout=seconds)

    def outcome(self, seconds=10.0):
        """The next end, past the notes."""
        ends = time.monotonic() + seconds
        while True:
            result = self.background.results.get(timeout=max(0.01, ends - time.monotonic()))
            if result.outcome is not None:
                return result.outcome


@pytest.fixture
def api():
    played = PlayedTaskRunApi()
    yield played
    played.close()


@pytest.fixture
def executor(api, tmp_path):
    """Starts an executor's thread with some options."""
    started = []

    def start(**options):
        started.append(Executor(api, tmp_path, **options))
        return started[-1]

    yield start
    for each in started:
        each.background.stop(10)
