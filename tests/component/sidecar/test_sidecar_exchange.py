"""The pod's token exchanged for the task's: at the start, after a refusal, after a restart; the API scripted."""

import time

import pytest
from doubles.api import Answer
from doubles.launcher import SUCCEED
from doubles.sidecar import POD_TI, TI, work

from airlock_wire.record import Reason

NAMED = {
    "id": TI.id, "dag_id": "d", "task_id": "t", "run_id": "r", "try_number": 1, "map_index": -1,
    "dag_version_id": TI.dag_version_id,
}  # fmt: skip


def granted(token="task-1", **changes):
    return Answer(200, {"token": token, "task_instance": NAMED | changes})


def no(status, reason, message="because", **headers):
    return Answer(status, {"reason": reason, "message": message}, headers)


@pytest.fixture
def pod_token(tmp_path):
    file = tmp_path / "token"
    file.write_text("pod-token-1\n")
    return file


@pytest.fixture
def make_pod_sidecar(api, make_sidecar, pod_token):
    """Makes a sidecar whose token comes by exchange; it is not started."""

    def make(**settings):
        address = api.url.removesuffix("/execution") + "/airlock/v1/exchange"
        own = {"sidecar__pod_token_file": pod_token, "sidecar__pod_name": "job-1", "sidecar__pod_uid": "0123456789ab"}
        return make_sidecar(work(ti=POD_TI), api__exchange_url=address, **own | settings)

    return make


def exchanges(api):
    return [call for call in api.calls if call.path.endswith("/exchange")]


def until(fact, seconds=10):
    ends = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_pods_token_is_exchanged_before_the_launcher_connects_and_run_sent_after(
    api, make_pod_sidecar, make_launcher
):
    api.answers["/exchange"] = lambda _: granted()
    sidecar = make_pod_sidecar().start(None)
    until(lambda: exchanges(api))
    time.sleep(0.2)
    before = [call.path for call in api.calls]
    launcher = make_launcher(sidecar)
    startup = launcher.begin()
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()
    run = next(call for call in api.calls if call.path.endswith("/run"))

    assert ["/airlock/v1/exchange"] == before
    assert ("pod-token-1", None) == (exchanges(api)[0].token, exchanges(api)[0].body)
    assert run.path == f"/task-instances/{TI.id}/run"
    assert ("task-1", "job-1-01234567") == (run.token, run.body["hostname"])
    assert (startup["ti"]["id"], startup["ti"]["dag_version_id"]) == (TI.id, TI.dag_version_id)
    assert (Reason.SUCCEEDED, True) == (record.reason, record.acknowledged)
    assert record.timeline["exchanged"] <= record.timeline["running"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        no(409, "NotYetKnown"),
        no(401, "BadToken"),
        no(429, "TooMany", **{"Retry-After": "1"}),
        no(503, "ApiBusy"),
        Answer(500, {"message": "Internal server error"}),
    ],
)
def test_what_passes_is_waited_out(api, make_pod_sidecar, make_launcher, first):
    answers = [first, first, granted()]
    api.answers["/exchange"] = lambda _: answers.pop(0) if len(answers) > 1 else answers[0]
    launcher = make_launcher(make_pod_sidecar().start(None))

    assert "StartupDetails" == launcher.begin()["type"]
    assert 3 == len(exchanges(api))


def test_a_server_that_asks_for_a_pause_gets_it(api, make_pod_sidecar, make_launcher):
    answers = [no(429, "TooMany", **{"Retry-After": "1"}), granted()]
    at = []
    api.answers["/exchange"] = lambda _: (at.append(time.monotonic()), answers.pop(0))[1]
    make_launcher(make_pod_sidecar().start(None)).begin()

    assert at[1] - at[0] >= 0.9


def test_the_pods_token_is_read_anew_each_time(api, make_pod_sidecar, make_launcher, pod_token):
    def answer(call):
        if call.token == "pod-token-2":
            return granted()
        pod_token.write_text("pod-token-2")
        return no(401, "BadToken")

    api.answers["/exchange"] = answer
    make_launcher(make_pod_sidecar().start(None)).begin()

    assert ["pod-token-1", "pod-token-2"] == [call.token for call in exchanges(api)]


def test_a_token_file_that_comes_late_is_waited_for(api, make_pod_sidecar, make_launcher, pod_token):
    api.answers["/exchange"] = lambda _: granted()
    pod_token.unlink()
    launcher = make_launcher(make_pod_sidecar().start(None))
    launcher.connect()
    time.sleep(0.3)
    pod_token.write_text("late")
    launcher.say("forked")
    launcher.hear("nonce")
    launcher.say("kept")

    assert "StartupDetails" == launcher.answer().body["type"]


@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        (no(403, "Denied", "DAG 'd' belongs to 'bundle:x'"), Reason.DENIED, "DAG 'd' belongs to 'bundle:x'"),
        (no(410, "Superseded"), Reason.SUPERSEDED, None),
        (Answer(404, {"detail": "Not Found"}), Reason.REJECTED, "Not Found"),
        (granted(task_id="another"), Reason.REJECTED, None),
        (granted(try_number=2), Reason.REJECTED, None),
    ],
)
def test_a_final_no_stops_the_runner_and_says_why(api, make_pod_sidecar, make_launcher, answer, reason, message):
    api.answers["/exchange"] = lambda _: answer
    sidecar = make_pod_sidecar().start(None)
    launcher = make_launcher(sidecar)
    launcher.connect()
    launcher.say("forked")
    launcher.hear("stop")
    launcher.exit(None, 15)
    record = sidecar.end()

    assert record.reason == reason
    assert message is None or record.message == message
    assert ["/airlock/v1/exchange"] == [call.path for call in api.calls]


def test_a_denial_is_recorded_also_where_no_launcher_ever_comes(api, make_pod_sidecar):
    api.answers["/exchange"] = lambda _: no(403, "Denied", "the rule")
    record = make_pod_sidecar(sidecar__connect_seconds=1).start(None).wait_for_record()

    assert (Reason.DENIED, "the rule") == (record.reason, record.message)


def test_a_token_that_is_refused_at_run_is_exchanged_anew(api, make_pod_sidecar, make_launcher):
    tokens = ["old", "new"]
    api.answers["/exchange"] = lambda _: granted(tokens.pop(0))
    refuse(api, "/run", "old")
    launcher = make_launcher(make_pod_sidecar().start(None))
    launcher.begin()
    launcher.ask(SUCCEED)

    assert 2 == len(exchanges(api))
    assert ["old", "new"] == [call.token for call in api.calls if call.path.endswith("/run")]
    assert "new" == api.calls[-1].token


def test_a_token_that_is_refused_in_the_middle_is_exchanged_anew_and_the_task_does_not_notice(
    api, make_pod_sidecar, make_launcher
):
    tokens = iter(f"t{n}" for n in range(100))
    good = {"t0"}
    api.answers["/exchange"] = lambda _: granted(next(tokens))
    sidecar = make_pod_sidecar(sidecar__heartbeat_seconds=0.1).start(None)
    launcher = make_launcher(sidecar)
    launcher.begin()

    def bearer(call):
        if call.token not in good:
            return Answer(403, {"detail": "Invalid auth token: Signature verification failed"})
        return Answer(200, {"key": "k", "value": "v"}) if "/variables" in call.path else Answer(204)

    for end in ("/heartbeat", "/k", "/state"):
        api.answers[end] = bearer
    good.clear(), good.add("t1")
    answer = launcher.ask({"type": "GetVariable", "key": "k"})
    launcher.ask(SUCCEED)
    launcher.exit()

    assert "v" == answer.body["value"]
    assert 2 == len(exchanges(api))
    assert (Reason.SUCCEEDED, ["success"]) == (sidecar.end().reason, api.states())


def test_a_token_that_is_refused_again_and_again_ends_the_launch(api, make_pod_sidecar, make_launcher):
    api.answers["/exchange"] = lambda _: granted(f"t{len(exchanges(api))}")
    api.answers["/run"] = lambda _: Answer(403, {"detail": "Invalid auth token"})
    sidecar = make_pod_sidecar().start(None)
    launcher = make_launcher(sidecar)
    launcher.connect()
    launcher.say("forked")
    launcher.hear("stop")
    launcher.exit(None, 15)

    assert Reason.TOKEN_EXPIRED == sidecar.end().reason
    assert 4 == len(exchanges(api))


def test_what_policy_denies_is_not_asked_for_with_another_token(api, make_pod_sidecar, make_launcher):
    api.answers["/exchange"] = lambda _: granted()
    denial = {"reason": "access_denied", "message": "airlock grants add variable k --namespace ns"}
    api.answers["/k"] = lambda _: Answer(403, {"detail": denial})
    launcher = make_launcher(make_pod_sidecar().start(None))
    launcher.begin()
    answer = launcher.ask({"type": "GetVariable", "key": "k"})

    assert "PERMISSION_DENIED" == answer.body["error"]
    assert "airlock grants add" in str(answer.body["detail"])
    assert 1 == len(exchanges(api))


@pytest.mark.parametrize(
    ("status", "reason", "recorded"), [(410, "Superseded", Reason.SUPERSEDED), (403, "Denied", Reason.DENIED)]
)
def test_a_launch_that_gets_no_other_token_is_stopped(api, make_pod_sidecar, make_launcher, status, reason, recorded):
    answers = [granted(), no(status, reason)]
    api.answers["/exchange"] = lambda _: answers.pop(0) if len(answers) > 1 else answers[0]
    sidecar = make_pod_sidecar(sidecar__heartbeat_seconds=0.1).start(None)
    launcher = make_launcher(sidecar)
    launcher.begin()
    api.answers["/heartbeat"] = lambda _: Answer(403, {"detail": "Invalid auth token"})
    launcher.hear("stop")
    launcher.exit(None, 15)

    assert (sidecar.end().reason, api.states()) == (recorded, [])


def test_after_a_restart_the_kept_token_is_used_and_no_other_asked_for(api, make_pod_sidecar, make_launcher):
    api.answers["/exchange"] = lambda _: granted()
    sidecar = make_pod_sidecar().start(None)
    launcher = make_launcher(sidecar)
    launcher.begin()
    sidecar.kill()
    sidecar.start(None)
    launcher.come_back()
    launcher.ask(SUCCEED)
    launcher.exit()

    assert Reason.SUCCEEDED == sidecar.end().reason
    assert 1 == len(exchanges(api))
    assert "task-1" == api.calls[-1].token


def test_after_a_restart_a_kept_token_that_is_refused_is_exchanged_anew(api, make_pod_sidecar, make_launcher):
    tokens = ["old", "new"]
    api.answers["/exchange"] = lambda _: granted(tokens.pop(0))
    sidecar = make_pod_sidecar().start(None)
    launcher = make_launcher(sidecar)
    launcher.begin()
    sidecar.kill()
    refuse(api, "/heartbeat", "old")
    refuse(api, "/state", "old")
    sidecar.start(None)
    launcher.come_back()
    launcher.ask(SUCCEED)
    launcher.exit()

    assert Reason.SUCCEEDED == sidecar.end().reason
    assert "new" == api.calls[-1].token


def test_a_sidecar_that_is_killed_while_it_waits_goes_on_asking(api, make_pod_sidecar, make_launcher):
    api.answers["/exchange"] = lambda _: no(409, "NotYetKnown")
    sidecar = make_pod_sidecar().start(None)
    until(lambda: len(exchanges(api)) > 2)
    sidecar.kill()
    sidecar.start(None)
    api.answers["/exchange"] = lambda _: granted()

    assert "StartupDetails" == make_launcher(sidecar).begin()["type"]


def test_the_task_log_says_what_is_waited_for_and_never_a_token(api, make_pod_sidecar, make_launcher):
    answers = [no(503, "ApiBusy", "Kubernetes cannot be asked")] * 4 + [granted()]
    api.answers["/exchange"] = lambda _: answers.pop(0)
    sidecar = make_pod_sidecar().start(None)
    make_launcher(sidecar).begin()
    lines = sidecar.log()

    assert ["the pod's token is not exchanged yet (Kubernetes cannot be asked); waiting"] == [
        line["event"] for line in lines
    ]
    assert "pod-token" not in sidecar.log_path.read_text()


def test_sigterm_ends_a_sidecar_that_still_waits_for_a_token(api, make_pod_sidecar):
    api.answers["/exchange"] = lambda _: no(503, "ApiBusy")
    sidecar = make_pod_sidecar().start(None)
    until(lambda: exchanges(api))

    assert Reason.RUNNER_NEVER_CONNECTED == sidecar.end().reason


def refuse(api, end, token):
    """The server takes any token but this at paths that end so."""
    usual = api.answer

    def answer(call):
        if call.token == token:
            return Answer(403, {"detail": "Invalid auth token: Signature verification failed"})
        del api.answers[end]
        try:
            return usual(call)
        finally:
            api.answers[end] = answer

    api.answers[end] = answer
