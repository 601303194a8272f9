"""Import errors, one for each file at most, and warnings about DAGs. Functions over a connection."""

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa

from airlock_server.store.engine.upsert import upsert
from airlock_server.store.schema import dag_warning, import_error

_e, _w = import_error.c, dag_warning.c

#: The kind of the warning about a definition that changes although its file does not: Airflow's word.
VARIES = "runtime varying value"
CONFLICT = "asset conflict"


class FileError(msgspec.Struct, frozen=True, kw_only=True):
    """Why the last parse of a file failed. The file is relative to its bundle."""

    id: int
    bundle_name: str
    file: str
    text: str
    at: datetime


def listed(conn: sa.Connection, bundle_name: str | None = None) -> list[FileError]:
    """Returns the import errors of a bundle, or all, by file."""
    query = sa.select(import_error).order_by(_e.bundle_name, _e.relative_fileloc)
    if bundle_name is not None:
        query = query.where(_e.bundle_name == bundle_name)
    return [
        FileError(id=row.id, bundle_name=row.bundle_name, file=row.relative_fileloc, text=row.stacktrace, at=row.at)
        for row in conn.execute(query)
    ]


def replace(conn: sa.Connection, bundle_name: str, file: str, text: str, moment: datetime) -> None:
    """Writes a file's import error, in the place of the last; an empty ``text`` removes it."""
    at_file = (_e.bundle_name == bundle_name, _e.relative_fileloc == file)
    if not text:
        conn.execute(sa.delete(import_error).where(*at_file))
        return
    values = {"stacktrace": text, "at": moment}
    if not conn.execute(sa.update(import_error).where(*at_file).values(values)).rowcount:
        conn.execute(sa.insert(import_error).values(bundle_name=bundle_name, relative_fileloc=file, **values))


def remove(conn: sa.Connection, bundle_name: str, files: Collection[str]) -> None:
    """Removes the import errors of files that are gone."""
    conn.execute(sa.delete(import_error).where(_e.bundle_name == bundle_name, _e.relative_fileloc.in_(sorted(files))))


def warn(conn: sa.Connection, dag_id: str, kind: str, message: str, moment: datetime) -> None:
    """Writes a warning about a DAG, in the place of the last of its kind; an empty ``message`` removes it."""
    if message:
        upsert(conn, dag_warning, {"dag_id": dag_id, "kind": kind}, {"message": message, "at": moment})
    else:
        conn.execute(sa.delete(dag_warning).where(_w.dag_id == dag_id, _w.kind == kind))


def warnings(conn: sa.Connection, dag_id: str) -> dict[str, str]:
    """Returns the warnings about a DAG by their kinds."""
    query = sa.select(_w.kind, _w.message).where(_w.dag_id == dag_id).order_by(_w.kind)
    return {row.kind: row.message for row in conn.execute(query)}
