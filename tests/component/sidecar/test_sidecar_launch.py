"""A launch from the connection to the record, with the Execution API scripted and the launcher played."""

import contextlib
import signal as signals
import time
from pathlib import Path

import pytest
from doubles.api import RUN_CONTEXT, Answer
from doubles.launcher import FAIL, RETRY, SUCCEED, USER_CODE_BEGINS
from doubles.sidecar import work

from airlock_wire.record import Exit, Reason


def test_a_task_that_succeeds_is_reported_once_and_recorded(api, sidecar, launcher):
    startup = launcher.begin()
    launcher.write("stdout", b"hello\n")
    answer = launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert ("StartupDetails", "dag.py") == (startup["type"], startup["dag_rel_path"])
    assert (None, None) == (answer.body, answer.error)
    assert ["success"] == api.states()
    assert (Reason.SUCCEEDED, "success", True) == (record.reason, record.state, record.acknowledged)
    assert ["hello"] == [line["event"] for line in sidecar.log()]


def test_run_is_sent_when_the_launcher_connects_and_not_before(api, sidecar, launcher):
    before = list(api.calls)
    launcher.begin()

    assert [] == before
    assert "/task-instances/01890000-0000-7000-8000-000000000001/run" == api.calls[0].path
    assert {"state", "hostname", "unixname", "pid", "start_date"} == set(api.calls[0].body)
    assert "token-0" == api.calls[0].token


def test_what_serves_a_runner_is_loaded_while_the_launcher_is_waited_for(make_sidecar):
    """A pod's second container is made meanwhile; later it would take the time of the task's own first steps."""
    sidecar = make_sidecar()
    sidecar.env["PYTHONPROFILEIMPORTTIME"] = "1"
    sidecar.start()
    ends = time.monotonic() + 10
    while "airlock_sidecar.requests.handlers\n" not in (sidecar.folder / "stderr").read_text():
        assert time.monotonic() < ends, "not loaded"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("code", "signal", "should_retry", "state"),
    [
        (3, None, False, "failed"),
        (3, None, True, "up_for_retry"),
        (0, None, False, "failed"),
        (None, 9, True, "up_for_retry"),
    ],
)
def test_an_end_without_a_word_is_judged_at_once(api, sidecar, launcher, code, signal, should_retry, state):
    api.answers["/run"] = lambda _: Answer(200, RUN_CONTEXT | {"should_retry": should_retry})
    launcher.begin()
    launcher.exit(code, signal)
    record = sidecar.end()

    assert [state] == api.states()
    assert (Reason.CRASHED, state, True, True) == (record.reason, record.state, record.acknowledged, record.judged)
    assert Exit(code=code, signal=signal) == record.exit


def test_a_launcher_that_vanishes_is_left_to_the_owner(api, sidecar, launcher):
    launcher.begin()
    launcher.vanish()
    record = sidecar.end()

    assert [] == api.states()
    assert (Reason.VANISHED, None) == (record.reason, record.state)


@pytest.mark.parametrize("body", [FAIL, RETRY])
def test_a_failure_after_sigterm_is_withheld(api, sidecar, launcher, body):
    launcher.begin()
    launcher.say("signalled", signal=15)
    launcher.hear("ack")
    answer = launcher.ask(body)
    launcher.exit()
    record = sidecar.end()

    assert (None, []) == (answer.error, api.states())
    assert Reason.INTERRUPTED == record.reason


def test_a_success_after_sigterm_does_not_count(api, sidecar, launcher):
    launcher.begin()
    launcher.say("signalled", signal=15)
    launcher.hear("ack")
    launcher.ask(SUCCEED)
    launcher.exit()

    assert (Reason.INTERRUPTED, []) == (sidecar.end().reason, api.states())


def test_a_success_before_sigterm_counts(api, sidecar, launcher):
    launcher.begin()
    launcher.ask(SUCCEED)
    launcher.say("signalled", signal=15)
    launcher.hear("ack")
    launcher.exit()

    assert (Reason.SUCCEEDED, ["success"]) == (sidecar.end().reason, api.states())


@pytest.mark.parametrize(
    ("status", "detail", "reason"),
    [
        (409, {"reason": "invalid_state", "previous_state": "success"}, Reason.ALREADY_FINISHED),
        (409, {"reason": "invalid_state", "previous_state": "running"}, Reason.SUPERSEDED),
        (404, {"reason": "not_found"}, Reason.SUPERSEDED),
        (403, "Invalid auth token", Reason.TOKEN_EXPIRED),
        (401, "Missing auth token", Reason.TOKEN_EXPIRED),
        (422, [], Reason.REJECTED),
    ],
)
def test_a_refused_start_stops_the_runner_and_says_why(api, sidecar, launcher, status, detail, reason):
    api.answers["/run"] = lambda _: Answer(status, {"detail": detail})
    launcher.connect()
    launcher.say("forked")
    launcher.hear("stop")
    launcher.exit(None, 15)
    record = sidecar.end()

    assert [] == api.states()
    assert reason == record.reason


@pytest.mark.parametrize("status", [404, 409, 410])
def test_a_heartbeat_that_is_refused_stops_the_runner_and_reports_nothing(api, make_sidecar, make_launcher, status):
    sidecar = make_sidecar(sidecar__heartbeat_seconds=0.2).start()
    launcher = make_launcher(sidecar)
    api.answers["/heartbeat"] = lambda _: Answer(status, {"detail": {"reason": "not_running"}})
    launcher.begin()
    launcher.hear("stop")
    launcher.ask(SUCCEED)
    launcher.exit(None, 15)

    assert (Reason.SUPERSEDED, []) == (sidecar.end().reason, api.states())


def test_a_heartbeat_says_what_the_route_takes_and_nothing_more(api, make_sidecar, make_launcher):
    launcher = make_launcher(make_sidecar(sidecar__heartbeat_seconds=0.05).start())
    launcher.begin()
    ends = time.monotonic() + 10
    while not (beats := [call for call in api.calls if call.path.endswith("/heartbeat")]):
        assert time.monotonic() < ends
        time.sleep(0.01)
    run = next(call for call in api.calls if call.path.endswith("/run"))

    assert beats[0].body == {"hostname": run.body["hostname"], "pid": run.body["pid"]}


def test_nobody_connecting_is_recorded(make_sidecar):
    sidecar = make_sidecar(sidecar__connect_seconds=0.3).start()

    assert Reason.RUNNER_NEVER_CONNECTED == sidecar.wait_for_record().reason


def test_a_task_over_its_time_is_stopped_and_judged(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(work(execution_timeout_seconds=0.5)).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.ask(USER_CODE_BEGINS)
    launcher.hear("stop")
    launcher.exit(None, 15)

    assert (Reason.TIMED_OUT, ["failed"]) == (sidecar.end().reason, api.states())


def test_sigterm_wakes_a_thread_that_only_waits_for_it(sidecar, launcher):
    """A Python handler can miss the moment in which the main thread goes to sleep: it cost a launch 60 seconds."""
    launcher.begin()
    sigterm = 1 << (signals.SIGTERM - 1)

    def threads():
        """Each thread's status, of those that do not end while they are looked at."""
        for thread in Path(f"/proc/{sidecar.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield dict(line.split(":\t") for line in (thread / "status").read_text().splitlines())

    def waiting():
        """Those that a SIGTERM would wake: the kernel shows it as not held back only while it is waited for."""
        return [each for each in threads() if not int(each["SigBlk"], 16) & sigterm]

    ends = time.monotonic() + 10
    while not waiting() and time.monotonic() < ends:
        time.sleep(0.01)

    assert [] == [each["Name"] for each in threads() if int(each["SigCgt"], 16) & sigterm]
    assert 1 == len(waiting())
