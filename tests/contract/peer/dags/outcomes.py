"""Tasks that end in every way, once for each way of running them: Airflow's supervisor, and our sidecar."""

import os
import time
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from late_trigger import Heard

SOON = timedelta(milliseconds=100)


class Defers(BaseOperator):
    def execute(self, context):
        print("before the trigger")
        trigger = Heard(self.dag_id, self.task_id)
        self.defer(trigger=trigger, method_name="resume", kwargs={"from": "execute"})

    def resume(self, context, event=None, **kwargs):
        print("after the trigger")
        return {"event": str(event), **kwargs}


class DefersInVain(BaseOperator):
    """Its trigger fails."""

    def execute(self, context):
        self.defer(trigger=Heard(self.dag_id, self.task_id, fails=True), method_name="resume")


class SecondTime(BaseSensorOperator):
    def poke(self, context):
        first = context["ti"].get_first_reschedule_date(context)
        print("first" if first is None else "second")
        return first is not None


def said(which):
    def callback(context):
        print(f"{which} of {context['ti'].task_id}, try {context['ti'].try_number}")

    return callback


for way in ("theirs", "ours"):
    with DAG(f"{way}_outcomes", params={"who": "nobody"}, default_args={"retry_delay": SOON}):

        @task(on_success_callback=said("success callback"))
        def succeed():
            return {"answer": 42, "when": datetime(1999, 1, 2, tzinfo=UTC), "pair": (1, 2), "unicode": "grüße €"}

        @task(on_failure_callback=said("failure callback"))
        def fail():
            raise AirflowFailException("as it should")

        @task(retries=1, on_retry_callback=said("retry callback"))
        def retry(ti=None):
            if ti.try_number == 1:
                raise ValueError("not this time")
            return "the second time"

        @task
        def fail_by_another():
            try:
                {}["no such key"]
            except KeyError as e:
                raise RuntimeError("never") from e

        @task
        def skip():
            raise AirflowSkipException("nothing to do")

        @task.short_circuit
        def short_circuit():
            return False

        @task.branch
        def branch():
            return "taken"

        @task
        def exit_with_3():
            os._exit(3)

        @task(retries=1)
        def exit_with_3_once(ti=None):
            if ti.try_number == 1:
                os._exit(3)

        @task
        def exit_with_0():
            os._exit(0)

        @task
        def killed():
            os.kill(os.getpid(), 9)

        @task(execution_timeout=timedelta(seconds=0.5))
        def too_long():
            time.sleep(30)

        @task
        def large(ti=None):
            ti.xcom_push("large", "x" * (10 * 1024 * 1024))
            return len(ti.xcom_pull(task_ids="large", key="large"))

        @task(map_index_template="{{ 'named ' ~ task.op_kwargs['n'] }}")
        def mapped(n):
            print("mapped", n)
            if n == 2:
                raise ValueError("not two")
            return n * 10

        @task
        def listed():
            return [1, 2, 3]

        @task(multiple_outputs=True)
        def several():
            return {"one": 1, "two": [2, None]}

        @task(trigger_rule="all_done")
        def total(values):
            return sum(values)

        (
            succeed(),
            fail(),
            retry(),
            fail_by_another(),
            skip(),
            exit_with_3(),
            exit_with_3_once(),
            exit_with_0(),
            killed(),
        )
        too_long(), several(), large()
        total(mapped.expand(n=listed()))
        short_circuit() >> EmptyOperator(task_id="skipped_by_it")
        branch() >> [EmptyOperator(task_id="taken"), EmptyOperator(task_id="not_taken")]
        Defers(task_id="defer")
        DefersInVain(task_id="defer_in_vain")
        SecondTime(task_id="reschedule", mode="reschedule", poke_interval=3)
        BashOperator(
            task_id="bash",
            bash_command="echo {{ params.who }} in {{ run_id }}; echo complained >&2",
            env={"MINE": "{{ dag_run.conf['asked'] }}", "PASSWORD": "{{ var.value.a_password }}"},
            append_env=True,
        )
