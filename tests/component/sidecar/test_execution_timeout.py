"""
What counts for a task's time limit: a real sidecar and a real runner, and a server that goes away for longer than it.
"""

import time

import pytest
from doubles.api import Answer, Drop
from doubles.launcher import SUCCEED, USER_CODE_BEGINS
from doubles.sidecar import work

from airlock_wire import pod
from airlock_wire.record import Reason

#: Each test waits for an outage of the server or for its limit to pass.
pytestmark = pytest.mark.slow(seconds=8)

LIMIT = 2.0
#: Longer than the limit.
AWAY = 5.0


@pytest.fixture
def launch(api, make_sidecar, make_runner):
    """Starts a launch of a task with this body and the limit."""
    api.answers["/variables/k"] = lambda _: Answer(200, {"key": "k", "value": "v"})

    def start(body, limit=LIMIT, **how):
        limited = work(execution_timeout_seconds=limit)
        sidecar = make_sidecar(limited, sidecar__heartbeat_seconds=0.3, api__timeout_seconds=1).start()
        return sidecar, make_runner(sidecar, body, **how)

    return start


def go_away(api, seconds=AWAY, first="/variables/k", hang=False):
    """From the first request of this path on, nothing is answered for a while; returns a list of when that began."""
    answer, began = api.answer, []

    def away(call):
        if call.path.endswith(first) and not began:
            began.append(time.monotonic())
        if began and (left := began[0] + seconds - time.monotonic()) > 0:
            if hang:
                time.sleep(left)
            raise Drop
        return answer(call)

    api.answer = away
    return began


def until(holds, seconds=60):
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.05)


def logged(sidecar):
    return sidecar.log_path.read_text() if sidecar.log_path.exists() else ""


def end(sidecar, runner):
    runner.wait()
    return sidecar.end()


def test_a_server_that_is_away_for_longer_than_the_limit_costs_nothing(api, launch):
    began = go_away(api)
    record = end(*launch("assert 'v' == Variable.get('k')"))

    assert (Reason.SUCCEEDED, True, ["success"]) == (record.reason, record.acknowledged, api.states())
    assert record.timeline["terminal"] - record.timeline["started"] > AWAY
    assert began


def test_a_server_that_takes_requests_and_answers_none_costs_nothing(api, launch):
    """The limit passes while the first try is under way, so its outcome must be waited for."""
    go_away(api, hang=True)

    assert Reason.SUCCEEDED == end(*launch("Variable.get('k')", limit=0.7)).reason


def test_a_server_that_is_away_when_the_task_ends_costs_nothing(api, launch):
    go_away(api, first="/state")
    record = end(*launch("pass"))

    assert (Reason.SUCCEEDED, True) == (record.reason, record.acknowledged)
    assert record.timeline["acknowledged"] - record.timeline["terminal"] > AWAY - 1


def test_a_task_that_runs_over_its_limit_is_stopped_although_the_server_was_away(api, launch):
    began = go_away(api)
    record = end(*launch("Variable.get('k')\ntime.sleep(60)"))
    own = record.timeline["exited"] - record.timeline["started"] - AWAY

    assert (Reason.TIMED_OUT, ["failed"], 1) == (record.reason, api.states(), len(began))
    assert LIMIT <= own < LIMIT + 20


def test_a_task_that_works_while_the_server_is_away_is_stopped_at_its_limit(api, launch):
    """Nothing waits for the server: the heartbeats alone fail."""
    sidecar, runner = launch("print('ready', flush=True)\ntime.sleep(60)")
    until(lambda: "ready" in logged(sidecar) and any(call.path.endswith("/rtif") for call in api.calls))
    go_away(api, 20, first="/heartbeat")
    launched = time.monotonic()
    until(lambda: "execution_timeout" in logged(sidecar))

    assert time.monotonic() < launched + 15
    assert Reason.TIMED_OUT == end(sidecar, runner).reason


def test_requests_that_are_answered_are_the_tasks_time(api, launch):
    record = end(*launch("while True:\n    Variable.get('k')"))

    assert Reason.TIMED_OUT == record.reason
    assert record.timeline["exited"] - record.timeline["started"] < LIMIT + 20


def test_a_request_that_the_server_alone_cannot_serve_is_the_tasks_time(api, launch):
    api.answers["/variables/bad"] = lambda _: Answer(500, {"message": "Internal server error"})
    body = "while True:\n    try:\n        Variable.get('bad')\n    except AirlockException:\n        pass"
    record = end(*launch(body))

    assert Reason.TIMED_OUT == record.reason
    assert record.timeline["exited"] - record.timeline["started"] < LIMIT + 20


def test_a_slow_import_of_the_dag_file_is_not_the_tasks_time(api, launch):
    record = end(*launch("pass", limit=1.0, before="time.sleep(3)"))

    assert (Reason.SUCCEEDED, ["success"]) == (record.reason, api.states())


def test_the_time_in_which_the_sidecar_was_down_is_not_the_tasks(api, launch):
    sidecar, runner = launch("print('ready', flush=True)\ntime.sleep(6)", limit=4.0)
    until(lambda: "ready" in logged(sidecar))
    sidecar.kill()
    time.sleep(4)
    sidecar.start()

    assert Reason.SUCCEEDED == end(sidecar, runner).reason


def test_a_restart_of_the_sidecar_does_not_give_the_whole_time_again(launch):
    sidecar, runner = launch("print('ready', flush=True)\ntime.sleep(60)", limit=10.0)
    until(lambda: "ready" in logged(sidecar))
    time.sleep(7.5)
    sidecar.kill()
    sidecar.start()
    restarted = time.monotonic()
    until(lambda: "execution_timeout" in logged(sidecar))

    assert time.monotonic() - restarted < 9
    assert Reason.TIMED_OUT == end(sidecar, runner).reason


def test_a_restart_in_an_outage_goes_on_waiting(api, launch):
    go_away(api)
    sidecar, runner = launch("Variable.get('k')")
    until(lambda: api.calls and any(call.path.endswith("/variables/k") for call in api.calls))
    sidecar.kill()
    sidecar.start()
    record = end(sidecar, runner)

    assert (Reason.SUCCEEDED, 1) == (record.reason, record.restarts)


def test_what_a_thread_does_while_another_waits_for_an_absent_server_is_not_counted(api, launch):
    """The rule that is simple to say: one request waits, so no time counts."""
    go_away(api)
    body = """
    ended = threading.Event()
    threading.Thread(target=lambda: ended.wait(60)).start()
    Variable.get('k')
    ended.set()
    """

    assert Reason.SUCCEEDED == end(*launch(body)).reason


def test_the_log_says_when_the_server_goes_away_and_when_it_is_back(api, launch):
    go_away(api)
    sidecar, runner = launch("Variable.get('k')")
    end(sidecar, runner)
    said = [line["event"] for line in sidecar.log() if "Execution API" in line["event"]]

    assert 2 == len(said)
    assert "the Execution API does not answer" in said[0]
    assert "the Execution API answers again, after" in said[1]


def test_user_code_begins_by_the_launchers_word_too(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(work(execution_timeout_seconds=0.5)).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.say(pod.BEGINS)
    launcher.hear("stop")
    launcher.exit(None, 15)

    assert Reason.TIMED_OUT == sidecar.end().reason


def test_a_runner_that_waits_before_user_code_begins_is_not_stopped(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(work(execution_timeout_seconds=0.5)).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    time.sleep(1.5)
    launcher.ask(USER_CODE_BEGINS)
    launcher.ask(SUCCEED)
    launcher.exit()

    assert Reason.SUCCEEDED == sidecar.end().reason
