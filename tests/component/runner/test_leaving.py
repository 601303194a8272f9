"""What a task left running when its function returned: it ends first, as it would at the end of a program."""

import pytest


def test_a_process_that_was_not_joined_ends_before_the_outcome(sidecar, task_file, details):
    task_file(
        """
        import multiprocessing, time
        def work():
            time.sleep(0.5)
            print("worked", flush=True)
        multiprocessing.get_context("fork").Process(target=work).start()
        """
    )
    sidecar.start(details())

    assert ("worked\n", "SucceedTask") == (sidecar.stdout, sidecar.types[-1])


def test_exit_functions_run_in_their_order_before_the_outcome(sidecar, task_file, details):
    task_file(
        """
        import atexit
        atexit.register(print, "first in")
        atexit.register(lambda: print("last in, asks", Variable.get("a")))
        """
    )
    sidecar.answers["GetVariable"] = {"type": "VariableResult", "key": "a", "value": "yes"}
    sidecar.start(details())

    assert "last in, asks yes\nfirst in\n" == sidecar.stdout
    assert ["GetVariable", "SucceedTask"] == sidecar.types[-2:]


@pytest.mark.parametrize(
    "start",
    [
        "import threading; threading.Thread(target=work).start()",
        "from concurrent.futures import ThreadPoolExecutor; ThreadPoolExecutor(1).submit(work)",
    ],
    ids=["thread", "pool"],
)
def test_a_thread_that_was_not_joined_ends_before_the_outcome(sidecar, task_file, details, start):
    task_file(
        f"""
        import time
        def work():
            time.sleep(0.3)
            print("worked", flush=True)
        {start}
        """
    )
    sidecar.start(details())

    assert ("worked\n", "SucceedTask") == (sidecar.stdout, sidecar.types[-1])


def test_a_pool_of_processes_that_was_not_shut_down_does_its_work(sidecar, task_file, details):
    task_file(
        """
        import multiprocessing, time
        from concurrent.futures import ProcessPoolExecutor
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))
        pool.submit(time.sleep, 0.2).add_done_callback(lambda done: print("done", done.result(), flush=True))
        """
    )
    sidecar.start(details())

    assert ("done None\n", "SucceedTask") == (sidecar.stdout, sidecar.types[-1])


def test_a_failed_task_leaves_as_well(sidecar, task_file, details):
    task_file("import atexit; atexit.register(print, 'left'); raise ValueError('no')")
    sidecar.start(details())

    assert ("left\n", "failed") == (sidecar.stdout, sidecar.asked[-1]["state"])


def test_an_exit_function_that_raises_is_seen_and_changes_no_outcome(sidecar, task_file, details):
    task_file("import atexit; atexit.register(lambda: 1 / 0)")
    sidecar.start(details())

    assert "SucceedTask" == sidecar.types[-1]
    assert "ZeroDivisionError" in sidecar.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "multiprocessing.get_context('fork').Process(target=time.sleep, args=[60], name='slow').start()",
            "process 'slow'",
        ),
        ("threading.Thread(target=time.sleep, args=[60], name='slow').start()", "thread 'slow'"),
        ("atexit.register(time.sleep, 60)", "exit functions"),
    ],
    ids=["process", "thread", "exit function"],
)
def test_what_is_cut_off_is_said_in_the_log(sidecar, task_file, details, body, words):
    task_file(
        f"""
        import atexit, multiprocessing, threading, time
        from airlock_runner.task import leaving
        leaving.leave.__defaults__ = (0.5,)
        {body}
        """
    )
    sidecar.start(details())

    assert "SucceedTask" == sidecar.types[-1]
    assert [words] == [words for line in sidecar.log if line["level"] == "warning" and words in line["event"]]


@pytest.mark.parametrize(
    "body",
    [
        "multiprocessing.get_context('fork').Process(target=time.sleep, args=[60]).start()",
        "threading.Thread(target=time.sleep, args=[60]).start()",
        "atexit.register(time.sleep, 60)",
    ],
    ids=["process", "thread", "exit function"],
)
def test_a_time_that_ends_between_two_things_to_wait_for_changes_no_outcome(sidecar, task_file, details, body):
    task_file(
        f"""
        import atexit, multiprocessing, threading, time
        from airlock_runner.task import leaving
        leaving.leave.__defaults__ = (0.0005,)
        leaving._AGAIN_SECONDS = 0.0005
        {body}
        """
    )
    sidecar.start(details())

    assert "SucceedTask" == sidecar.types[-1]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('words')", 1),
        ("raise ValueError('no')", 1),
        ("return 'value'", 0),
    ],
)
def test_a_process_that_the_task_forked_ends_with_pythons_own_code(sidecar, task_file, details, end, code):
    task_file(
        f"""
        import os, sys
        pid = os.fork()
        if pid == 0:
            {end}
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """
    )
    sidecar.start(details())

    assert (f"{code}\n", "SucceedTask") == (sidecar.stdout, sidecar.types[-1])
    assert 1 == sidecar.types.count("SucceedTask")
