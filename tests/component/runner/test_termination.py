"""SIGTERM while a task runs (ADR 0005)."""

import os
import signal
import time

WAIT = """
import time
try:
    print("ready", flush=True)
    time.sleep(30)
finally:
    print("cleaned up:", Variable.get("a"))
"""


def answer_until(sidecar, kind):
    while True:
        request_id, body = sidecar.receive()
        if body["type"] == kind:
            return request_id, body
        sidecar.send(None, None, request_id)


def start_and_read_ready(sidecar, details, **changes):
    sidecar.send(details(**changes))
    request_id, _ = answer_until(sidecar, "SetRenderedFields")
    sidecar.send(None, None, request_id)
    assert b"ready\n" == os.read(sidecar._pipes["stdout"], 100)


def test_finally_blocks_run_and_may_ask_the_platform(sidecar, task_file, details):
    task_file(WAIT)
    sidecar.answers["GetVariable"] = {"type": "VariableResult", "key": "a", "value": "yes"}
    start_and_read_ready(sidecar, details, should_retry=True)

    os.killpg(sidecar.pid, signal.SIGTERM)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert "cleaned up: yes\n" == sidecar.stdout
    assert "RetryTask" == sidecar.asked[-1]["type"]
    assert sidecar.asked[-1]["retry_reason"].startswith("TaskTerminated")


def test_a_stop_after_the_tasks_time_is_the_time_out_that_its_code_and_its_callbacks_know(sidecar, task_file, details):
    task_file(
        """
        import time
        from airlock.sdk.exceptions import AirlockTaskTimeout
        try:
            print("ready", flush=True)
            time.sleep(30)
        except AirlockTaskTimeout as error:
            print("over:", error)
            raise
        """,
        options="execution_timeout=__import__('datetime').timedelta(seconds=0.3)",
    )
    start_and_read_ready(sidecar, details, should_retry=True)
    time.sleep(0.3)

    os.killpg(sidecar.pid, signal.SIGTERM)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert "over: the task ran longer than its execution_timeout of 0:00:00.300000\n" == sidecar.stdout
    assert sidecar.asked[-1]["retry_reason"].startswith("AirlockTaskTimeout")


def test_except_exception_does_not_swallow_a_stop(sidecar, task_file, details):
    task_file(
        """
        import time
        try:
            print("ready", flush=True)
            time.sleep(30)
        except Exception:
            return "swallowed"
        """
    )
    start_and_read_ready(sidecar, details)

    os.kill(sidecar.pid, signal.SIGTERM)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert "failed" == sidecar.asked[-1]["state"]


def test_a_second_sigterm_does_not_break_into_the_clean_up(sidecar, task_file, details):
    task_file(
        """
        import os, signal, time
        try:
            print("ready", flush=True)
            time.sleep(30)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            print("cleaned up")
        """
    )
    start_and_read_ready(sidecar, details)

    os.kill(sidecar.pid, signal.SIGTERM)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert "cleaned up\n" == sidecar.stdout


def test_on_kill_is_called_instead_and_the_task_goes_on(sidecar, details):
    sidecar.write(
        """
        import time
        from airlock.sdk import DAG, task, Variable
        stopped = []
        with DAG("d"):
            @task(on_kill=lambda: stopped.append(Variable.get("a")))
            def t():
                print("ready", flush=True)
                while not stopped:
                    time.sleep(0.01)
                return stopped[0]
            t()
        """
    )
    sidecar.answers["GetVariable"] = {"type": "VariableResult", "key": "a", "value": "stopped well"}
    start_and_read_ready(sidecar, details)

    os.kill(sidecar.pid, signal.SIGTERM)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert ["SetRenderedFields", "GetVariable", "SetXCom", "SucceedTask"] == sidecar.types
    assert "stopped well" == sidecar.asked[2]["value"]


def test_on_kill_waits_for_the_end_of_a_request_in_flight(sidecar, details):
    sidecar.write(
        """
        from airlock.sdk import DAG, task, Variable
        stopped = []
        with DAG("d"):
            @task(on_kill=lambda: stopped.append(Variable.get("b")))
            def t():
                return [Variable.get("a"), *stopped]
            t()
        """
    )
    sidecar.answers["GetVariable"] = {"type": "VariableResult", "key": "b", "value": "B"}
    sidecar.send(details())
    request_id, _ = answer_until(sidecar, "GetVariable")

    os.kill(sidecar.pid, signal.SIGTERM)
    sidecar.send({"type": "VariableResult", "key": "a", "value": "A"}, None, request_id)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert ["A", "B"] == sidecar.asked[-2]["value"]


def test_a_stop_in_the_middle_of_a_request_still_lets_the_task_report(sidecar, task_file, details):
    task_file("Variable.get('a')")
    sidecar.send(details())
    request_id, _ = answer_until(sidecar, "GetVariable")

    os.kill(sidecar.pid, signal.SIGTERM)
    while not any(line["event"].startswith("task t failed: TaskTerminated") for line in sidecar.read_log()):
        pass
    sidecar.send({"type": "VariableResult", "key": "a", "value": "too late"}, None, request_id)
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert "failed" == sidecar.asked[-1]["state"]


def test_a_process_that_the_task_forked_ends_like_any_other(sidecar, task_file, details):
    task_file(
        """
        import multiprocessing, time
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=[30])
        process.start()
        process.terminate()
        process.join(20)
        return process.exitcode
        """,
        options="on_kill=lambda: print('on_kill')",
    )

    sidecar.start(details())

    assert -signal.SIGTERM == next(body["value"] for body in sidecar.asked if body["type"] == "SetXCom")
    assert "" == sidecar.stdout
