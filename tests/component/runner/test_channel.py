"""The frames channel under a sidecar that dies, threads, forks and signals."""

import os

import pytest

from airlock_wire.protocol import frames

TWO_LOOKUPS = "return [Variable.get('a'), Variable.get('b')]"


def variable(body):
    return {"type": "VariableResult", "key": body["key"], "value": body["key"].upper()}


def pushed(sidecar):
    return next(body["value"] for body in sidecar.asked if body["type"] == "SetXCom")


def until(sidecar, kind):
    """Answers until a request of this kind comes, and leaves that one open."""
    while True:
        request_id, body = sidecar.receive()
        if body["type"] == kind:
            return request_id, body
        sidecar.send(None, None, request_id)


def test_a_request_in_flight_is_sent_again_when_the_sidecar_comes_back(sidecar, task_file, details):
    task_file(TWO_LOOKUPS)
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    first = until(sidecar, "GetVariable")

    sidecar.hand_over()
    again = sidecar.receive()
    sidecar.send(variable(again[1]), None, again[0])
    sidecar.serve()

    assert again == first
    assert ["A", "B"] == pushed(sidecar)
    assert 0 == sidecar.wait()


def test_an_answer_cut_off_in_the_middle_is_asked_for_again(sidecar, task_file, details):
    task_file(TWO_LOOKUPS)
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    until(sidecar, "GetVariable")

    sidecar.frames.sendall(b"\x00\x00\x00\x40\x93")
    sidecar.hand_over()
    sidecar.serve()

    assert ["A", "B"] == pushed(sidecar)
    assert 0 == sidecar.wait()


def test_a_sidecar_lost_while_nothing_is_asked_is_noticed_by_the_next_request(sidecar, task_file, details):
    task_file(
        f"""
        import pathlib, time
        while not pathlib.Path({str(sidecar.bundle / "go")!r}).exists():
            time.sleep(0.01)
        {TWO_LOOKUPS}
        """
    )
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    request_id, _ = until(sidecar, "SetRenderedFields")
    sidecar.send(None, None, request_id)

    sidecar.hand_over()
    sidecar.hand_over()
    (sidecar.bundle / "go").touch()
    sidecar.serve()

    assert ["A", "B"] == pushed(sidecar)
    assert 0 == sidecar.wait()


def test_user_code_does_not_wait_for_its_rendered_fields_to_be_taken(sidecar, task_file, details):
    task_file("print('begun', flush=True)")
    sidecar.send(details())
    request_id, _ = sidecar.receive()

    assert b"begun\n" == os.read(sidecar._pipes["stdout"], 100)

    sidecar.send(None, None, request_id)
    sidecar.serve()
    assert ["SetRenderedFields", "SucceedTask"] == sidecar.types


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "by the sidecar that came back"])
def test_rendered_fields_that_are_refused_are_a_warning_and_no_failure(sidecar, task_file, details, lost):
    task_file(TWO_LOOKUPS)
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    first = sidecar.receive()

    if lost:
        sidecar.hand_over()
        assert sidecar.receive() == first
    no = {"error": "API_SERVER_ERROR", "detail": {"status_code": 404, "message": "no such row"}}
    sidecar.send(None, no, first[0])
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert ["A", "B"] == pushed(sidecar)
    assert "SucceedTask" == sidecar.types[-1]
    warned = sidecar.log[0]
    assert "warning" == warned["level"]
    assert "rendered arguments cannot be shown: " in warned["event"]
    assert "no such row" in warned["event"]


def test_an_answer_to_rendered_fields_that_does_not_decode_is_a_warning_too(sidecar, task_file, details):
    task_file(TWO_LOOKUPS)
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    sidecar.receive()

    sidecar.frames.sendall(b"\x00\x00\x00\x01\xc1")
    sidecar.serve()

    assert 0 == sidecar.wait()
    assert ["A", "B"] == pushed(sidecar)
    assert "warning" == sidecar.log[0]["level"]


def test_an_answer_that_does_not_decode_fails_its_own_request_only(sidecar, task_file, details):
    task_file(
        """
        try:
            Variable.get("a")
        except AirlockException as e:
            return [str(e), Variable.get("b")]
        """
    )
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    until(sidecar, "GetVariable")

    sidecar.frames.sendall(b"\x00\x00\x00\x01\xc1")
    sidecar.serve()

    complaint, value = pushed(sidecar)
    assert "the sidecar sent a frame that does not decode" in complaint
    assert "B" == value


def test_a_startup_message_sent_again_is_no_answer(sidecar, task_file, details):
    task_file(TWO_LOOKUPS)
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    until(sidecar, "SetRenderedFields")

    sidecar.hand_over()
    sidecar.send(details())
    sidecar.serve()

    assert ["A", "B"] == pushed(sidecar)


def test_a_sidecar_lost_before_the_first_message_is_waited_for(sidecar, task_file, details):
    task_file("...")

    sidecar.hand_over()
    sidecar.start(details())

    assert ["SetRenderedFields", "SucceedTask"] == sidecar.types


def test_a_launcher_that_is_gone_too_ends_the_runner_with_code_one(sidecar, task_file, details):
    task_file(TWO_LOOKUPS)
    sidecar.send(details())
    until(sidecar, "GetVariable")

    sidecar.handoff.close()

    assert 1 == sidecar.wait()
    assert "the launcher has no new connection" in sidecar.log[0]["event"]


def test_threads_that_ask_at_once_each_get_their_own_answer(sidecar, task_file, details):
    task_file(
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(Variable.get, [f"k{i}" for i in range(64)]))
        """
    )
    sidecar.answers["GetVariable"] = variable

    sidecar.start(details())

    assert pushed(sidecar) == [f"K{i}" for i in range(64)]
    assert sidecar.ids == list(range(len(sidecar.ids)))


def test_a_process_that_the_task_forks_is_refused_and_spoils_nothing(sidecar, task_file, details):
    task_file(
        """
        import multiprocessing
        def lookup(box):
            try:
                Variable.get("a")
            except Exception as e:
                box.put(str(e))
        fork = multiprocessing.get_context("fork")
        box = fork.Queue()
        process = fork.Process(target=lookup, args=[box])
        process.start()
        text = box.get(timeout=20)
        process.join()
        return [text, Variable.get("b")]
        """
    )
    sidecar.answers["GetVariable"] = variable

    sidecar.start(details())

    refusal, value = pushed(sidecar)
    assert "GetVariable was asked in a process that the task started" in refusal
    assert "B" == value
    assert ["b"] == [body["key"] for body in sidecar.asked if body["type"] == "GetVariable"]


def test_a_forked_process_that_runs_on_past_the_task_reports_nothing(sidecar, task_file, details):
    task_file(
        """
        import os
        pid = os.fork()
        if pid == 0:
            return "from the child"
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        """
    )

    sidecar.start(details())

    assert 0 == pushed(sidecar)
    assert ["SetRenderedFields", "SetXCom", "SucceedTask"] == sidecar.types


@pytest.mark.parametrize("answer_bytes", [0, 3, 20])
def test_a_signal_handler_that_raises_in_the_middle_of_a_request_leaves_the_stream_whole(
    sidecar, task_file, details, answer_bytes
):
    task_file(
        """
        import signal
        class TooSlow(Exception): ...
        def ring(*_):
            print("rang", flush=True)
            raise TooSlow
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            Variable.get("slow")
        except TooSlow:
            return Variable.get("b")
        """
    )
    sidecar.answers["GetVariable"] = variable
    sidecar.send(details())
    request_id, body = until(sidecar, "GetVariable")
    late = frames.response(request_id, variable(body))
    sidecar.frames.sendall(late[:answer_bytes])

    # The alarm rings while this answer is incomplete; the next request is sent only after the rest of it came.
    assert b"rang\n" == os.read(sidecar._pipes["stdout"], 100)
    sidecar.frames.sendall(late[answer_bytes:])
    sidecar.serve()

    assert "B" == pushed(sidecar)
    assert [0, 1, 2, 3, 4] == sidecar.ids


def test_many_interruptions_never_mix_up_answers(sidecar, task_file, details):
    task_file(
        """
        import signal
        class Tick(Exception): ...
        def tick(*_):
            raise Tick
        signal.signal(signal.SIGALRM, tick)
        wrong, interrupted = [], 0
        for i in range(400):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00005 + (i % 40) * 0.00001)
                try:
                    value = Variable.get(f"k{i}")
                    if value != f"K{i}":
                        wrong.append((i, value))
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except Tick:
                interrupted += 1
        print(interrupted)
        return wrong
        """
    )
    sidecar.answers["GetVariable"] = variable

    sidecar.start(details())

    assert [] == pushed(sidecar)
    assert int(sidecar.stdout) > 0
    assert "SucceedTask" == sidecar.types[-1]


def test_signals_are_as_in_a_fresh_process_when_user_code_begins(sidecar, details):
    sidecar.write(
        """
        import signal
        from airlock.sdk import *
        found = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
        with DAG("d"):
            @task
            def t():
                return [found == [signal.SIG_DFL, signal.default_int_handler]]
            t()
        """
    )

    sidecar.start(details())

    assert [True] == pushed(sidecar)
