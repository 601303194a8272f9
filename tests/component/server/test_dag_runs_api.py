"""DAGs, and DAG runs that tasks make and clear, over HTTP, with a real database."""

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from airlock_server.rules.triggering import DagFacts
from airlock_server.store import grants, schema, tries
from airlock_server.store.grants import Grant
from airlock_server.store.runs import dags

DAY = "2026-03-01T00:00:00Z"


@pytest.fixture
def child(api):
    """A DAG ``child`` of a bundle; called with what is known of it."""

    def describe(**facts):
        def write(conn):
            tries.claim_dag(conn, "child", "team")
            dags.describe(conn, "child", DagFacts(**facts))

        api.db.write(write)

    describe()
    return describe


def trigger(api, run_id="r", dag_id="child", headers=None, **body):
    return api.http.post(f"/dag-runs/{dag_id}/{run_id}", json=body, headers=headers or api.anyone)


def clear(api, run_id="run", dag_id="dag", headers=None):
    return api.http.post(f"/dag-runs/{dag_id}/{run_id}/clear", headers=headers or api.anyone)


def ask(api, path, **query):
    return api.http.get(path, params=query, headers=api.anyone).json()


def reason(answer):
    return answer.status_code, answer.json()["detail"]["reason"]


def set_run(api, run_id, **values):
    table = schema.dag_run
    api.db.write(lambda conn: conn.execute(sa.update(table).where(table.c.run_id == run_id).values(**values)))


# --- a run that is made ---


def test_a_run_that_a_task_makes_is_queued_and_answered_by_every_operation_about_runs(api, child):
    child(is_partitioned=True)
    body = {
        "conf": {"a": [1]},
        "logical_date": DAY,
        "run_after": "2026-03-02T00:00:00Z",
        "note": "n",
        "partition_key": "k",
    }
    assert (204, b"") == ((made := trigger(api, **body)).status_code, made.content)

    run = ask(api, "/dag-runs/child/r")
    assert {
        "dag_id": "child", "run_id": "r", "run_type": "operator_triggered", "state": "queued", "logical_date": DAY,
        "data_interval_start": "2026-03-02T00:00:00Z", "data_interval_end": "2026-03-02T00:00:00Z",
        "run_after": "2026-03-02T00:00:00Z", "start_date": None, "end_date": None, "conf": {"a": [1]}, "note": "n",
        "partition_key": "k", "partition_date": None, "clear_number": 0, "triggering_user_name": None,
        "consumed_asset_events": [], "team_name": None,
    } == run  # fmt: skip
    assert {"state": "queued"} == ask(api, "/dag-runs/child/r/state")
    assert 1 == ask(api, "/dag-runs/count", dag_id="child", states=["queued"])
    assert "r" == ask(api, "/dag-runs/previous", dag_id="child", logical_date="2026-03-05T00:00:00Z")["run_id"]
    assert 0 == ask(api, "/task-instances/count", dag_id="child")


def test_a_run_without_a_logical_date_has_no_data_interval_and_may_run_from_now(api, child):
    before = datetime.now(UTC)
    assert 204 == trigger(api).status_code

    run = ask(api, "/dag-runs/child/r")
    assert [None, None, None] == [run[name] for name in ("logical_date", "data_interval_start", "data_interval_end")]
    assert before <= datetime.fromisoformat(run["run_after"]) <= datetime.now(UTC)
    assert {} == run["conf"]


def test_a_second_call_makes_no_second_run_whatever_it_asks_for(api, child):
    trigger(api, conf={"first": True})

    assert (409, "already_exists") == reason(trigger(api, conf={"first": True}))
    assert (409, "already_exists") == reason(trigger(api, reset_dag_run=True))
    assert {"first": True} == ask(api, "/dag-runs/child/r")["conf"]
    assert 1 == ask(api, "/dag-runs/count", dag_id="child")


def test_a_second_run_of_a_logical_date_is_refused(api, child):
    trigger(api, logical_date=DAY)

    assert (409, "already_exists") == reason(trigger(api, run_id="other", logical_date=DAY))
    assert 1 == ask(api, "/dag-runs/count", dag_id="child")


def test_of_many_callers_at_once_one_makes_the_run(api, child):
    statuses = []
    barrier = threading.Barrier(12)

    def call():
        barrier.wait(30)
        statuses.append(trigger(api, logical_date=DAY).status_code)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [204, *[409] * 11] == sorted(statuses)


def test_the_person_who_began_the_tasks_run_has_begun_the_run_that_it_makes(api, child):
    ti_id = api.running()
    set_run(api, "run", triggering_user_name="ada")
    trigger(api, headers=api.own(ti_id))

    assert "ada" == ask(api, "/dag-runs/child/r")["triggering_user_name"]


@pytest.mark.parametrize(
    ("facts", "body", "run_id", "expected"),
    [
        ({"has_import_errors": True}, {}, "r", (400, "import_errors")),
        ({"allowed_run_types": ["manual"]}, {}, "r", (400, "denied_run_type")),
        ({}, {"partition_key": "k"}, "r", (400, "not_partitioned")),
        ({"is_partitioned": True}, {"partition_key": " "}, "r", (400, "invalid_partition_key")),
        ({}, {}, "a..b", (400, "value_error")),
    ],
)
def test_a_run_that_the_dag_does_not_allow_is_refused_and_not_made(api, child, facts, body, run_id, expected):
    child(**facts)

    assert expected == reason(trigger(api, run_id=run_id, **body))
    assert 0 == ask(api, "/dag-runs/count", dag_id="child")


def test_a_dag_that_nobody_claimed_has_no_runs(api):
    assert (404, "not_found") == reason(trigger(api, dag_id="never"))
    assert (404, "not_found") == reason(clear(api, dag_id="never"))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"conf": None}, "conf"),
        ({"conf": [1]}, "conf"),
        ({"logical_date": "2026-01-01T00:00:00"}, "logical_date"),
        ({"run_after": "soon"}, "run_after"),
        ({"reset_dag_run": "maybe"}, "reset_dag_run"),
        ({"note": 1}, "note"),
        ({"partition_key": 1}, "partition_key"),
        ({"more": 1}, "more"),
    ],
)
def test_a_payload_with_a_wrong_field_is_refused_by_its_name(api, child, body, place):
    answer = trigger(api, **body)

    assert 422 == answer.status_code
    assert ["body", place] == answer.json()["detail"][0]["loc"]


# --- clearing ---


def test_a_cleared_run_is_queued_again_and_its_task_instances_have_new_ids(api):
    ended, skipped = api.running("ended"), api.queue("skipped")
    api.report(ended, "success")
    api.force(skipped, "upstream_failed")
    set_run(api, "run", state="success", end_date=datetime.now(UTC))

    assert 204 == clear(api).status_code
    run = ask(api, "/dag-runs/dag/run")
    assert ("queued", None, None, 1) == tuple(run[name] for name in ("state", "start_date", "end_date", "clear_number"))
    states = ask(api, "/task-instances/states", dag_id="dag")["task_states"]
    assert {"run": {"ended": None, "skipped": None}} == states
    assert (None, None) == (api.row(ended), api.row(skipped))
    assert ("success", "none", "task") == api.moves(ended)[-1]


def test_a_cleared_task_instance_may_use_the_retries_that_it_had(api):
    api.report(api.running(max_tries=0, try_number=1), "failed")
    api.report(api.running("other", max_tries=3, try_number=1), "failed")
    clear(api)
    table = schema.task_instance.c
    rows = api.db.read(
        lambda conn: conn.execute(sa.select(table.task_id, table.max_tries).order_by(table.task_id)).all()
    )

    assert [("other", 3), ("task", 1)] == [tuple(row) for row in rows]


def test_a_second_call_clears_nothing_that_is_cleared(api):
    api.report(api.running(), "failed")
    clear(api)
    table = schema.task_instance.c
    ids = api.db.read(lambda conn: conn.scalars(sa.select(table.id)).all())

    assert 204 == clear(api).status_code
    assert ids == api.db.read(lambda conn: conn.scalars(sa.select(table.id)).all())
    assert 1 == ask(api, "/dag-runs/dag/run")["clear_number"]


def test_a_launch_whose_run_is_cleared_is_cut_off_and_another_may_begin(api):
    ti_id = api.running(max_tries=0)

    assert 204 == clear(api).status_code
    assert 410 == api.beat(ti_id).status_code
    assert 404 == api.report(ti_id, "success").status_code
    states = ask(api, "/task-instances/states", dag_id="dag")["task_states"]
    assert {"run": {"task": "restarting"}} == states
    assert "running" == ask(api, "/dag-runs/dag/run")["state"]
    table = schema.task_instance.c
    new_id = api.db.read(lambda conn: conn.scalar(sa.select(table.id)))
    again = api.run(new_id, pid=2)
    assert (200, True) == (again.status_code, again.json()["should_retry"])


def test_a_cleared_try_may_be_queued_again(api):
    api.running()
    clear(api)

    assert 200 == api.run(api.queue(try_number=2)).status_code


def test_a_run_that_does_not_exist_is_not_cleared(api):
    api.queue()

    assert (404, "not_found") == reason(clear(api, run_id="never"))


def test_the_runs_of_a_dag_that_cannot_be_imported_are_not_cleared(api, child):
    trigger(api)
    child(has_import_errors=True)

    assert (400, "import_errors") == reason(clear(api, run_id="r", dag_id="child"))


# --- DAGs ---


def test_a_dag_is_answered_with_what_is_known_of_it(api, child):
    nothing = dict.fromkeys(("bundle_version", "relative_fileloc", "owners", "next_dagrun"))
    assert {"dag_id": "child", "is_paused": False, "bundle_name": "team", "tags": [], **nothing} == ask(
        api, "/dags/child"
    )
    child(
        is_paused=True, bundle_version="v1", relative_fileloc="a/b.py", owners="ada, bob", tags=["z", "a"],
        next_dagrun=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip

    assert {
        "dag_id": "child", "is_paused": True, "bundle_name": "team", "bundle_version": "v1",
        "relative_fileloc": "a/b.py", "owners": "ada, bob", "tags": ["a", "z"], "next_dagrun": DAY,
    } == ask(api, "/dags/child")  # fmt: skip


def test_a_dag_that_nobody_claimed_is_not_found(api):
    answer = api.http.get("/dags/never", headers=api.anyone)

    assert (404, "not_found") == reason(answer)


# --- task groups ---


@pytest.fixture
def grouped(api):
    """A run of two tasks in a group and one beside it."""
    for task_id in ("load.fetch", "load.store", "report"):
        api.running(task_id)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("query", "count", "states"),
    [
        ({}, 2, {"load.fetch", "load.store"}),
        ({"task_ids": ["load.fetch", "report"]}, 1, {"load.fetch", "load.store", "report"}),
        ({"task_ids": ["report"]}, 0, {"load.fetch", "load.store", "report"}),
        ({"run_ids": ["never"]}, 0, None),
        ({"map_index": 3}, 0, None),
    ],
)
def test_a_query_names_the_tasks_of_a_group_by_the_groups_id(api, grouped, known, query, count, states):
    if known:
        groups = {"load": ["load.fetch", "load.store"]}
        api.db.write(lambda conn: dags.describe(conn, "dag", DagFacts(task_groups=groups)))
    asking = {"dag_id": "dag", "task_group_id": "load", **query}

    assert count == ask(api, "/task-instances/count", **asking)
    by_run = ask(api, "/task-instances/states", **asking)["task_states"]
    assert states == (set(by_run["run"]) if by_run else None)


def test_a_group_of_tasks_that_are_not_named_after_it_is_known_from_the_dag(api, grouped):
    facts = DagFacts(task_groups={"all": ["report", "load.fetch"], "none": []})
    api.db.write(lambda conn: dags.describe(conn, "dag", facts))

    assert 2 == ask(api, "/task-instances/count", dag_id="dag", task_group_id="all")
    assert 0 == ask(api, "/task-instances/count", dag_id="dag", task_group_id="none")
    assert {} == ask(api, "/task-instances/states", dag_id="dag", task_group_id="none")["task_states"]


@pytest.mark.parametrize("group", ["never", "loa", "load_", "report"])
@pytest.mark.parametrize("operation", ["count", "states"])
def test_a_group_that_the_dag_does_not_have_is_not_found(api, grouped, group, operation):
    path, query = f"/task-instances/{operation}", {"dag_id": "dag", "task_group_id": group}
    answer = api.http.get(path, params=query, headers=api.anyone)

    assert (404, "not_found") == reason(answer)


# --- what a pod may do ---


@pytest.fixture
def pod(make_cluster_api, kubernetes):
    """A server that asks for grants, and the headers of a pod of each of two namespaces."""
    api = make_cluster_api(by_grant=True)
    headers = {}
    for namespace in ("team-a", "team-b"):
        run = kubernetes.taskrun(namespace=namespace, runId="r", taskId="task")
        ti_id, headers[namespace] = api.exchanged(kubernetes.pod(run))
        assert 200 == api.run(ti_id, headers=headers[namespace]).status_code
    return api, headers


def grant(api, namespace, pattern):
    api.db.write(lambda conn: grants.add(conn, Grant(namespace, "dag", pattern)))


def test_a_pod_makes_and_clears_runs_of_the_dags_that_are_granted_to_its_namespace_and_no_others(pod):
    api, headers = pod
    refused = trigger(api, "new", "dag", headers["team-a"])
    assert (403, "access_denied") == reason(refused)
    assert "airlock grants add dag dag --namespace team-a" in refused.json()["detail"]["message"]
    assert (403, "access_denied") == reason(clear(api, "r", "dag", headers["team-a"]))
    grant(api, "team-a", "d*")

    assert 204 == trigger(api, "new", "dag", headers["team-a"]).status_code
    assert (403, "access_denied") == reason(trigger(api, "new", "other", headers["team-a"]))
    assert (403, "access_denied") == reason(trigger(api, "new", "dag", headers["team-b"]))


def test_a_run_that_a_pod_makes_belongs_to_its_namespace(pod):
    api, headers = pod
    for namespace in headers:
        grant(api, namespace, "dag")
    assert 204 == trigger(api, "new", "dag", headers["team-a"], logical_date=DAY).status_code
    path = "/dag-runs/dag/new"

    assert [200, 404] == [api.http.get(path, headers=each).status_code for each in headers.values()]
    assert (404, "not_found") == reason(clear(api, "new", "dag", headers["team-b"]))
    assert 204 == trigger(api, "new", "dag", headers["team-b"], logical_date=DAY).status_code
    assert "new" == api.http.get(path, headers=headers["team-b"]).json()["run_id"]


def test_a_pod_sees_and_starts_no_dag_that_only_another_namespace_runs(make_cluster_api, kubernetes):
    api = make_cluster_api()
    headers = {}
    for namespace, dag_id in (("team-a", "ours"), ("team-b", "theirs")):
        run = kubernetes.taskrun(namespace=namespace, dagId=dag_id, runId="r", taskId="task")
        _, headers[namespace] = api.exchanged(kubernetes.pod(run))
    api.db.write(lambda conn: tries.claim_dag(conn, "shared", "bundle"))

    def statuses(dag_id):
        return [api.http.get(f"/dags/{dag_id}", headers=each).status_code for each in headers.values()]

    assert ([200, 404], [404, 200], [200, 200]) == (statuses("ours"), statuses("theirs"), statuses("shared"))
    assert (404, "not_found") == reason(trigger(api, "new", "theirs", headers["team-a"]))
    assert 204 == trigger(api, "new", "shared", headers["team-a"]).status_code


def test_a_pod_whose_run_is_cleared_is_superseded_and_the_next_one_runs_the_task(pod, kubernetes):
    api, headers = pod
    grant(api, "team-a", "dag")
    assert 204 == clear(api, "r", "dag", headers["team-a"]).status_code

    assert (410, "superseded") == reason(clear(api, "r", "dag", headers["team-a"]))
    again = kubernetes.taskrun(name="again", namespace="team-a", runId="r", taskId="task")
    ti_id, new = api.exchanged(kubernetes.pod(again))
    assert 200 == api.run(ti_id, headers=new).status_code
