"""The whole of it: Airflow's own runner, our launcher, our sidecar, our server, for the tasks of one DAG run."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.settings import JwtSettings
from airlock_server.store import connections, tries, variables, xcoms
from airlock_server.store.connections import Connection
from airlock_server.store.engine.database import open_engine
from airlock_wire.identity import TaskInstanceKey

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path):
    tokens, encryption = Tokens(b"k" * 64, JwtSettings()), Encryption(b"e" * 64)
    with open_engine(f"sqlite:///{tmp_path / 'airlock.db'}") as db, EmbeddedServer(db, tokens, encryption) as server:
        yield SimpleNamespace(db=db, tokens=tokens, encryption=encryption, url=server.url)


@pytest.fixture
def launch(served, pod):
    """Queues a task instance and runs it; what the server then has of it."""
    pod.api = served

    def run(dag_id, task_id, file, max_tries=0, earlier=()):
        """``earlier`` are keys of XComs that an earlier try pushed."""

        def write(conn):
            tries.claim_dag(conn, dag_id, "contract")
            ti_id = tries.queue_task(
                conn,
                TaskInstanceKey(dag_id, "manual__1", task_id),
                try_number=1,
                max_tries=max_tries,
                conf=None,
                now=datetime.now(UTC),
            )
            for key in earlier:
                place = xcoms.XComKey(dag_id, "manual__1", task_id, key)
                assert xcoms.put(conn, place, -1, json.dumps(f"elsewhere:{key}").encode())
            return ti_id

        ti_id = served.db.write(write)
        token = served.tokens.mint_workload(ti_id)
        pod.start(task_id, file=file, dag_id=dag_id, token=token, id=ti_id, run_id="manual__1")
        ended = pod.end()
        pod.clean()
        return served.db.read(lambda conn: tries.outcome(conn, ti_id)), ended

    return run


def test_every_task_comes_to_its_state(launch):
    states = {
        task_id: launch("contract", task_id, "outcomes.py", max_tries)[0].state.value
        for task_id, max_tries in (("succeed", 0), ("fail", 0), ("retry", 2), ("skip", 0), ("exit_with_3", 2))
    }

    assert {
        "succeed": "success", "fail": "failed", "retry": "up_for_retry", "skip": "skipped",
        "exit_with_3": "up_for_retry",
    } == states  # fmt: skip


def test_what_the_server_holds_reaches_the_task_and_its_value_the_server(launch, served):
    def prepare(conn):
        variables.put(conn, served.encryption, "greeting", "hello", None)
        connections.put(conn, served.encryption, Connection(conn_id="db", conn_type="generic", password="open-sesame"))

    served.db.write(prepare)
    _, printed = launch("surroundings", "prints_a_password", "surroundings.py")
    _, looked = launch("surroundings", "looks_up_in_a_thread", "surroundings.py")

    assert ["it is ***"] == printed.events("task.stdout"), printed.text()
    pushed = xcoms.XComKey("surroundings", "manual__1", "looks_up_in_a_thread", "return_value")
    value = served.db.read(lambda conn: xcoms.get(conn, pushed, -1))
    assert ["hello"] == json.loads(value), looked.text()


BACKEND = """
from pathlib import Path
from airflow.sdk.bases.xcom import BaseXCom

class Elsewhere(BaseXCom):
    @classmethod
    def purge(cls, xcom, *args):
        with (Path(__file__).parent / "purged").open("a") as note:
            print(xcom.key, xcom.value, file=note)
"""


def test_an_authors_xcom_backend_purges_what_an_earlier_try_pushed(launch, served, pod, tmp_path):
    (tmp_path / "elsewhere.py").write_text(BACKEND)
    pod.env |= {"PYTHONPATH": str(tmp_path), "AIRFLOW__CORE__XCOM_BACKEND": "elsewhere.Elsewhere"}
    outcome, ended = launch("contract", "fail", "outcomes.py", earlier=("a", "b"))
    left = [
        served.db.read(lambda conn, key=key: xcoms.get(conn, xcoms.XComKey("contract", "manual__1", "fail", key), -1))
        for key in "ab"
    ]

    assert "failed" == outcome.state.value
    assert (tmp_path / "purged").exists(), ended.text()
    assert ["a elsewhere:a", "b elsewhere:b"] == (tmp_path / "purged").read_text().splitlines()
    assert [None, None] == left
