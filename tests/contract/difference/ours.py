"""Our server with a seeded world, on the database of a URL."""

import contextlib
import json
import uuid
from datetime import datetime

import sqlalchemy as sa

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys.encryption import Encryption
from airlock_server.rules.assets import Declarations, every
from airlock_server.rules.triggering import DagFacts
from airlock_server.store import connections, schema, tries, variables
from airlock_server.store.assets import declared, registry, states
from airlock_server.store.connections import Connection
from airlock_server.store.engine.database import open_engine
from airlock_server.store.people import connection_tests
from airlock_server.store.runs import dags
from airlock_wire.assets import DeclaredAsset
from airlock_wire.identity import TaskInstanceKey

#: What Airflow knows of the DAGs of ``dags`` from their file, and our server from whoever reads it.
FACTS = {
    "d": {"tags": ["a", "b"], "task_groups": {"load": ["load.fetch", "load.store"]}},
    "partitioned": {"is_partitioned": True},
    "made": {"task_groups": {}},
    "broken": {},
    "limited": {},
}
_ASSET, _SECOND, _CLEARED, _OLD = (
    DeclaredAsset(name=name, uri=uri)
    for name, uri in (
        ("asset", "s3://bucket/asset"),
        ("second", "s3://bucket/second"),
        ("cleared", "s3://bucket/cleared"),
        ("second", "s3://old/second"),
    )
)
_ALIAS, _GIVEN, _SHARED = (DeclaredAsset(type="AssetAlias", name=name) for name in ("alias", "given", "shared"))
#: The same of the assets of the tasks in ``dags``.
DECLARED = {
    "publish": Declarations(inlets=(_ASSET, _ALIAS), outlets=(_ASSET, _SECOND, _CLEARED, _GIVEN, _SHARED)),
    "refer": Declarations(
        outlets=(
            DeclaredAsset(type="AssetNameRef", name="asset"),
            DeclaredAsset(type="AssetUriRef", uri="s3://bucket/second"),
        )
    ),
    "stale": Declarations(inlets=(_ASSET,), outlets=(_OLD,)),
}
#: Declares the world's assets, all but the inactive ones: those are another DAG's.
_FIRST, _RIVAL = (TaskInstanceKey(dag_id, "r", "t") for dag_id in ("made", "d"))
_DATES = (
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "start_date",
    "end_date",
    "timestamp",
)


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
    _seed_assets(conn, world)
    for key, value in world.variables.items():
        variables.put(conn, encryption, key, value, None)
    for each in world.connections:
        connections.put(conn, encryption, Connection(**each))
    for each in world.connection_tests:
        fields = {name: value for name, value in each.items() if name not in ("id", "state")}
        made = connection_tests.make(conn, encryption, Connection(**fields), commit_on_success=True)
        _name_test(conn, encryption, made, each)


def _seed_assets(conn, world):
    numbers = {}
    for each in world.assets:
        fields = {name: value for name, value in each.items() if name != "active"}
        row = registry.register(conn, DeclaredAsset(**fields), _FIRST if each["active"] else _RIVAL)
        assert each["active"] == row.active
        numbers[each["uri"]] = row.id
    aliases = {each["name"]: registry.register_alias(conn, each["name"]) for each in world.aliases}
    for each in world.aliases:
        for uri in each["assets"]:
            registry.give(conn, aliases[each["name"]], numbers[uri])
    for each in world.asset_events:
        fields = {name: value for name, value in each.items() if name not in ("asset", "aliases")}
        values = _dated(fields | {"asset_id": numbers[each["asset"]]})
        event_id = conn.scalar(sa.insert(schema.asset_event).values(values).returning(schema.asset_event.c.id))
        for name in each["aliases"]:
            conn.execute(sa.insert(schema.alias_of_event).values(event_id=event_id, alias_id=aliases[name]))
    for each in world.asset_states:
        states.put(conn, numbers[each["asset"]], each["key"], json.dumps(each["value"]).encode(), _FIRST)
    for instance in world.instances:
        if instance["task_id"] in DECLARED:
            key = TaskInstanceKey(*(instance[name] for name in TaskInstanceKey.__struct_fields__))
            declared.declare(conn, key, DECLARED[instance["task_id"]], every)


def _name_test(conn, encryption, made, each):
    """Gives a test the id and the state of the world; its secret belongs to the id."""
    password = encryption.encrypt(each["password"], f"connection_test/{each['id']}/password")
    table = schema.connection_test
    values = {"id": each["id"], "state": each["state"], "password": password}
    conn.execute(sa.update(table).where(table.c.id == made).values(values))


def _dated(fields):
    return {name: datetime.fromisoformat(v) if name in _DATES and v is not None else v for name, v in fields.items()}
