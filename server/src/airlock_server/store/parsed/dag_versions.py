"""The versions of a DAG. Functions over a connection, for ``Engine.write`` and ``Engine.read``."""

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules.parsing import Latest, Step, varies, version_step
from airlock_server.store.schema import dag_version, task_instance, task_instance_history
from airlock_wire.dags import version
from airlock_wire.dags.dag import SerializedDag

_v = dag_version.c


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a DAG, and the DAG that it is, with its file's text."""

    id: str
    number: int
    content_hash: str
    bundle_name: str
    bundle_version: str | None
    dag: SerializedDag


class Written(msgspec.Struct, frozen=True):
    """What became of a definition; ``varies`` as in ``rules.parsing``."""

    step: Step
    varies: bool


def latest(conn: sa.Connection, dag_id: str) -> Version | None:
    """Returns a DAG's latest version, None if it has none."""
    query = sa.select(dag_version).where(_v.dag_id == dag_id).order_by(_v.number.desc()).limit(1)
    return _version(conn.execute(query).one_or_none())


def get(conn: sa.Connection, version_id: str) -> Version | None:
    """Returns a version by its id."""
    return _version(conn.execute(sa.select(dag_version).where(_v.id == version_id)).one_or_none())


def write(
    conn: sa.Connection, dag: SerializedDag, bundle_name: str, bundle_version: str | None, moment: datetime
) -> Written:
    """Writes a definition as the rules say. The caller has locked the DAG's row."""
    query = sa.select(dag_version).where(_v.dag_id == dag.dag_id).order_by(_v.number.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    content_hash = version.content_hash(dag)
    before = (
        None
        if row is None
        else Latest(
            content_hash=row.content_hash,
            source=row.source,
            # Looked up only where it decides.
            used=row.content_hash != content_hash and _is_used(conn, row.id, dag.dag_id),
        )
    )
    step = version_step(before, content_hash)
    values: dict[str, Any] = {
        "content_hash": content_hash,
        "data": msgspec.json.encode({**version.plain(msgspec.structs.replace(dag, source="")), "format": dag.format}),
        "source": dag.source,
        "bundle_name": bundle_name,
        "bundle_version": bundle_version,
    }
    if step is Step.ADD:
        number = 1 if row is None else row.number + 1
        identity = {"id": str(uuid.uuid4()), "dag_id": dag.dag_id, "number": number}
        conn.execute(sa.insert(dag_version).values(**identity, created_at=moment, updated_at=moment, **values))
    elif row is not None and any(getattr(row, name) != value for name, value in values.items()):
        conn.execute(sa.update(dag_version).where(_v.id == row.id).values(updated_at=moment, **values))
    return Written(step, varies(before, content_hash, dag.source))


def _is_used(conn: sa.Connection, version_id: str, dag_id: str) -> bool:
    """Tells whether a version has task instances, of any try."""
    tables = (task_instance.c, task_instance_history.c)
    queries = (sa.select(t.id).where(t.dag_id == dag_id, t.dag_version_id == version_id).limit(1) for t in tables)
    return any(conn.execute(query).one_or_none() is not None for query in queries)


def _version(row: Any) -> Version | None:
    if row is None:
        return None
    dag = msgspec.structs.replace(msgspec.json.decode(row.data, type=SerializedDag), source=row.source)
    names = ("id", "number", "content_hash", "bundle_name", "bundle_version")
    return Version(dag=dag, **{name: getattr(row, name) for name in names})
