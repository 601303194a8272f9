"""Task instances whose TaskRun is over or gone are closed, and nothing else is."""

import time

import pytest
import sqlalchemy as sa

from airlock_server.kube.errors import ClusterError
from airlock_server.launching.taskruns.sweeper import Sweeper
from airlock_server.store import attempts, schema, tries


@pytest.fixture
def sweeper(client, db):
    return Sweeper(client, db, seconds=30)


@pytest.fixture
def running(cluster_api, kubernetes):
    """Makes a TaskRun whose pod runs its task instance: the TaskRun, the id, and the sidecar's headers."""

    def make(name="job", **spec):
        run = kubernetes.taskrun(name, **{"taskId": name, **spec})
        ti_id, headers = cluster_api.exchanged(kubernetes.pod(run))
        assert 200 == cluster_api.run(ti_id, headers=headers).status_code
        return run, ti_id, headers

    return make


def test_a_deleted_taskrun_fails_its_task_instance_and_revokes_the_token(sweeper, cluster_api, kubernetes, running):
    run, ti_id, headers = running()
    kubernetes.delete(run)

    assert 1 == sweeper.look()
    assert ("failed", "the TaskRun was deleted") == (cluster_api.row(ti_id).state, cluster_api.row(ti_id).reason)
    assert 410 == cluster_api.beat(ti_id, headers=headers).status_code
    assert 0 == sweeper.look()


@pytest.mark.parametrize(
    ("said", "state"), [("success", "success"), ("failed", "failed"), ("removed", "removed"), ("running", "failed")]
)
def test_a_taskrun_that_is_over_closes_with_its_own_state(sweeper, cluster_api, kubernetes, running, said, state):
    run, ti_id, _ = running()
    kubernetes.finish(run, said, "NodeLost")
    sweeper.look()

    assert (cluster_api.row(ti_id).state, cluster_api.row(ti_id).reason) == (state, "NodeLost")
    assert cluster_api.moves(ti_id)[-1] == ("running", state, "owner")


def test_what_the_task_reported_itself_stands(sweeper, cluster_api, kubernetes, running):
    run, ti_id, headers = running()
    cluster_api.report(ti_id, "success", headers=headers)
    kubernetes.finish(run, "failed")
    sweeper.look()

    assert "success" == cluster_api.row(ti_id).state
    assert 410 == cluster_api.beat(ti_id, headers=headers).status_code


def test_a_retry_that_will_never_come_is_closed(sweeper, cluster_api, kubernetes, running):
    run, ti_id, headers = running(retries=1)
    cluster_api.report(ti_id, "up_for_retry", headers=headers)
    assert 0 == sweeper.look()
    kubernetes.delete(run)
    sweeper.look()
    rows = sa.select(schema.task_instance.c.state)

    assert "up_for_retry" == cluster_api.db.read(lambda conn: tries.outcome(conn, ti_id)).state
    assert ["failed"] == cluster_api.db.read(lambda conn: list(conn.scalars(rows)))
    assert [] == cluster_api.db.read(attempts.watched)


def test_a_taskrun_that_goes_on_is_left_alone(sweeper, cluster_api, running):
    _, ti_id, headers = running()

    assert 0 == sweeper.look()
    assert 204 == cluster_api.beat(ti_id, headers=headers).status_code


def test_another_taskrun_of_the_same_name_is_another(sweeper, cluster_api, kubernetes, running):
    run, ti_id, _ = running(runId="r")
    kubernetes.delete(run)
    kubernetes.taskrun("job", taskId="job", runId="r")
    sweeper.look()

    assert "failed" == cluster_api.row(ti_id).state


def test_a_list_of_many_pages_is_read_to_its_end(sweeper, cluster_api, kubernetes, running):
    kubernetes.page = 1
    kept = [running(f"job{n}") for n in range(3)]
    gone = running("gone")
    kubernetes.delete(gone[0])

    assert 1 == sweeper.look()
    assert ["running"] * 3 + ["failed"] == [cluster_api.row(ti_id).state for _, ti_id, _ in [*kept, gone]]


def test_a_list_that_breaks_off_closes_nothing(sweeper, cluster_api, kubernetes, running):
    kubernetes.page = 1
    gone, ti_id, _ = running("a")
    running("b"), running("c")
    kubernetes.delete(gone)
    asked = len(kubernetes.calls)

    def break_off(_method, _path):
        kubernetes.away = len(kubernetes.calls) > asked

    kubernetes.before = break_off
    with pytest.raises(ClusterError):
        sweeper.look()

    assert "running" == cluster_api.row(ti_id).state


def test_nothing_is_asked_while_nothing_runs(sweeper, kubernetes):
    assert 0 == sweeper.look()
    assert [] == kubernetes.calls


def test_a_server_of_some_namespaces_closes_only_theirs(client, db, cluster_api, kubernetes, running):
    run, ti_id, _ = running()
    kubernetes.delete(run)

    assert 0 == Sweeper(client, db, 30, ("team-b",)).look()
    assert 1 == Sweeper(client, db, 30, ("team-a", "team-b")).look()
    assert "failed" == cluster_api.row(ti_id).state


def test_it_looks_by_itself_and_survives_that_kubernetes_is_away(client, db, cluster_api, kubernetes, running):
    run, ti_id, _ = running()
    kubernetes.away = True
    with Sweeper(client, db, seconds=0.1):
        time.sleep(0.3)
        assert "running" == cluster_api.row(ti_id).state
        kubernetes.delete(run)
        kubernetes.away = False
        ends = time.monotonic() + 10
        while cluster_api.row(ti_id).state == "running":
            assert time.monotonic() < ends
            time.sleep(0.02)

    assert "failed" == cluster_api.row(ti_id).state
