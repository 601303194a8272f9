"""
What files say, written: a parsed file's DAGs, and files that are gone. Functions over a connection.

Each file is a transaction of its own, and each DAG a part of it that can fail alone.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from airlock_server.rules import dag_summary
from airlock_server.rules.parsing import Known, Settlement, settle
from airlock_server.store.assets import of_dags
from airlock_server.store.engine import locks
from airlock_server.store.engine.upsert import insert_missing
from airlock_server.store.parsed import dag_versions, errors
from airlock_server.store.schema import dag, import_error
from airlock_wire.dags.dag import SerializedDag

_d, _e = dag.c, import_error.c
_BUNDLE = "bundle:"
_VARIES = (
    "the DAG changed although its file did not: it has a value that varies from parse to parse, such as the current "
    "time or a random number; each run can so make a new version of it"
)

_RIVAL = "an asset of another DAG has its name or its URI; use both as that DAG does, or another name and URI"


class Parse(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a parse of a file came to. The file is relative to its bundle. ``error`` is its import error, empty if it has
    none. ``paused`` is what a DAG that does not say so itself is when it is first seen. ``varying`` is what happens to
    a DAG that changes although its file does not.
    """

    bundle_name: str
    file: str
    dags: list[SerializedDag] = []
    error: str = ""
    bundle_version: str | None = None
    paused: bool = True
    varying: Literal["off", "warning", "error"] = "warning"


class Refused(ValueError):
    """A DAG is not stored; the text says why."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG that a bundle's file has: what decides whether it became stale."""

    dag_id: str
    file: str
    last_parsed_at: datetime


def write(conn: sa.Connection, parse: Parse, moment: datetime) -> Settlement:
    """Writes what a parse of a file came to; returns what it meant for the DAGs."""
    listed = {each.dag_id: each for each in parse.dags}
    for dag_id in sorted(listed):
        # Whoever comes second finds the first one's claim.
        claim = {"owner": _BUNDLE + parse.bundle_name, "claimed_at": moment}
        insert_missing(conn, dag, {"dag_id": dag_id}, claim)
    known = _known(conn, parse, listed)
    settlement = settle(parse.bundle_name, parse.file, listed, known, fails=bool(parse.error))
    problems = [parse.error] if parse.error else []
    problems += (f"{parse.file}:{listed[dag_id].line}: {why}" for dag_id, why in settlement.refused.items())
    for dag_id in settlement.taken:
        try:
            with conn.begin_nested():
                _write_dag(conn, listed[dag_id], parse, moment, first=known[dag_id].file is None)
        except (sa.exc.DataError, sa.exc.IntegrityError, ValueError) as e:
            # What a database does not take, such as a NUL in a text, is the file's fault; its other DAGs have none.
            text = str(getattr(e, "orig", None) or e).partition("\n")[0]
            problems.append(f"{parse.file}:{listed[dag_id].line}: DAG {dag_id!r} cannot be stored: {text}")
            _mark(conn, [dag_id], is_stale=True, has_import_errors=True)
    _end(conn, settlement.lost)
    _mark(conn, settlement.broken, is_stale=True, has_import_errors=True)
    errors.replace(conn, parse.bundle_name, parse.file, "\n".join(problems), moment)
    return settlement


def names(conn: sa.Connection, bundle_name: str) -> set[str]:
    """Returns the files of a bundle of which the store has a DAG that is not stale, or an import error."""
    of_dags = sa.select(_d.relative_fileloc).where(_d.owner == _BUNDLE + bundle_name, ~_d.is_stale)
    of_errors = sa.select(_e.relative_fileloc).where(_e.bundle_name == bundle_name)
    return {name for name in (*conn.scalars(of_dags), *conn.scalars(of_errors)) if name is not None}


def remove(conn: sa.Connection, bundle_name: str, files: Collection[str]) -> None:
    """Writes that files are gone: their DAGs are stale, and their import errors are removed."""
    if not files:
        return
    of_files = (_d.owner == _BUNDLE + bundle_name, _d.relative_fileloc.in_(sorted(files)))
    of_dags.remove(conn, conn.scalars(sa.select(_d.dag_id).where(*of_files)).all())
    conn.execute(sa.update(dag).where(*of_files).values(is_stale=True, has_import_errors=False))
    errors.remove(conn, bundle_name, files)


def parsed(conn: sa.Connection, bundle_name: str) -> list[Fact]:
    """Returns a bundle's DAGs that are not stale, with when each was last parsed."""
    query = sa.select(_d.dag_id, _d.relative_fileloc, _d.last_parsed_at).where(
        _d.owner == _BUNDLE + bundle_name, ~_d.is_stale, _d.last_parsed_at.is_not(None)
    )
    return [Fact(dag_id=dag_id, file=file, last_parsed_at=at) for dag_id, file, at in conn.execute(query)]


def end(conn: sa.Connection, dag_ids: Iterable[str]) -> None:
    """Marks DAGs stale, and removes the assets that only they name."""
    _end(conn, list(dag_ids))


def _end(conn: sa.Connection, dag_ids: list[str]) -> None:
    _mark(conn, dag_ids, is_stale=True)
    if dag_ids:
        of_dags.remove(conn, dag_ids)


def _known(conn: sa.Connection, parse: Parse, listed: Collection[str]) -> dict[str, Known]:
    """Returns the DAGs of the file and those that it lists, locked until the transaction ends."""
    own = sa.and_(_d.owner == _BUNDLE + parse.bundle_name, _d.relative_fileloc == parse.file)
    chosen = sa.or_(own, _d.dag_id.in_(sorted(listed)))
    locks.lock(conn, dag, chosen)
    rows = conn.execute(
        sa.select(_d.dag_id, _d.owner, _d.relative_fileloc, _d.is_stale, _d.last_parsed_at).where(chosen)
    )
    return {
        row.dag_id: Known(
            dag_id=row.dag_id,
            bundle=row.owner.removeprefix(_BUNDLE) if row.owner.startswith(_BUNDLE) else None,
            file=row.relative_fileloc if row.last_parsed_at is not None else None,
            stale=row.is_stale,
        )
        for row in rows
    }


def _write_dag(conn: sa.Connection, each: SerializedDag, parse: Parse, moment: datetime, *, first: bool) -> None:
    written = dag_versions.write(conn, each, parse.bundle_name, parse.bundle_version, moment)
    values: dict[str, Any] = msgspec.structs.asdict(dag_summary.facts(each, parse.bundle_version))
    # They are a person's and the scheduler's.
    for name in ("is_paused", "next_dagrun"):
        del values[name]
    values |= {
        "owner": _BUNDLE + parse.bundle_name,
        "relative_fileloc": parse.file,
        "last_parsed_at": moment,
        "is_stale": False,
        "has_import_errors": False,
        "display_name": each.display_name,
        "description": each.description,
        "schedule_summary": dag_summary.schedule_words(each.schedule),
    }
    if first:
        values["is_paused"] = parse.paused if each.is_paused_upon_creation is None else each.is_paused_upon_creation
    conn.execute(sa.update(dag).where(_d.dag_id == each.dag_id).values(values))
    inactive = of_dags.write(conn, each)
    conflict = "; ".join(f"asset {key.name!r} ({key.uri}) is not active: {_RIVAL}" for key in inactive)
    errors.warn(conn, each.dag_id, errors.CONFLICT, conflict, moment)
    varies = written.varies and parse.varying != "off"
    if varies and parse.varying == "error":
        raise Refused(_VARIES)
    errors.warn(conn, each.dag_id, errors.VARIES, _VARIES if varies else "", moment)


def _mark(conn: sa.Connection, dag_ids: list[str], **values: bool) -> None:
    if dag_ids:
        conn.execute(sa.update(dag).where(_d.dag_id.in_(dag_ids)).values(values))
