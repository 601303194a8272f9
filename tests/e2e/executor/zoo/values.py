"""What tasks are given and leave: templates, XComs, params, state, pools, priorities."""

import sys

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, Connection, Param, Variable, task
from cages import cage, each, say

for _ in each("templates", params={"who": Param("zoo", type="string")}):
    BashOperator(
        task_id="render",
        bash_command="echo 'zoo: {{ params.who }} {{ ti.task_id }} {{ ti.try_number }} {{ macros.ds_add(\"2026-01-01\", 2) }}'"
        " && echo {{ var.value.get('zoo_greeting', 'none') }}",
        env={"FROM": "{{ task.task_id }}"},
        append_env=True,
    )

for _ in each("large_xcom"):

    @task
    def large():
        return "x" * 10_000_000

    @task
    def length(text):
        say("has", len(text))
        return len(text)

    length(large())

for _ in each("pools", defaults={"pool": "zoo_pool"}):

    @task
    def one_at_a_time(n):
        return n

    one_at_a_time.expand(n=[1, 2])

for _ in each("priorities"):

    @task(priority_weight=10)
    def first(ti=None):
        return ti.priority_weight if hasattr(ti, "priority_weight") else 10

    @task(priority_weight=1, weight_rule="absolute")
    def second():
        return 1

    first()
    second()

for _ in each("other_python"):

    @task.external_python(python=sys.executable, expect_airflow=False)
    def elsewhere(n):
        print("zoo: elsewhere", n)
        return n + 1

    elsewhere(41)


def kept(short):
    return Asset(f"zoo-kept-{short}")


for dag in each("state_stores"):

    @task(retries=1, retry_delay=1)
    def remembers(task_state_store=None, ti=None):
        if ti.try_number == 1:
            task_state_store.set("job", "job-1")
            raise ValueError("lost it")
        return task_state_store.get("job")

    @task(inlets=[kept(cage(dag))], outlets=[kept(cage(dag))])
    def counts(short, asset_state_store=None):
        state = asset_state_store[kept(short)]
        state.set("runs", state.get("runs", default=0) + 1)
        return state.get("runs")

    remembers()
    counts(cage(dag))

for _ in each("lookups"):

    @task
    def looks():
        connection = Connection.get("zoo_db")
        say("connects to", connection.host, connection.password)
        return [Variable.get("zoo_greeting"), connection.host, Variable.get("zoo_missing", default="absent")]

    looks()
