"""The callbacks of a DAG, called by our command and by Airflow's dag.test(): the same ones, with the same context."""

import json

import pytest

FILE = """
import json, os
from airflow.sdk import DAG, BaseNotifier, task

def note(name, context, **more):
    run = context.get("dag_run")
    seen = {
        "callback": name,
        "keys": sorted(context),
        "reason": context["reason"],
        "dag": context["dag"].dag_id,
        "run_id": context["run_id"].partition("__")[0],
        "run": run and [run.run_id == context["run_id"], run.dag_id, str(getattr(run.state, "value", run.state)), str(run.logical_date)],
        "ti": "ti" in context and [context["ti"].task_id, context["ti"].map_index, context["ti"].try_number],
        "task": "task" in context and context["task"].task_id,
        "ds": context.get("ds"),
        **more,
    }
    with open(os.environ["SEEN"], "a") as output:
        output.write(json.dumps(seen) + chr(10))

def success(context):
    note("success", context)

def failure(context):
    note("failure", context)

def wrong(context):
    note("wrong", context)
    raise ValueError("no luck")

class Notifier(BaseNotifier):
    template_fields = ("text",)

    def __init__(self, text):
        super().__init__()
        self.text = text

    def notify(self, context):
        note("notifier", context, text=self.text)

both = {
    "on_success_callback": [wrong, success, Notifier("{{ dag.dag_id }} {{ ds }} {{ reason }}")],
    "on_failure_callback": [wrong, failure, Notifier("{{ reason }}")],
}

with DAG("good", **both):
    @task
    def first(): ...
    @task
    def last(): ...
    first() >> last()

with DAG("bad", **both):
    @task
    def fails():
        raise RuntimeError("over")
    @task
    def after(): ...
    fails() >> after()

with DAG("mapped", **both):
    @task
    def each(x):
        return x
    each.expand(x=[1])

with DAG("skipped", **both):
    @task.skip_if(lambda context: True)
    @task
    def no(): ...
    no()
"""
DAGS = ["good", "bad", "mapped", "skipped"]
#: Of these a notifier has its template rendered by us alone. Airflow's dag.test() passes the DAG as its scheduler knows
#: it, which has no templates; Airflow's DAG processor passes the author's, as we do.
NOTIFIED = {"good": "good 2026-01-02 success", "bad": "task_failure", "mapped": "mapped 2026-01-02 success"}
#: Keys of one context alone, and why. A task's own context differs in the same.
ONE_ALONE = {
    "conf": "ours has the run's configuration by itself",
    "map_index": "ours has it by itself, and by ti",
    "try_number": "ours has it by itself, and by ti",
    "task_state": "the name of task_state_store before 3.3.2",
    "expanded_ti_count": "ours has it for an instance of a mapped task",
    "inlet_events": "ours has it for a task with inlets or outlets",
    "outlet_events": "ours has it for a task with inlets or outlets",
}


@pytest.fixture(scope="module")
def seen(run_by_airflow, run_by_us, tmp_path_factory):
    """What each callback saw, by whose command and by DAG."""
    folder = tmp_path_factory.mktemp("callbacks")
    (folder / "bundle").mkdir()
    (folder / "bundle" / "back.py").write_text(FILE)
    run_by_airflow(folder, DAGS, {"SEEN": str(folder / "theirs")})
    run_by_us(folder, DAGS, {"SEEN": str(folder / "ours")})
    return {
        whose: {
            dag_id: [
                line
                for text in (folder / whose).read_text().splitlines()
                if (line := json.loads(text))["dag"] == dag_id
            ]
            for dag_id in DAGS
        }
        for whose in ("theirs", "ours")
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("dag_id", DAGS)
def test_the_same_callbacks_see_the_same(seen, dag_id):
    notified = [each["text"] for each in seen["ours"][dag_id] if each["callback"] == "notifier"]
    theirs, ours = (
        [
            {**each, "keys": sorted(set(each["keys"]) - ONE_ALONE.keys())}
            for each in seen[whose][dag_id]
            if each["callback"] != "notifier"
        ]
        for whose in ("theirs", "ours")
    )

    assert theirs == ours
    assert 2 == len(ours)
    assert [text for of, text in NOTIFIED.items() if of == dag_id] == notified
