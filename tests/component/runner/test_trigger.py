"""Trigger mode: one trigger in, how it ended out."""

import pytest

CODE = """
import asyncio, os, signal
from airflow.sdk import DAG, BaseOperator
from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSuccessEvent, TriggerEvent

class Own(BaseTrigger):
    def __init__(self, x=None, how=""):
        super().__init__()
        self.x, self.how = x, how

    def serialize(self):
        return f"{__name__}.Own", {"x": self.x, "how": self.how}

    async def run(self):
        if self.how == "raises":
            raise RuntimeError("no luck")
        if self.how == "sleeps":
            await asyncio.sleep(100)
        if self.how == "is stopped":
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(100)
        if self.how == "silent":
            return
        if self.how == "wrong":
            yield 3
        if self.how == "unkept":
            yield TriggerEvent(object())
        if self.how == "succeeds":
            yield TaskSuccessEvent(xcoms={"return_value": {1, 2}})
        if self.how == "fails":
            yield TaskFailedEvent()
        yield TriggerEvent({"x": self.x, "task": self.task_instance.task_id})

    async def cleanup(self):
        print("cleanup")

    async def on_kill(self):
        print("on_kill")

class Returns(Own):
    async def run(self):
        return 3

class Op(BaseOperator):
    start_from_trigger = True
    template_fields = ("x",)

    def __init__(self, x, **kwargs):
        from airflow.triggers.base import StartTriggerArgs
        super().__init__(**kwargs)
        self.x = x
        self.start_trigger_args = StartTriggerArgs("helper.Own", "done", trigger_kwargs={"x": x})

    def execute(self, context): ...

def told(context):
    print("told", context["ti"].task_id)

with DAG("d"):
    Op(task_id="t", x="{{ run_id }} of {{ task.task_id }}", on_success_callback=told, on_retry_callback=told)
    Op.partial(task_id="m").expand(x=["zero", "one"])
"""


@pytest.fixture
def fire(sidecar, details):
    """Runs a trigger in the runner; returns what it says."""

    def call(classpath="airlock_dag_file_d.Own", *, kwargs=None, seconds=None, starts=False, code=CODE, **context):
        startup = details(**{"task_id": "t", **context})
        startup["ti"]["map_index"] = context.pop("map_index", -1)
        if code:
            sidecar.write(code)
            sidecar.write(code, "helper.py")
        request = {"type": "TriggerRequest", "startup": startup, "classpath": classpath, "kwargs": kwargs or {}}
        sidecar.start(request | {"starts": starts, "timeout_seconds": seconds})
        results = [each for each in sidecar.asked if each["type"] == "TriggerResult"]
        return results[0] if results else None

    return call


@pytest.mark.parametrize("classpath", ["airlock_dag_file_d.Own", "helper.Own"])
def test_a_trigger_of_the_dag_file_or_of_a_module_beside_it_answers_with_its_event(sidecar, fire, classpath):
    moment = {"__classname__": "datetime.date", "__version__": 2, "__data__": "2026-01-01"}
    result = fire(classpath, kwargs={"x": [1, moment]})

    assert ({"x": [1, moment], "task": "t"}, None, None) == (result["event"], result["end"], result["error"])
    assert (0, "cleanup\n") == (sidecar.code, sidecar.stdout)


def test_a_trigger_of_the_standard_provider_is_made_by_airflows_path(fire):
    path = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
    result = fire(path, kwargs={"target_time": "1970-01-01T00:00:01+00:00"}, code="")

    assert None is result["error"]
    assert 1.0 == result["event"]["__data__"]["timestamp"]


@pytest.mark.parametrize(
    ("classpath", "how", "line"),
    [
        ("airlock_dag_file_d.Own", "raises", "RuntimeError: no luck"),
        ("airlock_dag_file_d.Own", "silent", "NoEvent: Trigger exited without sending an event"),
        ("airlock_dag_file_d.Own", "wrong", "TypeError: Own.run yielded a int; it must yield a TriggerEvent"),
        ("airlock_dag_file_d.Own", "unkept", "the trigger's event cannot be kept"),
        ("airlock_dag_file_d.Returns", "", "TypeError: Returns.run must be `async def` with a `yield`"),
        ("airlock_dag_file_d.Nothing", "", "has no trigger 'Nothing'; serialize() must return its path"),
        ("nowhere.Own", "", "ModuleNotFoundError: No module named 'nowhere'"),
        ("airlock_dag_file_d.Own", None, "unexpected keyword argument 'unknown'"),
    ],
)
def test_a_trigger_that_fails_is_an_error_with_its_traceback(sidecar, fire, classpath, how, line):
    result = fire(classpath, kwargs={"unknown": 1} if how is None else {"how": how})

    assert ("Trigger failure", None) == (result["error"], result["event"])
    assert line in result["traceback"][-1]
    assert 0 == sidecar.code


def test_a_trigger_whose_time_is_over_is_cleaned_up_and_not_killed(sidecar, fire):
    result = fire(kwargs={"how": "sleeps"}, seconds=0.1)

    assert "Trigger timeout" == result["error"]
    assert "cleanup\n" == sidecar.stdout


def test_a_trigger_that_is_told_to_stop_is_killed_and_cleaned_up_and_has_no_result(sidecar, fire):
    assert None is fire(kwargs={"how": "is stopped"})
    assert (0, "on_kill\ncleanup\n") == (sidecar.code, sidecar.stdout)


@pytest.mark.parametrize(
    ("how", "end", "output"),
    [
        ("succeeds", {"state": "success", "xcoms": {"return_value": [1, 2]}}, "cleanup\ntold t\n"),
        ("fails", {"state": "failed", "xcoms": {}}, "cleanup\ntold t\n"),
    ],
)
def test_a_trigger_ends_its_task_and_the_authors_callbacks_are_called(sidecar, fire, how, end, output):
    result = fire(kwargs={"how": how}, should_retry=True)

    assert end["state"] == result["end"]["state"]
    values = result["end"]["xcoms"].get("return_value", {}).get("__data__")
    assert end["xcoms"].get("return_value") == values
    assert output == sidecar.stdout


def test_a_task_that_starts_with_its_trigger_has_its_fields_rendered(fire):
    assert {"x": "r1 of t", "task": "t"} == fire("helper.Own", starts=True)["event"]


def test_a_trigger_whose_path_is_that_of_the_file_as_a_module_may_need_the_task(fire):
    assert {"x": "r1 of t", "task": "t"} == fire("d.Own", starts=True)["event"]


def test_a_mapped_task_that_starts_with_its_trigger_has_the_arguments_of_its_index(fire):
    assert {"x": "one", "task": "m"} == fire("helper.Own", starts=True, task_id="m", map_index=1)["event"]


def test_a_trigger_asks_the_server_from_its_own_process(sidecar, fire):
    sidecar.answers["GetDRCount"] = {"type": "DRCount", "count": 1}
    path = "airflow.providers.standard.triggers.external_task.WorkflowTrigger"
    result = fire(path, kwargs={"external_dag_id": "other", "run_ids": ["r"], "allowed_states": ["success"]}, code="")

    assert {"status": "success"} == result["event"]
    assert [("other", ["r"])] == [(each["dag_id"], each["run_ids"]) for each in sidecar.asked if "run_ids" in each]
