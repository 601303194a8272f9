"""The DAG run that a command of this machine makes: its date and data interval."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from airlock_server.cli import CommandError
from airlock_server.cli.local.launches import EXIT_USAGE
from airlock_server.launching.local.timetables import own_timetable
from airlock_server.rules import params
from airlock_server.rules.scheduling import runs
from airlock_server.store.engine.types import now
from airlock_server.store.runs.progress import NewRun
from airlock_wire import ids
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.protocol.timetables import Answer, ManualRun, Question


def date_of(text: str) -> datetime:
    """Returns the date in an argument, in UTC where it names no zone; raises argparse.ArgumentTypeError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date such as 2026-01-31 or 2026-01-31T06:00:00+00:00"
        ) from e
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def new_run(
    dag: SerializedDag,
    given: datetime | None,
    conf: dict[str, Any],
    ask: Callable[[Question], Answer] = lambda _: Answer(),
) -> NewRun:
    """
    Returns the run of a date, by default of this moment. ``ask`` asks the DAG's own timetable, if it has one. Without a
    given date, a run whose interval cannot be computed has no date.

    Raises CommandError for params that a schema refuses, for a given date whose interval is not known, and for a
    timetable that has no answer.
    """
    if wrong := params.problem(dag.params, conf):
        raise CommandError(f"DAG {dag.dag_id!r}: {wrong}; --conf gives values", EXIT_USAGE)
    moment = given or now()
    if own_timetable(dag.schedule) is not None:
        return _of_own_timetable(dag, moment, conf, ask(ManualRun(run_after=moment)))
    date: datetime | None = moment
    try:
        interval = runs.manual_interval(dag.schedule, moment)
    except runs.NoInterval as e:
        if given is not None:
            raise CommandError(f"DAG {dag.dag_id!r}: no data interval for this date: {e}", EXIT_USAGE) from e
        date = interval = None
    return NewRun(
        dag_id=dag.dag_id,
        run_id=runs.run_id("manual", moment),
        run_after=moment,
        logical_date=date,
        data_interval=interval,
        conf=conf,
    )


def _of_own_timetable(dag: SerializedDag, moment: datetime, conf: dict[str, Any], answer: Answer) -> NewRun:
    planned = answer.run
    if answer.error or planned is None:
        why = answer.error or "it named no run"
        raise CommandError(f"DAG {dag.dag_id!r}: its timetable has no run for {moment}: {why}", EXIT_USAGE)
    wrong = ids.run_problem(planned.run_id) or runs.run_id_problem(planned.run_id, "manual")
    if wrong:
        raise CommandError(f"DAG {dag.dag_id!r}: its timetable made the run_id {planned.run_id!r}: {wrong}", EXIT_USAGE)
    interval = None if planned.interval is None else (planned.interval.start, planned.interval.end)
    return NewRun(
        dag_id=dag.dag_id,
        run_id=planned.run_id,
        run_after=moment,
        logical_date=None if interval is None else moment,
        data_interval=interval,
        conf=conf,
    )
