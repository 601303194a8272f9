"""Tasks that end in every way a task can end. Each first writes a line into the witness: user code has begun."""

import os
import time

from airlock.sdk import DAG, Variable, task
from airlock.sdk.exceptions import AirlockFailException, AirlockSkipException


def witness(conf):
    fd = os.open(conf["witness"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(fd, b"start %d\n" % os.getpid())
    os.close(fd)


def begin(dag_run):
    witness(dag_run.conf)
    return dag_run.conf


for retries in (0, 2):
    with DAG(f"faults_{retries}", default_args={"retries": retries}):

        @task
        def work(dag_run, ti):
            """About a second of all that a task does."""
            begin(dag_run)
            for step in range(10):
                print(f"line {step}")
                Variable.get("v", default=None)
                ti.xcom_push(key="step", value=step)
                time.sleep(0.1)
            return "done"

        @task
        def first_hangs(dag_run):
            """Its first start waits to be killed, every later one returns."""
            conf = begin(dag_run)
            if len(open(conf["witness"]).readlines()) == 1:
                time.sleep(120)
            return "done"

        @task
        def hang(dag_run):
            begin(dag_run)
            time.sleep(120)

        @task
        def exits(dag_run):
            conf = begin(dag_run)
            os._exit(conf["code"])

        @task
        def fails(dag_run):
            begin(dag_run)
            raise ValueError("as it should")

        @task
        def fails_for_good(dag_run):
            begin(dag_run)
            raise AirlockFailException("for good")

        @task
        def skips(dag_run):
            begin(dag_run)
            raise AirlockSkipException("not today")

        @task
        def long(dag_run, ti):
            """As long as it is told, asking for something once a second."""
            conf = begin(dag_run)
            ends = time.monotonic() + conf["seconds"]
            while time.monotonic() < ends:
                Variable.get("v", default=None)
                time.sleep(1)
            return "done"

        @task(execution_timeout=1)
        def deaf(dag_run):
            """Takes no hint: only SIGKILL ends it."""
            begin(dag_run)
            ends = time.monotonic() + 60
            while time.monotonic() < ends:
                try:
                    time.sleep(60)
                except BaseException as e:
                    print(f"ignored {type(e).__name__}")

        @task(execution_timeout=1)
        def tidy(dag_run):
            """Cleans up when its time is up."""
            begin(dag_run)
            try:
                time.sleep(60)
            finally:
                print("cleaned up")

        @task
        def leaves_a_daemon(dag_run):
            """Its daemon has a session of its own and holds the streams open for a while."""
            begin(dag_run)
            if os.fork() == 0:
                os.setsid()
                time.sleep(8)
                os._exit(0)
            return "done"

        for each in (work, first_hangs, hang, exits, fails, fails_for_good, skips, long, deaf, tidy, leaves_a_daemon):
            each()
