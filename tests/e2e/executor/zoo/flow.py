"""How the tasks of a DAG follow one another: values, branches, groups, rules."""

from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import TaskGroup, TriggerRule, setup, task, task_group, teardown
from cages import each, say

for _ in each("taskflow"):

    @task
    def extract():
        say("extracts", 3)
        return {"a": 1, "b": [2, 3]}

    @task(multiple_outputs=True)
    def transform(got):
        return {"total": got["a"] + sum(got["b"]), "name": "zoo"}

    @task
    def load(total, name):
        say("loads", total, name)
        return f"{name}-{total}"

    done = transform(extract())
    load(done["total"], done["name"])

for _ in each("groups"):

    @task
    def numbers():
        return [1, 2, 3]

    @task_group
    def both(number):
        @task
        def double(n):
            return n * 2

        @task
        def add(n):
            say("adds one to", n)
            return n + 1

        return add(double(number))

    @task
    def total(values):
        return sum(values)

    total(both.expand(number=numbers()))

for _ in each("branching"):

    @task.branch
    def choose():
        say("chooses left")
        return "left"

    @task
    def left():
        return "left"

    @task
    def right():
        return "right"

    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def join():
        return "joined"

    choose() >> [left(), right()] >> join()

for _ in each("short_circuit"):

    @task
    def never():
        return "never"

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def at_last():
        say("runs all the same")

    stop = ShortCircuitOperator(task_id="stop", python_callable=lambda: False, ignore_downstream_trigger_rules=False)
    stop >> never() >> at_last()

for _ in each("rules"):

    @task
    def fails():
        raise ValueError("as it should")

    @task
    def works():
        return 1

    @task
    def after_all():
        return "not reached"

    @task(trigger_rule=TriggerRule.ONE_FAILED)
    def on_a_failure():
        return "one failed"

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def whatever():
        return "all done"

    @task(trigger_rule=TriggerRule.NONE_FAILED)
    def if_none_failed():
        return "not reached"

    bad, good = fails(), works()
    for follower in (after_all, on_a_failure, whatever, if_none_failed):
        [bad, good] >> follower()

for _ in each("setups"):

    @setup
    def open_it():
        return "opened"

    @task
    def use(what):
        say("uses", what)
        raise ValueError("broken")

    @teardown
    def close_it(what):
        say("closes", what)

    opened = open_it()
    use(opened) >> close_it(opened).as_teardown(setups=opened)

for _ in each("mapped_over_100"):

    @task
    def hundred():
        return list(range(100))

    @task
    def square(n):
        return n * n

    @task
    def all_of_them(values):
        return sum(values)

    all_of_them(square.expand(n=hundred()))

for _ in each("nested"):
    with TaskGroup("outer"):

        @task
        def first():
            return 1

        with TaskGroup("inner"):

            @task
            def second(n):
                return n + 1

            second(first())
