"""The operator's question about an attempt: answered for the operator alone, by what the task's report left."""

import pytest


def asked(api, token, pod_uid):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return api.http.get(f"{api.url.removesuffix('/execution')}/airlock/v1/attempts/{pod_uid}", headers=headers)


def operators(kubernetes, **more):
    given = {"namespace": "airlock-system", "account": "airlock-operator", "audience": "operator.airlock.dev"}
    return kubernetes.token("airlock-operator-0", "u", **(given | more))


def launched(api, kubernetes):
    """A pod that runs its task: its UID, its task instance, and the headers of its sidecar."""
    run = kubernetes.taskrun()
    ti_id, headers = api.exchanged(kubernetes.pod(run))
    api.run(ti_id, headers=headers)
    return run["status"]["podRef"]["uid"], ti_id, headers


@pytest.mark.parametrize("state", ["success", "failed", "skipped"])
def test_the_operator_is_told_what_the_task_reported(cluster_api, kubernetes, state):
    pod_uid, ti_id, headers = launched(cluster_api, kubernetes)
    cluster_api.report(ti_id, state, headers=headers)
    answer = asked(cluster_api, operators(kubernetes), pod_uid)

    assert (200, state) == (answer.status_code, answer.json()["state"])


def test_a_task_that_has_reported_nothing_is_running(cluster_api, kubernetes):
    pod_uid, _, _ = launched(cluster_api, kubernetes)

    assert "running" == asked(cluster_api, operators(kubernetes), pod_uid).json()["state"]


def test_the_attempt_of_a_try_that_another_has_followed_is_unknown(cluster_api, kubernetes):
    run = kubernetes.taskrun(retries=1)
    ti_id, headers = cluster_api.exchanged(kubernetes.pod(run))
    cluster_api.run(ti_id, headers=headers)
    first = run["status"]["podRef"]["uid"]
    cluster_api.report(ti_id, "failed", headers=headers)
    run["status"]["try"] = 2
    cluster_api.exchanged(kubernetes.pod(run, 2))

    assert "unknown" == asked(cluster_api, operators(kubernetes), first).json()["state"]


def test_a_pod_that_never_had_a_token_is_not_there(cluster_api, kubernetes):
    answer = asked(cluster_api, operators(kubernetes), "9a1c3f10-0000-4000-8000-000000000001")

    assert (404, "NotFound") == (answer.status_code, answer.json()["reason"])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"account": "default"}, 403),
        ({"account": "airlock-server"}, 403),
        ({"namespace": "team"}, 403),
        ({"audience": "airlock"}, 401),
        ({"signed": False}, 401),
        ({"seconds": -1}, 401),
    ],
)
def test_nobody_but_the_operator_may_ask(cluster_api, kubernetes, more, status):
    pod_uid, _, _ = launched(cluster_api, kubernetes)
    answer = asked(cluster_api, operators(kubernetes, **more), pod_uid)

    assert status == answer.status_code
    assert "state" not in answer.json()


def test_a_sidecars_own_token_opens_nothing_here(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    token = kubernetes.pod(run)
    _, headers = cluster_api.exchanged(token)
    task_token = headers["authorization"].removeprefix("Bearer ")
    statuses = [asked(cluster_api, each, run["status"]["podRef"]["uid"]).status_code for each in (token, task_token)]

    assert [401, 401] == statuses


def test_the_operators_token_gets_no_tasks_token(cluster_api, kubernetes):
    assert 401 == cluster_api.exchange(operators(kubernetes)).status_code


def test_a_question_while_kubernetes_is_away_may_be_asked_again(cluster_api, kubernetes):
    token = operators(kubernetes)
    kubernetes.close()

    assert (503, "ApiBusy") == (
        asked(cluster_api, token, "x").status_code,
        asked(cluster_api, token, "x").json()["reason"],
    )
