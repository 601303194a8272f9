"""How tasks end: retries, callbacks, exits, kills."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from cages import cage, each, note, say
from kubernetes.client import V1Container, V1ObjectMeta, V1Pod, V1PodSpec, V1ResourceRequirements

#: The pod of a task that is killed for memory; LocalExecutor has none.
SMALL = V1Pod(
    metadata=V1ObjectMeta(labels={"zoo": "small"}),
    spec=V1PodSpec(
        containers=[
            V1Container(
                name="base",
                resources=V1ResourceRequirements(requests={"memory": "192Mi"}, limits={"memory": "192Mi"}),
            )
        ]
    ),
)

for _ in each("retries", defaults={"retries": 2, "retry_delay": timedelta(seconds=1)}):

    @task(retry_exponential_backoff=True, max_retry_delay=timedelta(seconds=2))
    def third_time(ti=None):
        say("try", ti.try_number)
        if ti.try_number < 3:
            raise ValueError(f"try {ti.try_number}")
        return ti.try_number

    @task
    def gives_up(ti=None):
        say("gives up in try", ti.try_number)
        raise AirflowFailException("no retry helps")

    third_time()
    gives_up()


def called(name):
    def callback(context):
        ti = context["ti"]
        note(context["dag"].dag_id, "callback", name, ti.task_id, ti.try_number)

    return callback


def of_the_dag(name):
    """A DAG's callback: which of its tasks it is given is not said anywhere."""

    def callback(context):
        note(context["dag"].dag_id, "callback", name)

    return callback


CALLBACKS = {f"on_{name}_callback": called(name) for name in ("execute", "success", "failure", "retry", "skipped")}

for _ in each("callbacks", defaults=CALLBACKS, on_success_callback=of_the_dag("dag_success")):

    @task
    def succeeds():
        pass

    @task
    def skips():
        raise AirflowSkipException

    @task(retries=1, retry_delay=timedelta(seconds=1))
    def once_more(ti=None):
        if ti.try_number == 1:
            raise ValueError("again")

    [succeeds(), skips(), once_more()]

for _ in each("failure_callbacks", defaults=CALLBACKS, on_failure_callback=of_the_dag("dag_failure")):

    @task
    def fails():
        raise ValueError("as it should")

    @task
    def exits():
        sys.stdout.flush()
        os._exit(3)

    fails()
    exits()

for _ in each("exits", defaults={"retries": 1, "retry_delay": timedelta(seconds=1)}):

    @task
    def exits_once(ti=None):
        say("try", ti.try_number)
        sys.stdout.flush()
        if ti.try_number == 1:
            os._exit(7)
        return "second try"

    exits_once()

for dag in each("memory", defaults={"on_failure_callback": called("failure")}):
    # The kernel kills a task in a pod; where there is no pod, the task is killed as the kernel would.
    local = cage(dag) == "local"

    @task(executor_config={} if local else {"pod_override": SMALL})
    def eats(local):
        say("eats")
        sys.stdout.flush()
        if local:
            os.kill(os.getpid(), signal.SIGKILL)
        eaten = []
        while True:
            eaten.append(bytearray(os.urandom(1 << 20)) * 16)

    eats(local)

for _ in each("outliving"):

    @task
    def leaves_a_child():
        subprocess.Popen(["sleep", "300"], start_new_session=True)
        say("leaves a child")

    leaves_a_child()

for _ in each("subprocess_output"):

    @task.bash
    def prints():
        return "echo 'zoo: from bash'; echo last"

    prints()

for _ in each("time_limit"):

    @task(execution_timeout=timedelta(seconds=3))
    def too_long():
        say("sleeps")
        time.sleep(60)

    too_long()
