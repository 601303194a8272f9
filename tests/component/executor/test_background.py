"""The executor's own thread over HTTP: launches are made in order, followed to their end, and survive an API's faults."""

import msgspec
import pytest

from airlock_executor.kube import errors
from airlock_executor.launch.following import Launch, taken_over
from airlock_executor.launch.observed import Observed
from airlock_executor.launch.outcomes import End
from airlock_executor.rerun import Answer


def methods(api, *names):
    return [(method, path.rsplit("/", 1)[-1]) for method, path, _ in api.calls if method in names]


def test_a_taskrun_is_let_go_only_after_its_secret_is_there(api, executor):
    launch = executor().launch()
    (run,) = api.ready()

    assert [("POST", "taskruns"), ("POST", "secrets"), ("PATCH", launch.name)] == methods(api, "POST", "PATCH")
    assert (
        True
        is next(body for method, path, body in api.calls if path.endswith("/taskruns") and method == "POST")["spec"][
            "suspend"
        ]
    )
    secret = api.secrets["airflow", f"airlock-token-{launch.name}"]
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (run["metadata"]["name"], run["metadata"]["uid"]) == (owner["name"], owner["uid"])
    assert f"token-1-of-{launch.ti_id}" == api.token(launch.name)


def test_a_token_is_in_nothing_but_its_secret(api, executor):
    executor().launch()
    api.ready()

    assert "token-1" not in str(api.taskruns)
    assert [] == [path for _, path, _ in api.calls if "token-1" in path]


@pytest.mark.parametrize(
    ("reason", "end", "text"),
    [
        ("Succeeded", End.ORDERLY, ""),
        ("Deferred", End.SILENT, ""),
        ("OOMKilled", End.FAILED, "OOMKilled: its limit was 256Mi"),
    ],
)
def test_the_end_of_a_taskrun_is_the_end_of_its_launch(api, executor, reason, end, text):
    started = executor()
    launch = started.launch()
    api.ready()
    api.finish(launch.name, reason, "its limit was 256Mi")

    outcome = started.outcome()
    assert (end, reason, text) == (outcome.end, outcome.reason, outcome.text)


def test_a_reason_to_wait_is_told_once(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    for _ in range(2):
        api.status(launch.name, "Unschedulable", "0/3 nodes have 4 GPUs")
    api.finish(launch.name, "Succeeded")

    note = started.result().note
    assert "Unschedulable: 0/3 nodes have 4 GPUs (TaskRun airflow/" + launch.name + ")" == note.text
    assert End.ORDERLY is started.result().outcome.end


def test_a_create_that_was_taken_and_whose_answer_was_lost_is_one_launch(api, executor):
    lost = []

    def refuse(method, path):
        if method == "POST" and path.endswith("/secrets") and len(lost) < 2:
            lost.append(path)
            return 500, "etcdserver: request timed out"
        return None

    api.refuse = refuse
    launch = executor().launch()
    (run,) = api.ready()

    assert launch.name == run["metadata"]["name"]
    assert 1 == len(api.taskruns)


def test_a_name_that_somebody_else_has_is_a_failure_in_words(api, executor):
    started = executor()
    order = started.launch()
    api.ready()
    started.background.cancel(order.place)
    api.until(lambda: api.taskruns["airflow", order.name]["spec"].get("cancel"), "cancelled TaskRun")
    api.taskruns["airflow", order.name]["metadata"]["labels"]["airlock.dev/launch"] = "another"
    started.launch()

    assert "already exists" in started.outcome().text


def test_a_taskrun_that_the_api_finds_wrong_is_a_failure_in_its_words(api, executor):
    api.refuse = lambda method, path: (422, "spec.dagId: Too long") if method == "POST" and "taskruns" in path else None
    started = executor()
    started.launch()

    outcome = started.outcome()
    assert (End.FAILED, "Refused") == (outcome.end, outcome.reason)
    assert "spec.dagId: Too long" in outcome.text


def test_a_quota_on_taskruns_is_waited_for_and_said(api, executor):
    told = []
    api.refuse = lambda method, path: (
        (403, "exceeded quota: taskruns=10") if method == "POST" and path.endswith("/taskruns") and not told else None
    )
    started = executor()
    started.launch()
    note = started.result().note
    told.append(note)

    assert "QuotaExceeded" == note.reason
    assert "exceeded quota: taskruns=10" in note.text
    api.ready()


def test_a_token_is_renewed_until_the_runner_runs(api, executor, monkeypatch):
    monkeypatch.setattr("airlock_executor.background._RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr("airlock_executor.launch.tokens.due", lambda life, now, *, begun: not begun)
    started = executor()
    launch = started.launch()
    api.ready()
    first = api.token(launch.name)
    api.until(lambda: api.token(launch.name) != first, "renewed token")
    api.status(launch.name, "Running")
    api.until(lambda: launch.begun, "launch that has begun")
    count = len(started.minted)
    api.finish(launch.name, "Succeeded")
    started.outcome()

    # One that was on its way may still come.
    assert len(started.minted) <= count + 1


def test_a_taskrun_that_is_deleted_is_a_failure(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    api.delete(launch.name)

    assert "Deleted" == started.outcome().reason


def test_a_deletion_that_no_watch_told_is_found_by_a_list(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    api.until(lambda: launch.ready_at, "launch that is ready")
    api.delete(launch.name, silently=True)
    api.forget()

    assert "Deleted" == started.outcome().reason


def test_an_end_that_no_watch_told_is_found_by_a_list(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    api.taskruns["airflow", launch.name]["status"] = {"reason": "Succeeded", "finishedAt": "2026-01-01T00:00:00Z"}
    api.forget()

    assert End.ORDERLY is started.outcome().end


def test_a_watch_that_says_nothing_for_long_is_begun_again(api, executor, monkeypatch):
    monkeypatch.setattr("airlock_executor.watching._QUIET_SECONDS", 0.5)
    api.silent = True
    started = executor()
    launch = started.launch()
    api.ready()
    api.finish(launch.name, "Succeeded")

    assert End.ORDERLY is started.outcome().end


def test_an_api_that_is_away_at_the_start_is_waited_for(api, executor):
    away = [True]
    api.refuse = lambda _method, _path: (503, "etcd is away") if away else None
    started = executor()
    launch = started.launch()
    api.until(lambda: len(api.calls) > 2, "refused calls")
    away.clear()
    api.ready()
    api.finish(launch.name, "Succeeded")

    assert End.ORDERLY is started.outcome(20).end


def test_a_watch_that_is_refused_is_begun_again(api, executor):
    refused = []

    def refuse(method, path):
        if method == "WATCH" and len(refused) < 2:
            refused.append(path)
            return 503, "apiserver is shutting down"
        return None

    api.refuse = refuse
    started = executor()
    launch = started.launch()
    api.ready()
    api.until(lambda: len(refused) == 2, "watch that is refused twice")
    api.finish(launch.name, "Succeeded")

    assert End.ORDERLY is started.outcome().end


def test_a_launch_that_never_began_is_made_anew_under_another_name(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    api.finish(launch.name, "InfraBudgetExhausted", "the node was lost 4 times")
    result = started.result()

    assert None is result.outcome
    assert "launched anew on the same try" in result.note.text
    successor = result.successor
    api.until(lambda: ("airflow", successor.name) in api.taskruns, "successor")
    before, after = (api.taskruns["airflow", name] for name in (launch.name, successor.name))
    assert launch.name != successor.name
    assert {**before["spec"], "suspend": True} == {**after["spec"], "suspend": True}
    api.ready(2)
    assert f"token-2-of-{launch.ti_id}" == api.token(successor.name)


def test_launches_that_never_begin_are_made_anew_within_a_budget(api, executor):
    started = executor(infra_budget=1)
    launch = started.launch()
    api.ready()
    api.finish(launch.name, "InfraBudgetExhausted")
    successor = started.result().successor
    api.ready(2)
    api.finish(successor.name, "InfraBudgetExhausted")

    outcome = started.outcome()
    assert (End.FAILED, "InfraBudgetExhausted") == (outcome.end, outcome.reason)
    assert "[airlock] infra_budget is 1" in outcome.text


def test_the_try_of_a_task_that_the_platform_took_is_saved(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    api.finish(launch.name, "Evicted", "The node was low on resource: memory")
    result = started.result()

    assert (End.SILENT, "Evicted") == (result.outcome.end, result.outcome.reason)
    assert "scheduled again on the same try" in result.note.text
    assert [(launch.ti_id, f"execution-{launch.ti_id}")] == started.asked


@pytest.mark.parametrize(
    ("answer", "end"), [(Answer.OVER, End.ORDERLY), (Answer.SAVED, End.SILENT)], ids=["over", "saved"]
)
def test_what_the_server_answers_decides(api, executor, answer, end):
    started = executor()
    started.answers = [answer]
    launch = started.launch()
    api.ready()
    api.finish(launch.name, "NodeLost")

    assert end is started.outcome().end


def test_a_task_that_the_server_has_as_queued_is_launched_anew(api, executor):
    started = executor()
    started.answers = [Answer.QUEUED]
    launch = started.launch()
    api.ready()
    api.finish(launch.name, "NodeLost")

    assert started.result().successor is not None


def test_a_resumed_deferral_is_not_begun_from_its_start(api, executor):
    started = executor()
    launch = started.launch(resumed=True)
    api.ready()
    api.finish(launch.name, "Evicted")

    outcome = started.outcome()
    assert End.FAILED is outcome.end
    assert "[airlock] rerun_resumed allows it" in outcome.text
    assert [] == started.asked


def test_a_launch_of_an_earlier_scheduler_is_followed(api, executor):
    started = executor()
    made = api.put(
        "old", metadata={"labels": {"airlock.dev/executor": "airflow"}}, spec={"taskInstanceId": "ti", "suspend": False}
    )
    observed = msgspec.convert(made, Observed)
    started.background.adopt(taken_over(observed, "key"), observed)
    api.finish("old", "Succeeded")

    assert End.ORDERLY is started.outcome().end


def test_a_launch_whose_scheduler_died_before_it_was_let_go_is_let_go(api, executor):
    started = executor()
    labels = {"airlock.dev/executor": "airflow", "airlock.dev/launch": "l"}
    made = api.put("half", metadata={"labels": labels}, spec={"taskInstanceId": "ti", "suspend": True})
    observed = msgspec.convert(made, Observed)
    started.background.adopt(taken_over(observed, "key"), observed)
    api.ready()

    assert "token-1-of-ti" == api.token("half")


def test_a_cancelled_launch_says_nothing_more(api, executor):
    started = executor()
    launch = started.launch()
    api.ready()
    started.background.cancel(launch.place)
    api.until(lambda: api.taskruns["airflow", launch.name]["spec"].get("cancel"), "cancelled TaskRun")
    other = started.launch(launch_id="aaaaaaaa-6a5e-4a39-9b0c-8b0f3c2f1a77", key="other")
    api.ready(2)
    api.finish(launch.name, "Cancelled")
    api.finish(other.name, "Succeeded")

    assert "other" == started.result().launch.key


def test_many_launches_are_made_at_once_and_all_end(api, executor):
    started = executor(create_concurrency=4)
    names = [
        started.launch(key=number, launch_id=f"{number:08x}-6a5e-4a39-9b0c-8b0f3c2f1a77").name for number in range(40)
    ]
    api.ready(40)
    for name in names:
        api.finish(name, "Succeeded")

    assert set(range(40)) == {started.result().launch.key for _ in names}


def test_a_thread_without_credentials_does_not_start(api, executor, tmp_path):
    (tmp_path / "empty").write_text("{}")

    with pytest.raises(errors.NotAllowed, match="no way into a cluster"):
        executor(kubeconfig=tmp_path / "empty")


def test_a_presumed_launch_that_is_not_there_is_ended_by_a_list(api, executor):
    started = executor()
    launch = Launch("key", "airflow", "presumed", "ti", begun=True)
    started.background.adopt(launch, None)
    api.until(lambda: launch.ready_at, "launch that is followed")
    api.forget()

    assert "Deleted" == started.outcome().reason


def test_a_thread_that_cannot_follow_any_more_says_so(api, executor, monkeypatch):
    started = executor()
    api.until(lambda: any(method == "WATCH" for method, _, _ in api.calls), "watch")

    async def broken(*_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("airlock_executor.watching.Watching._list", broken)
    api.forget()

    api.until(lambda: started.background.failure, "failure")
    assert "a fault of ours" == str(started.background.failure)
