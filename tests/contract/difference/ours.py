"""Our server with a seeded world, on the database of a URL."""

import contextlib
import uuid
from datetime import datetime

import sqlalchemy as sa

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys.encryption import Encryption
from airlock_server.rules.triggering import DagFacts
from airlock_server.store import connections, schema, tries, variables
from airlock_server.store.connections import Connection
from airlock_server.store.engine.database import open_engine
from airlock_server.store.people import connection_tests
from airlock_server.store.runs import dags

#: What Airflow knows of the DAGs of ``dags`` from their file, and our server from whoever reads it.
FACTS = {
    "d": {"tags": ["a", "b"], "task_groups": {"load": ["load.fetch", "load.store"]}},
    "partitioned": {"is_partitioned": True},
    "made": {"task_groups": {}},
    "broken": {},
    "limited": {},
}
_DATES = ("logical_date", "data_interval_start", "data_interval_end", "run_after", "start_date", "end_date")


@contextlib.contextmanager
def serving(url, tokens, world):
    """Serves the world; the address."""
    encryption = Encryption(b"e" * 64)
    with open_engine(url) as db, EmbeddedServer(db, tokens, encryption) as server:
        db.write(lambda conn: seed(conn, encryption, world))
        yield server.url


def seed(conn, encryption, world):
    """Writes a world into the database."""
    for dag_id, facts in FACTS.items():
        tries.claim_dag(conn, dag_id, "differing")
        known = {"owners": "ada", "relative_fileloc": "differing.py", **facts, **world.dags.get(dag_id, {})}
        dags.describe(conn, dag_id, DagFacts(**known))
    for run in world.runs:
        conn.execute(sa.insert(schema.dag_run).values(_dated(run)))
    for instance in world.instances:
        values = _dated({name: value for name, value in instance.items() if name != "duration"})
        conn.execute(sa.insert(schema.task_instance).values(dag_version_id=str(uuid.uuid4()), **values))
    for key, value in world.variables.items():
        variables.put(conn, encryption, key, value, None)
    for each in world.connections:
        connections.put(conn, encryption, Connection(**each))
    for each in world.connection_tests:
        fields = {name: value for name, value in each.items() if name not in ("id", "state")}
        made = connection_tests.make(conn, encryption, Connection(**fields), commit_on_success=True)
        _name_test(conn, encryption, made, each)


def _name_test(conn, encryption, made, each):
    """Gives a test the id and the state of the world; its secret belongs to the id."""
    password = encryption.encrypt(each["password"], f"connection_test/{each['id']}/password")
    table = schema.connection_test
    values = {"id": each["id"], "state": each["state"], "password": password}
    conn.execute(sa.update(table).where(table.c.id == made).values(values))


def _dated(fields):
    return {name: datetime.fromisoformat(v) if name in _DATES and v is not None else v for name, v in fields.items()}
