"""A real sidecar and a real server over TLS, Kubernetes and the launcher played: a launch's token from end to end."""

import time
from types import SimpleNamespace

import msgspec
import pytest
import sqlalchemy as sa
from doubles.launcher import SUCCEED, PlayedLauncher
from doubles.sidecar import POD_TI, Sidecar, work

from airlock_server.store import schema, tries
from airlock_server.store.engine.database import open_engine
from airlock_wire.record import Reason


class Pod:
    """An attempt's pod: its token, its sidecar, and the launcher in it."""

    def __init__(self, server, kubernetes, run, number=1, *, known=True, folder):
        self.uid_token = kubernetes.pod(run, number, known=known)
        extra = kubernetes.reviewed[self.uid_token]["user"]["extra"]
        self.name, self.uid = (extra[f"authentication.kubernetes.io/pod-{key}"][0] for key in ("name", "uid"))
        file = folder / f"{self.name}.token"
        file.write_text(self.uid_token)
        run_id = run["spec"].get("runId") or f"manual__{run['metadata']['uid']}"
        spec, tries = run["spec"], run["status"].get("try", 1)
        ti = msgspec.structs.replace(
            POD_TI, dag_id=spec["dagId"], task_id=spec["taskId"], run_id=run_id, try_number=tries
        )
        settings = {
            "AIRLOCK__API__EXCHANGE_URL": server.url.replace("/execution", "/airlock/v1/exchange"),
            "AIRLOCK__API__CA_PEM": server.authority,
            "AIRLOCK__SIDECAR__POD_TOKEN_FILE": str(file),
            "AIRLOCK__SIDECAR__POD_NAME": self.name,
            "AIRLOCK__SIDECAR__POD_UID": self.uid,
            "AIRLOCK__SIDECAR__HEARTBEAT_SECONDS": "0.2",
        }
        self.sidecar = Sidecar(SimpleNamespace(url=server.url), work(ti=ti), settings).start(None)
        self.launcher = PlayedLauncher(self.sidecar)

    def clean(self):
        self.launcher.clean()
        self.sidecar.clean()


@pytest.fixture
def server(pod_server, kubernetes):
    pod_server.env |= kubernetes.settings | {"AIRLOCK__ACCESS__DEFAULT": "granted"}
    return pod_server


@pytest.fixture
def make_pod(server, kubernetes, tmp_path):
    made = []

    def make(run, number=1, **more):
        made.append(Pod(server, kubernetes, run, number, folder=tmp_path, **more))
        return made[-1]

    yield make
    for pod in made:
        pod.clean()


def state(server, ti_id):
    with open_engine(f"sqlite:///{server.home / 'airlock.db'}") as db:
        return db.read(lambda conn: tries.outcome(conn, ti_id))


def last_heartbeat(server, ti_id):
    table = schema.task_instance.c
    chosen = sa.select(table.last_heartbeat_at).where(table.id == ti_id)
    with open_engine(f"sqlite:///{server.home / 'airlock.db'}") as db:
        return db.read(lambda conn: conn.scalar(chosen))


def test_a_launch_from_the_pods_token_to_its_record(server, kubernetes, make_pod):
    run = kubernetes.taskrun(retries=1)
    with server.serving():
        server.get("/readyz")
        pod = make_pod(run)
        startup = pod.launcher.begin()
        denied = pod.launcher.ask({"type": "GetVariable", "key": "k"})
        xcom = {"key": "x", "value": 1, "dag_id": "dag", "run_id": startup["ti"]["run_id"], "task_id": "task"}
        pushed = pod.launcher.ask({"type": "SetXCom", "map_index": -1, **xcom})
        pod.launcher.ask(SUCCEED)
        pod.launcher.exit()
        record = pod.sidecar.end()

    assert (Reason.SUCCEEDED, "success", True) == (record.reason, record.state, record.acknowledged)
    assert True is startup["ti_context"]["should_retry"]
    assert "PERMISSION_DENIED" == denied.body["error"]
    assert f"airlock grants add variable k --namespace {run['metadata']['namespace']}" in str(denied.body["detail"])
    assert None is pushed.error
    assert "success" == state(server, startup["ti"]["id"]).state
    assert pod.uid_token not in pod.sidecar.log_path.read_text()


def test_a_running_launch_is_known_to_be_alive(server, kubernetes, make_pod):
    """Its heartbeats count: the server takes them, and writes down when the last one came."""
    with server.serving():
        server.get("/readyz")
        ti_id = make_pod(kubernetes.taskrun()).launcher.begin()["ti"]["id"]
        first = last_heartbeat(server, ti_id)
        ends = time.monotonic() + 10
        while last_heartbeat(server, ti_id) == first:
            assert time.monotonic() < ends, "no heartbeat counted"
            time.sleep(0.05)


def test_a_pod_that_is_not_written_down_yet_waits_until_it_is(server, kubernetes, make_pod):
    run = kubernetes.taskrun()
    with server.serving():
        server.get("/readyz")
        pod = make_pod(run, known=False)
        pod.launcher.connect()
        time.sleep(0.5)
        run["status"] = {"try": 1, "attempt": 1, "podRef": {"name": pod.name, "uid": pod.uid}}
        pod.launcher.say("forked")
        pod.launcher.hear("nonce")
        pod.launcher.say("kept")

        assert "StartupDetails" == pod.launcher.answer().body["type"]


def test_a_newer_attempt_stops_the_older_and_runs_the_try(server, kubernetes, make_pod):
    run = kubernetes.taskrun()
    with server.serving():
        server.get("/readyz")
        old = make_pod(run, 1)
        first = old.launcher.begin()
        new = make_pod(run, 2)
        second = new.launcher.begin()
        old.launcher.hear("stop")
        old.launcher.ask(SUCCEED)
        old.launcher.exit(None, 15)
        new.launcher.ask(SUCCEED)
        new.launcher.exit()
        records = [old.sidecar.end(), new.sidecar.end()]

    assert first["ti"]["id"] == second["ti"]["id"]
    assert [Reason.SUPERSEDED, Reason.SUCCEEDED] == [record.reason for record in records]
    assert [False, True] == [record.acknowledged for record in records]


def test_a_server_that_came_back_with_other_keys_is_asked_for_another_token(server, kubernetes, make_pod):
    with server.serving():
        server.get("/readyz")
        pod = make_pod(kubernetes.taskrun())
        pod.launcher.begin()
    server.mount("jwt.key", b"n" * 64)
    with server.serving():
        server.get("/readyz")
        pod.launcher.ask(SUCCEED)
        pod.launcher.exit()
        record = pod.sidecar.end()

    assert (Reason.SUCCEEDED, True) == (record.reason, record.acknowledged)


def test_a_planted_dag_is_denied_and_the_record_says_why(server, kubernetes, make_pod):
    with server.serving():
        server.get("/readyz")
        with open_engine(f"sqlite:///{server.home / 'airlock.db'}") as db:
            db.write(lambda conn: tries.claim_dag(conn, "dag", "planted"))
        pod = make_pod(kubernetes.taskrun())
        pod.launcher.connect()
        pod.launcher.say("forked")
        pod.launcher.hear("stop")
        pod.launcher.exit(None, 15)
        record = pod.sidecar.end()

    assert Reason.DENIED is record.reason
    assert "'bundle:planted'" in record.message


@pytest.mark.slow
def test_kubernetes_away_at_the_start_is_waited_out(server, kubernetes, make_pod):
    kubernetes.away = True
    with server.serving():
        server.get("/readyz")
        pod = make_pod(kubernetes.taskrun())
        pod.launcher.connect()
        time.sleep(0.5)
        kubernetes.away = False
        pod.launcher.say("forked")
        pod.launcher.hear("nonce")
        pod.launcher.say("kept")

        assert "StartupDetails" == pod.launcher.answer().body["type"]


def test_a_taskrun_that_is_deleted_stops_its_runner(server, kubernetes, make_pod):
    server.env["AIRLOCK__KUBERNETES__SWEEP_SECONDS"] = "0.5"
    run = kubernetes.taskrun()
    with server.serving():
        server.get("/readyz")
        pod = make_pod(run)
        startup = pod.launcher.begin()
        kubernetes.delete(run)
        pod.launcher.hear("stop")
        pod.launcher.exit(None, 15)
        record = pod.sidecar.end()

    assert Reason.SUPERSEDED is record.reason
    assert "failed" == state(server, startup["ti"]["id"]).state
