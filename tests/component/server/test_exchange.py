"""A pod's token for its task's, over HTTP, against a played Kubernetes: who gets one, who does not, and what is said."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from doubles.kubernetes import NAMESPACE

from airlock_server.store import attempts, tries


def refusal(answer):
    return answer.status_code, answer.json()["reason"]


def test_a_pod_that_counts_gets_a_token_for_its_task_instance(cluster_api, kubernetes):
    run = kubernetes.taskrun(runId="nightly", conf={"day": "monday"}, retries=2)
    answer = cluster_api.exchange(kubernetes.pod(run))
    given = answer.json()
    ti = given["task_instance"]

    assert 200 == answer.status_code
    assert (
        "dag", "nightly", "task", -1, 1,
    ) == (ti["dag_id"], ti["run_id"], ti["task_id"], ti["map_index"], ti["try_number"])  # fmt: skip
    context = cluster_api.run(ti["id"], headers={"authorization": f"Bearer {given['token']}"}).json()
    assert ({"day": "monday"}, 2, True) == (context["dag_run"]["conf"], context["max_tries"], context["should_retry"])
    assert cluster_api.row(ti["id"]).dag_version_id == ti["dag_version_id"]


def test_a_run_id_that_is_not_given_is_made_of_the_taskruns_uid(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    given = cluster_api.exchange(kubernetes.pod(run)).json()

    assert given["task_instance"]["run_id"] == f"manual__{run['metadata']['uid']}"


def test_kubernetes_is_asked_twice_for_one_exchange(cluster_api, kubernetes):
    cluster_api.exchanged(kubernetes.pod(kubernetes.taskrun()))

    assert kubernetes.calls == [
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews"),
        ("GET", f"/apis/airlock.dev/v1alpha1/namespaces/{NAMESPACE}/taskruns/job"),
    ]


def test_the_same_pod_again_gets_the_same_task_instance(cluster_api, kubernetes):
    token = kubernetes.pod(kubernetes.taskrun())
    first, headers = cluster_api.exchanged(token)
    cluster_api.run(first, headers=headers)
    again, headers = cluster_api.exchanged(token)

    assert first == again
    assert 204 == cluster_api.beat(again, headers=headers).status_code
    assert 200 == cluster_api.run(again, headers=headers).status_code
    assert 409 == cluster_api.run(again, hostname="another", headers=headers).status_code


def test_a_newer_attempt_fences_the_older_and_runs_the_same_try_again(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    old_pod = kubernetes.pod(run, 1)
    ti_id, old = cluster_api.exchanged(old_pod)
    cluster_api.run(ti_id, headers=old)
    same, new = cluster_api.exchanged(kubernetes.pod(run, 2))

    assert same == ti_id
    refused = [
        cluster_api.beat(ti_id, headers=old),
        cluster_api.run(ti_id, headers=old),
        cluster_api.report(ti_id, "success", headers=old),
        cluster_api.http.post("/xcoms/dag/any/task/k", json=1, headers=old),
        cluster_api.http.get("/variables/k", headers=old),
    ]
    assert [410] * 5 == [answer.status_code for answer in refused]
    assert "superseded" == refused[0].json()["detail"]["reason"]
    assert "queued" == cluster_api.row(ti_id).state
    assert 200 == cluster_api.run(ti_id, hostname="new", headers=new).status_code
    assert (410, "Superseded") == refusal(cluster_api.exchange(old_pod))
    assert 204 == cluster_api.beat(ti_id, hostname="new", headers=new).status_code


def test_the_next_try_has_an_id_of_its_own(cluster_api, kubernetes):
    run = kubernetes.taskrun(retries=1)
    first, headers = cluster_api.exchanged(kubernetes.pod(run, 1))
    cluster_api.run(first, headers=headers)
    assert 204 == cluster_api.report(first, "up_for_retry", headers=headers).status_code
    run["status"]["try"] = 2
    given = cluster_api.exchange(kubernetes.pod(run, 2)).json()

    assert 2 == given["task_instance"]["try_number"]
    assert given["task_instance"]["id"] != first
    assert None is cluster_api.row(first)


def test_a_try_that_was_lost_while_it_ran_makes_way_for_the_next(cluster_api, kubernetes):
    run = kubernetes.taskrun(retries=1)
    first, headers = cluster_api.exchanged(kubernetes.pod(run, 1))
    cluster_api.run(first, headers=headers)
    run["status"]["try"] = 2
    second, new = cluster_api.exchanged(kubernetes.pod(run, 2))

    assert second != first
    assert "up_for_retry" == cluster_api.db.read(lambda conn: tries.outcome(conn, first)).state
    assert 200 == cluster_api.run(second, headers=new).status_code


def test_an_attempt_after_a_success_is_told_that_it_is_finished(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    ti_id, headers = cluster_api.exchanged(kubernetes.pod(run, 1))
    cluster_api.run(ti_id, headers=headers)
    cluster_api.report(ti_id, "success", headers=headers)
    same, new = cluster_api.exchanged(kubernetes.pod(run, 2))
    answer = cluster_api.run(same, hostname="new", headers=new)

    assert same == ti_id
    assert (409, "success") == (answer.status_code, answer.json()["detail"]["previous_state"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"audience": "https://kubernetes.default.svc"}, "audience 'airlock'"),
        ({"seconds": -1}, "run out"),
        ({"signed": False}, "invalid bearer token"),
    ],
)
def test_a_token_that_does_not_hold_is_refused(cluster_api, kubernetes, more, says):
    answer = cluster_api.exchange(kubernetes.pod(kubernetes.taskrun(), **more))

    assert (401, "BadToken") == refusal(answer)
    assert says in answer.json()["message"]


@pytest.mark.parametrize("token", [None, "nonsense", "a.b.c", "..", "x" * 20_000, "e30.bnVsbA.x"])
def test_what_is_no_token_is_refused_without_asking_kubernetes(cluster_api, kubernetes, token):
    assert (401, "BadToken") == refusal(cluster_api.exchange(token))
    assert [] == kubernetes.calls


@pytest.mark.parametrize("more", [{"audience": "other"}, {"seconds": -1}])
def test_a_token_that_is_not_for_us_or_has_run_out_costs_kubernetes_nothing(cluster_api, kubernetes, more):
    cluster_api.exchange(kubernetes.pod(kubernetes.taskrun(), **more))

    assert [] == kubernetes.calls


def test_a_token_that_kubernetes_does_not_vouch_for_is_remembered(cluster_api, kubernetes):
    forged = kubernetes.pod(kubernetes.taskrun(), signed=False)
    answers = [refusal(cluster_api.exchange(forged)) for _ in range(3)]

    assert [(401, "BadToken")] * 3 == answers
    assert 1 == len(kubernetes.calls)


def test_an_api_server_that_ignores_audiences_vouches_for_nobody(cluster_api, kubernetes):
    token = kubernetes.pod(kubernetes.taskrun())
    kubernetes.knows_audiences = False

    assert (401, "BadToken") == refusal(cluster_api.exchange(token))


def test_a_token_that_is_bound_to_no_pod_is_denied(cluster_api, kubernetes):
    answer = cluster_api.exchange(kubernetes.pod(kubernetes.taskrun(), bound=False))

    assert (403, "Denied") == refusal(answer)
    assert "not bound to a pod" in answer.json()["message"]


@pytest.mark.parametrize("name", ["job", "job-0", "job-01", "job-x", "-1", "job-1234567"])
def test_a_pod_that_the_operator_did_not_name_is_denied(cluster_api, kubernetes, name):
    kubernetes.taskrun()

    assert (403, "Denied") == refusal(cluster_api.exchange(kubernetes.token(name, "uid")))


def test_a_pod_of_another_namespace_is_not_the_one_that_counts(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    kubernetes.pod(run)
    kubernetes.taskrun(namespace="team-b")
    foreign = kubernetes.token("job-1", run["status"]["podRef"]["uid"], namespace="team-b")

    assert (409, "NotYetKnown") == refusal(cluster_api.exchange(foreign))


def test_a_pod_of_the_same_name_with_another_uid_is_superseded(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    kubernetes.pod(run)

    assert (410, "Superseded") == refusal(cluster_api.exchange(kubernetes.token("job-1", "another")))


def test_a_pod_that_the_operator_has_not_written_down_yet_asks_again(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    early = kubernetes.pod(run, known=False)
    assert (409, "NotYetKnown") == refusal(cluster_api.exchange(early))
    claims = kubernetes.reviewed[early]["user"]["extra"]
    run["status"]["podRef"] = {"name": "job-1", "uid": claims["authentication.kubernetes.io/pod-uid"][0]}

    assert 200 == cluster_api.exchange(early).status_code


def test_the_next_attempts_pod_asks_again_while_the_old_one_is_still_named(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    kubernetes.pod(run, 1)

    assert (409, "NotYetKnown") == refusal(cluster_api.exchange(kubernetes.pod(run, 2, known=False)))


def test_a_pod_of_the_past_is_superseded(cluster_api, kubernetes):
    run = kubernetes.taskrun()
    old = kubernetes.pod(run, 1)
    kubernetes.pod(run, 2)

    assert (410, "Superseded") == refusal(cluster_api.exchange(old))


@pytest.mark.parametrize("end", ["finish", "delete", "deleting"])
def test_a_taskrun_that_is_over_gives_no_token(cluster_api, kubernetes, end):
    run = kubernetes.taskrun()
    token = kubernetes.pod(run)
    if end == "finish":
        kubernetes.finish(run, "success")
    elif end == "delete":
        kubernetes.delete(run)
    else:
        run["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert (410, "Superseded") == refusal(cluster_api.exchange(token))


@pytest.mark.parametrize(
    ("spec", "more", "says"),
    [
        ({}, {"account": "admin"}, "runs as service account 'default'"),
        ({"pod": {"serviceAccountName": "etl"}}, {}, "runs as service account 'etl'"),
        ({"taskInstanceId": "a53efd66-7c32-4a9d-b1bb-bd5bbaaa8173"}, {}, "spec.taskInstanceId"),
        ({"dagId": "../x"}, {}, "spec.dagId"),
        ({"taskId": "t" * 251}, {}, "spec.taskId"),
    ],
)
def test_policy_denies_with_the_rule_and_the_fix(cluster_api, kubernetes, spec, more, says):
    answer = cluster_api.exchange(kubernetes.pod(kubernetes.taskrun(**spec), **more))

    assert (403, "Denied") == refusal(answer)
    assert says in answer.json()["message"]


def test_the_service_account_of_the_spec_is_the_one_that_counts(cluster_api, kubernetes):
    run = kubernetes.taskrun(pod={"serviceAccountName": "etl"})

    assert 200 == cluster_api.exchange(kubernetes.pod(run, account="etl")).status_code


def test_a_dag_that_a_bundle_owns_is_not_for_kubectl(cluster_api, kubernetes):
    cluster_api.db.write(lambda conn: tries.claim_dag(conn, "dag", "planted"))
    answer = cluster_api.exchange(kubernetes.pod(kubernetes.taskrun()))

    assert (403, "Denied") == refusal(answer)
    assert "'bundle:planted'" in answer.json()["message"]


def test_two_namespaces_may_each_have_a_dag_of_one_name(cluster_api, kubernetes):
    cluster_api.exchanged(kubernetes.pod(kubernetes.taskrun()))

    assert 200 == cluster_api.exchange(kubernetes.pod(kubernetes.taskrun(namespace="team-b"))).status_code


def test_two_namespaces_may_each_have_a_run_of_one_name_and_see_nothing_of_the_other(cluster_api, kubernetes):
    launches = []
    for namespace in (NAMESPACE, "team-b"):
        ti, headers = cluster_api.exchanged(
            kubernetes.pod(kubernetes.taskrun(namespace=namespace, runId="r", taskId="task"))
        )
        context = cluster_api.run(ti, headers=headers)
        launches.append((namespace, headers, context))
    for namespace, headers, _ in launches:
        cluster_api.http.post("/xcoms/dag/r/task/k", json=f"of {namespace}", headers=headers)

    for namespace, headers, context in launches:
        assert f"of {namespace}" == cluster_api.http.get("/xcoms/dag/r/task/k", headers=headers).json()["value"]
        assert "r" == context.json()["dag_run"]["run_id"]


def test_a_pod_asks_about_the_runs_of_its_namespace_and_no_others(cluster_api, kubernetes):
    asking = {}
    for namespace, runs in ((NAMESPACE, ("a", "b")), ("team-b", ("b", "c"))):
        for run_id in runs:
            run = kubernetes.taskrun(namespace=namespace, name=f"{namespace}-{run_id}", runId=run_id, taskId="task")
            ti_id, asking[namespace] = cluster_api.exchanged(kubernetes.pod(run))
            cluster_api.run(ti_id, headers=asking[namespace])

    def ask(namespace, path, **query):
        return cluster_api.http.get(path, params=query, headers=asking[namespace])

    for namespace, runs in ((NAMESPACE, {"a", "b"}), ("team-b", {"b", "c"})):
        foreign = ({"a", "c"} - runs).pop()
        assert 2 == ask(namespace, "/task-instances/count", dag_id="dag").json()
        assert 2 == ask(namespace, "/dag-runs/count", dag_id="dag").json()
        assert runs == set(ask(namespace, "/task-instances/states", dag_id="dag").json()["task_states"])
        assert 0 == ask(namespace, "/task-instances/count", dag_id="dag", run_ids=[foreign]).json()
        assert 404 == ask(namespace, f"/dag-runs/dag/{foreign}").status_code
        assert 404 == ask(namespace, f"/dag-runs/dag/{foreign}/state").status_code
        assert {"state": "running"} == ask(namespace, "/dag-runs/dag/b/state").json()
        assert ask(namespace, "/task-instances/previous/dag/task").json()["run_id"] in runs


def test_a_run_of_another_namespace_cannot_be_named_as_such(cluster_api, kubernetes):
    theirs, their_headers = cluster_api.exchanged(kubernetes.pod(kubernetes.taskrun(runId="r", taskId="task")))
    mine, my_headers = cluster_api.exchanged(
        kubernetes.pod(kubernetes.taskrun(namespace="team-b", runId="r", taskId="task"))
    )
    cluster_api.run(theirs, headers=their_headers)
    cluster_api.run(mine, headers=my_headers)
    cluster_api.http.post("/xcoms/dag/r/task/k", json="secret", headers=their_headers)
    answer = cluster_api.http.get(f"/xcoms/dag/{NAMESPACE}%2Fr/task/k", headers=my_headers)

    assert answer.status_code in (403, 404)
    assert "secret" not in answer.text


def test_the_xcoms_of_another_namespaces_run_of_a_dag_of_that_name_are_out_of_reach(cluster_api, kubernetes):
    theirs, their_headers = cluster_api.exchanged(kubernetes.pod(kubernetes.taskrun(runId="theirs", taskId="task")))
    mine, my_headers = cluster_api.exchanged(
        kubernetes.pod(kubernetes.taskrun(namespace="team-b", runId="mine", taskId="task"))
    )
    for ti, headers in ((theirs, their_headers), (mine, my_headers)):
        cluster_api.run(ti, headers=headers)
    cluster_api.http.post("/xcoms/dag/theirs/task/k", json="secret", headers=their_headers)
    direct = cluster_api.http.get("/xcoms/dag/theirs/task/k", headers=my_headers)
    earlier = cluster_api.http.get("/xcoms/dag/mine/task/k?include_prior_dates=true", headers=my_headers)

    assert (403, 404) == (direct.status_code, earlier.status_code)
    assert "secret" not in direct.text + earlier.text


def test_two_taskruns_cannot_run_one_task_instance_at_once(cluster_api, kubernetes):
    cluster_api.exchanged(kubernetes.pod(kubernetes.taskrun("one", runId="r")))
    answer = cluster_api.exchange(kubernetes.pod(kubernetes.taskrun("two", runId="r")))

    assert (403, "Denied") == refusal(answer)
    assert "team-a/one" in answer.json()["message"]


def test_a_taskrun_that_was_deleted_and_made_again_takes_over_at_once(cluster_api, kubernetes):
    old = kubernetes.taskrun(runId="r")
    first, headers = cluster_api.exchanged(kubernetes.pod(old))
    cluster_api.run(first, headers=headers)
    second, _ = cluster_api.exchanged(kubernetes.pod(kubernetes.taskrun(runId="r")))

    assert second != first
    assert 410 == cluster_api.beat(first, headers=headers).status_code
    assert "failed" == cluster_api.db.read(lambda conn: tries.outcome(conn, first)).state


def test_an_address_that_asks_too_often_is_told_to_wait(make_cluster_api, kubernetes):
    api = make_cluster_api(burst=2, per_second=0.001)
    token = kubernetes.pod(kubernetes.taskrun(), known=False)
    answers = [api.exchange(token) for _ in range(3)]

    assert [409, 409, 429] == [answer.status_code for answer in answers]
    assert "TooMany" == answers[-1].json()["reason"]
    assert int(answers[-1].headers["retry-after"]) > 0


def test_kubernetes_being_away_is_said_and_passes(cluster_api, kubernetes):
    token = kubernetes.pod(kubernetes.taskrun())
    kubernetes.away = True
    answer = cluster_api.exchange(token)
    kubernetes.away = False

    assert (503, "ApiBusy") == refusal(answer)
    assert int(answer.headers["retry-after"]) > 0
    assert 200 == cluster_api.exchange(token).status_code


def test_a_server_of_some_namespaces_serves_no_other(make_cluster_api, kubernetes):
    api = make_cluster_api(namespaces=("team-b",))

    assert (403, "Denied") == refusal(api.exchange(kubernetes.pod(kubernetes.taskrun())))
    assert 200 == api.exchange(kubernetes.pod(kubernetes.taskrun(namespace="team-b"))).status_code


def test_a_server_without_kubernetes_says_so(api, kubernetes):
    assert (403, "Denied") == refusal(api.exchange("a.b.c"))


def test_two_questions_of_one_pod_at_once_get_one_task_instance(cluster_api, kubernetes):
    token = kubernetes.pod(kubernetes.taskrun())
    with ThreadPoolExecutor(4) as pool:
        ids = {ti_id for ti_id, _ in pool.map(cluster_api.exchanged, [token] * 8)}

    assert 1 == len(ids)
    assert 1 == len(cluster_api.db.read(attempts.watched))


def test_each_exchange_leaves_one_audit_line_and_no_token(cluster_api, kubernetes, caplog):
    token = kubernetes.pod(kubernetes.taskrun())
    with caplog.at_level(logging.INFO, logger="airlock.audit"):
        given = cluster_api.exchange(token).json()["token"]
        cluster_api.exchange("nonsense")
    granted, refused = [vars(record) for record in caplog.records if record.name == "airlock.audit"]

    assert "granted" == granted["outcome"]
    assert granted["who"] == f"system:serviceaccount:{NAMESPACE}:default"
    assert granted["pod"] == f"{NAMESPACE}/job-1"
    assert ("refused", "BadToken") == (refused["outcome"], refused["reason"])
    text = json.dumps([granted, refused], default=str)
    assert token not in text
    assert given not in text
