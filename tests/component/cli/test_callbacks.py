"""`airlock dags test` of a DAG with callbacks of its own, and of tasks whose runner cannot call theirs."""

import pytest
from component.cli.final_table import table

pytestmark = pytest.mark.slow

FILE = """
import os, signal, time
from datetime import timedelta
from airflow.sdk import DAG, BaseNotifier, Variable, task

class Note(BaseNotifier):
    template_fields = ("text",)

    def __init__(self, text):
        super().__init__()
        self.text = text

    def notify(self, context):
        print("noted:", self.text)

def over(context):
    print("over:", context["reason"], context["dag_run"].state, context["ti"].task_id, Variable.get("city", default="none"))

def wrong(context):
    raise ValueError("no luck")

def vanish(context):
    os._exit(3)

def alone(context):
    print("alone:", sorted(context))

def lost(context):
    print("lost:", context["ti"].task_id, context["ti"].state.value, context["ti"].try_number, context["exception"])

def own(context):
    print("own:", context["ti"].task_id)

with DAG("good", on_success_callback=[wrong, over, Note("{{ dag.dag_id }} {{ reason }} {{ ti.task_id }}")]):
    @task(on_success_callback=own)
    def first():
        return 1
    first()

with DAG("bad", on_failure_callback=over, on_success_callback=wrong):
    @task(retries=1, retry_delay=timedelta(seconds=0.1), on_failure_callback=lost, on_retry_callback=[wrong, lost])
    def dies():
        os._exit(3)
    @task(on_failure_callback=lost)
    def killed(x):
        os.kill(os.getpid(), signal.SIGKILL)
    @task(on_failure_callback=own)
    def raises():
        raise RuntimeError("own end")
    dies()
    killed.expand(x=[1])
    raises()

with DAG("gone", on_success_callback=vanish):
    @task
    def t(): ...
    t()

with DAG("empty", on_success_callback=alone):
    pass
"""


@pytest.fixture
def run(airlock, tmp_path):
    (tmp_path / "back.py").write_text(FILE)
    return lambda dag_id, **more: airlock("dags", "test", "back.py", dag_id, "2026-01-02", **more)


def lines(output, word):
    return [line.partition(f"{word}:")[2].strip() for line in output.splitlines() if f"| {word}:" in line]


def test_a_dags_callbacks_see_how_its_run_ended_and_one_that_raises_hurts_no_other(run, tmp_path):
    done = run("good", AIRLOCK_VAR_CITY="Leiden")

    assert (0, "") == (done.returncode, done.stderr)
    assert (["success success first Leiden"], ["good success first"]) == (
        lines(done.stdout, "over"),
        lines(done.stdout, "noted"),
    )
    assert "callback   back.py:20: ValueError: no luck" in done.stdout
    assert {"first": ["success", "1", "1"]} == table(done.stdout)
    log = next((tmp_path / "home/logs").glob("dag_id=good/run_id=*/dag.callback.1.log")).read_text()
    assert "noted: good success first" in log
    assert "no luck" in log


def test_callbacks_of_a_task_whose_runner_was_lost_are_called_with_how_it_ended_and_each_once(run):
    done = run("bad")

    code = "Crashed: the runner exited with code 3 before it reported a state"
    signal = "Crashed: the runner was ended by signal 9 before it reported a state"
    ends = {f"dies up_for_retry 1 {code}", f"dies failed 2 {code}", f"killed failed 1 {signal}"}
    assert ends == set(lines(done.stdout, "lost"))
    assert (3, ["raises"]) == (len(lines(done.stdout, "lost")), lines(done.stdout, "own"))
    assert ["task_failure failed"] == [" ".join(line.split()[:2]) for line in lines(done.stdout, "over")]
    assert 1 == done.returncode
    assert {"dies": "failed", "killed[0]": "failed", "raises": "failed"} == {
        name: row[0] for name, row in table(done.stdout).items()
    }


def test_a_callback_that_ends_its_process_changes_nothing_about_the_run(run):
    done = run("gone")

    assert (
        "callback   back.py: the process that called the callbacks ended without an answer: the runner exited with code 3"
        in done.stdout
    )
    assert (0, {"t": ["success", "1"]}) == (done.returncode, table(done.stdout))


def test_a_dag_without_tasks_has_its_callback_called_with_the_run_alone(run):
    assert ["['dag', 'reason', 'run_id']"] == lines(run("empty").stdout, "alone")


PLUGIN = """
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

class Listener:
    @hookimpl
    def on_task_instance_success(self, task_instance):
        print("heard:", task_instance.task_id)

    @hookimpl
    def on_dag_run_running(self, dag_run, msg):
        print("heard:", dag_run.state, msg, dag_run.run_type, dag_run.logical_date.date())
        raise LookupError("nor here")

    @hookimpl
    def on_dag_run_success(self, dag_run, msg):
        print("heard:", dag_run.state, msg)
        raise ValueError("no luck")

class Own(AirflowPlugin):
    listeners = [Listener()]
"""


def test_listeners_of_the_bundles_plugins_are_told_of_each_task_and_of_the_run(run, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/own.py").write_text(PLUGIN)
    done = run("good")

    assert ["running started manual 2026-01-02", "first", "success success"] == lines(done.stdout, "heard")
    assert "listener   plugins/own.py:13: LookupError: nor here" in done.stdout
    assert "listener   plugins/own.py:18: ValueError: no luck" in done.stdout
    assert 0 == done.returncode
    logs = sorted(path.name for path in (tmp_path / "home/logs").glob("dag_id=good/run_id=*/dag.listener.*"))
    assert ["dag.listener.1.log", "dag.listener.2.log"] == logs
