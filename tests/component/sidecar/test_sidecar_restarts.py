"""A sidecar that is killed and started again, and a server that is away, slow or loses its answers."""

import threading
import time

import pytest
from doubles.api import RUN_CONTEXT, Answer, Drop
from doubles.launcher import FAIL, RETRY, SUCCEED

from airlock_wire.record import Reason


def test_a_killed_sidecar_carries_on_with_the_refreshed_token(api, sidecar, launcher):
    api.answers["/variables/k"] = lambda _: Answer(200, {"key": "k", "value": "v"}, {"Refreshed-API-Token": "token-1"})
    launcher.begin()
    launcher.ask({"type": "GetVariable", "key": "k"})
    sidecar.kill()
    sidecar.start()
    startup = launcher.come_back()
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert "StartupDetails" == startup["type"]
    assert ("token-1", ["success"]) == (api.calls[-1].token, api.states())
    assert (Reason.SUCCEEDED, 1) == (record.reason, record.restarts)
    assert 1 == len([call for call in api.calls if call.path.endswith("/run")])


def test_what_was_masked_stays_masked_after_a_restart(api, sidecar, launcher):
    launcher.begin()
    launcher.ask({"type": "MaskSecret", "value": "hunter2-hunter2"})
    sidecar.kill()
    launcher.write("stdout", b"it is hunter2-hunter2\n")
    sidecar.start()
    launcher.come_back()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert ["it is ***"] == [line["event"] for line in sidecar.log()]


def test_what_is_printed_while_the_sidecar_is_away_is_not_lost(sidecar, launcher):
    launcher.begin()
    launcher.write("stdout", b"before\nhalf ")
    time.sleep(0.2)
    sidecar.kill()
    launcher.write("stdout", b"a line\nafter\n")
    sidecar.start()
    launcher.come_back()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert ["before", "half a line", "after"] == [line["event"] for line in sidecar.log()]


@pytest.mark.parametrize(("status", "body"), [(200, None), (404, {"detail": {}}), (409, {"detail": {}})])
@pytest.mark.parametrize("word", [SUCCEED, RETRY])
def test_a_terminal_state_whose_answer_was_lost_counts_as_done(api, sidecar, launcher, word, status, body):
    accepted = []

    def state(call):
        if not accepted:
            accepted.append(call.body["state"])
            raise Drop
        return Answer(status, body)

    api.answers["/state"] = state
    launcher.begin()
    answer = launcher.ask(word)
    launcher.exit()
    record = sidecar.end()

    assert (None, True, [word["state"]]) == (answer.error, record.acknowledged, accepted)


def test_a_sidecar_killed_while_it_reports_replays_the_state_once_it_is_back(api, sidecar, launcher):
    reached, go_on = threading.Event(), threading.Event()

    def state(_):
        reached.set()
        go_on.wait(10)
        return Answer(204)

    api.answers["/state"] = state
    launcher.begin()
    launcher.send(SUCCEED)
    assert reached.wait(10)
    sidecar.kill()
    go_on.set()
    api.answers["/state"] = lambda _: Answer(200)
    sidecar.start()
    launcher.come_back()
    launcher._next_id = 0
    answer = launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert (None, True, Reason.SUCCEEDED) == (answer.error, record.acknowledged, record.reason)
    assert ["success"] == sorted(set(api.states()))


def test_a_sidecar_killed_after_the_exit_report_still_judges_it(api, sidecar, launcher):
    api.answers["/state"] = lambda _: _sleep_then(Answer(204))
    launcher.begin()
    launcher.say("exited", code=3, signal=None, oom=False)
    time.sleep(0.3)
    sidecar.kill()
    sidecar.start()
    record = sidecar.end()

    assert (Reason.CRASHED, 3, "failed", True) == (record.reason, record.exit.code, record.state, record.acknowledged)


def test_a_first_terminal_state_that_is_refused_means_superseded(api, sidecar, launcher):
    api.answers["/state"] = lambda _: Answer(409, {"detail": {"reason": "invalid_state", "previous_state": "failed"}})
    launcher.begin()
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert (Reason.SUPERSEDED, False) == (record.reason, record.acknowledged)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["500", "drop"])
def test_a_server_that_fails_for_a_while_is_waited_out(api, make_sidecar, make_launcher, fault):
    sidecar = make_sidecar(sidecar__heartbeat_seconds=0.2).start()
    launcher = make_launcher(sidecar)
    ends = time.monotonic() + 1.5

    def away(answer):
        def respond(_):
            if time.monotonic() < ends:
                if fault == "drop":
                    raise Drop
                return Answer(500, {"message": "Internal server error"})
            return answer

        return respond

    api.answers["/run"] = away(Answer(200, RUN_CONTEXT))
    api.answers["/heartbeat"] = away(Answer(204))
    launcher.begin()
    ends = time.monotonic() + 1.5
    api.answers["/variables/k"] = away(Answer(200, {"key": "k", "value": "v"}))
    answer = launcher.ask({"type": "GetVariable", "key": "k"})
    ends = time.monotonic() + 1.5
    api.answers["/state"] = away(Answer(204))
    launcher.ask(SUCCEED)
    launcher.exit()

    assert "v" == answer.body["value"]
    assert Reason.SUCCEEDED == sidecar.end().reason
    assert 3 == len([line for line in sidecar.log() if "the Execution API does not answer" in line["event"]])


@pytest.mark.slow
def test_one_request_that_the_server_cannot_serve_is_answered_while_heartbeats_go_on(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(sidecar__heartbeat_seconds=0.3).start()
    launcher = make_launcher(sidecar)
    api.answers["/variables/k"] = lambda _: Answer(500, {"message": "Internal server error"})
    launcher.begin()
    answer = launcher.ask({"type": "GetVariable", "key": "k"})
    launcher.ask(SUCCEED)
    launcher.exit()

    assert ("API_SERVER_ERROR", 500) == (answer.error["error"], answer.error["detail"]["status_code"])
    assert Reason.SUCCEEDED == sidecar.end().reason


@pytest.mark.slow
def test_answers_that_come_late_are_waited_for_ever_longer(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(api__timeout_seconds=0.2).start()
    launcher = make_launcher(sidecar)
    api.answers["/variables/k"] = lambda _: _sleep_then(Answer(200, {"key": "k", "value": "v"}), 1.0)
    launcher.begin()

    assert "v" == launcher.ask({"type": "GetVariable", "key": "k"}).body["value"]


def test_the_launcher_is_answered_only_once_the_server_has_the_state(api, sidecar, launcher):
    go_on = threading.Event()
    api.answers["/state"] = lambda _: Answer(204) if go_on.wait(10) else Answer(500)
    launcher.begin()
    launcher.say("exited", code=1, signal=None, oom=False)
    launcher.link.control.settimeout(0.5)
    with pytest.raises(Exception, match="timed out"):
        launcher.link.hear()
    go_on.set()
    launcher.exit(1)

    assert sidecar.end().acknowledged


@pytest.mark.slow
def test_a_stale_heartbeat_is_repeated_before_the_first_report(api, make_sidecar, make_launcher):
    """The server marked the task failed while it could not be reached: success must not overwrite that."""
    sidecar = make_sidecar(sidecar__heartbeat_seconds=60).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    api.answers["/heartbeat"] = lambda _: Answer(409, {"detail": {"reason": "not_running"}})
    time.sleep(10.5)
    launcher.ask(SUCCEED)
    launcher.exit()

    assert (Reason.SUPERSEDED, []) == (sidecar.end().reason, api.states())


@pytest.mark.parametrize("word", [FAIL, RETRY])
def test_a_runner_that_goes_on_after_its_last_word_is_stopped_and_its_word_stands(
    api, make_sidecar, make_launcher, word
):
    sidecar = make_sidecar(sidecar__overtime_seconds=0.3).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.ask(word)
    launcher.hear("stop")
    launcher.exit(None, 15)
    record = sidecar.end()

    assert (word["state"], True, False) == (record.state, record.acknowledged, record.judged)


def test_requests_after_the_last_word_are_still_served(api, sidecar, launcher):
    api.answers["/variables/k"] = lambda _: Answer(200, {"key": "k", "value": "v"})
    launcher.begin()
    launcher.ask(SUCCEED)

    assert "v" == launcher.ask({"type": "GetVariable", "key": "k"}).body["value"]


def _sleep_then(answer, seconds=1.5):
    time.sleep(seconds)
    return answer


@pytest.mark.slow
def test_an_outage_that_begins_right_after_a_good_heartbeat_is_no_answer(api, make_sidecar, make_launcher):
    """Eight tries take less time than two heartbeats: the good one before them must not count."""
    sidecar = make_sidecar(sidecar__heartbeat_seconds=10).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    ends = time.monotonic() + 20
    away = lambda answer: lambda _: Answer(500, {}) if time.monotonic() < ends else answer  # noqa: E731
    api.answers["/heartbeat"] = away(Answer(204))
    api.answers["/variables/k"] = away(Answer(200, {"key": "k", "value": "v"}))

    assert "v" == launcher.ask({"type": "GetVariable", "key": "k"}).body["value"]


def test_a_last_word_that_the_token_no_longer_opens_is_left_to_the_owner(api, sidecar, launcher):
    api.answers["/state"] = lambda _: Answer(403, {"detail": "Invalid auth token"})
    launcher.begin()
    answer = launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert "PERMISSION_DENIED" == answer.error["error"]
    assert (Reason.SUCCEEDED, "success", False) == (record.reason, record.state, record.acknowledged)
