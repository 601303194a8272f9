"""
Asks the author's objects, and checks what they say: it is the author's code, and a moment without a time zone would
mean another moment on each machine.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from airlock.names.state import DagRunType
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, TimeRestriction
from airlock.sdk.timezone import coerce_datetime
from airlock_runner.timetable import partitions
from airlock_runner.timetable.loading import Source, method_of
from airlock_wire.protocol import timetables as wire


def answer_to(question: wire.Question, source: Source) -> wire.Answer:
    """Returns the answer. Raises what the author's code raises, TypeError or ValueError for an answer that is wrong."""
    return _ANSWERS[type(question)](question, source)


def _next_run(question: wire.NextRun, source: Source) -> wire.Answer:
    table, last = source.timetable, question.last
    restriction = TimeRestriction(
        earliest=coerce_datetime(question.earliest),
        latest=coerce_datetime(question.latest),
        catchup=question.catchup,
    )
    info = method_of(table, "next_dagrun_info_v2")(
        last_dagrun_info=None if last is None else _as_info(last), restriction=restriction
    )
    if info is None:
        return wire.Answer()
    where = f"{type(table).__name__}.next_dagrun_info"
    # A timetable may return a class of its own with these fields, as Airflow's scheduler allows.
    for name in ("run_after", "data_interval"):
        if not hasattr(info, name):
            raise TypeError(
                f"{where} returned a {type(info).__name__}; return a DagRunInfo, or None for no further run"
            )
    run_after = _moment(info.run_after, where)
    return _run(table, "scheduled", run_after, info.data_interval, where, info)


def _manual_run(question: wire.ManualRun, source: Source) -> wire.Answer:
    table = source.timetable
    interval = method_of(table, "infer_manual_data_interval")(run_after=coerce_datetime(question.run_after))
    where = f"{type(table).__name__}.infer_manual_data_interval"
    return _run(table, question.run_type, question.run_after, interval, where)


def _new_run_id(question: wire.NewRunId, source: Source) -> wire.Answer:
    return wire.Answer(run_id=_run_id(source.timetable, question.run_type, question.run_after, question.interval))


def _describe(_: wire.Describe, source: Source) -> wire.Answer:
    table = source.timetable
    summary = getattr(table, "summary", None) or type(table).__name__
    description = getattr(table, "description", None) or ""
    return wire.Answer(description=wire.Description(summary=str(summary), description=str(description)))


_ANSWERS: Final[dict[type, Callable[[Any, Source], wire.Answer]]] = {
    wire.NextRun: _next_run,
    wire.ManualRun: _manual_run,
    wire.NewRunId: _new_run_id,
    wire.Describe: _describe,
    wire.MapKeys: partitions.map_keys,
    wire.DecodeKeys: partitions.decode_keys,
    wire.EncodeKeys: partitions.encode_keys,
}


def _run(table: Any, run_type: str, run_after: datetime, interval: Any, where: str, info: Any = None) -> wire.Answer:
    data = None if interval is None else _interval(interval, where)
    return wire.Answer(
        run=wire.PlannedRun(
            run_after=run_after.astimezone(UTC),
            interval=data,
            partition_date=_optional_moment(getattr(info, "partition_date", None), where),
            partition_key=getattr(info, "partition_key", None),
            run_id=_run_id(table, run_type, run_after, data),
        )
    )


def _run_id(table: Any, run_type: str, run_after: datetime, interval: wire.Interval | None) -> str:
    run_id = method_of(table, "generate_run_id")(
        run_type=DagRunType(run_type), run_after=coerce_datetime(run_after), data_interval=_as_interval(interval)
    )
    if not isinstance(run_id, str) or not run_id:
        raise TypeError(f"{type(table).__name__}.generate_run_id returned {run_id!r}; return text that is not empty")
    return run_id


# --- moments ---


def _as_interval(interval: wire.Interval | None) -> DataInterval | None:
    if interval is None:
        return None
    return DataInterval(start=coerce_datetime(interval.start), end=coerce_datetime(interval.end))


def _as_info(run: wire.PlannedRun) -> DagRunInfo:
    return DagRunInfo(
        run_after=coerce_datetime(run.run_after),
        data_interval=_as_interval(run.interval),
        partition_date=coerce_datetime(run.partition_date),
        partition_key=run.partition_key,
    )


def _interval(value: Any, where: str) -> wire.Interval:
    try:
        start, end = value
    except (TypeError, ValueError):
        raise TypeError(f"{where}: the data interval is {value!r}; return a DataInterval") from None
    return wire.Interval(start=_moment(start, where), end=_moment(end, where))


def _optional_moment(value: Any, where: str) -> datetime | None:
    return None if value is None else _moment(value, where)


def _moment(value: Any, where: str) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"{where} returned {value!r} for a moment; return a datetime")
    if value.utcoffset() is None:
        raise ValueError(f"{where} returned {value}, which has no time zone; add one, for example pendulum.UTC")
    moment = value.astimezone(UTC)
    # Plain, because a message takes no class of pendulum's.
    return datetime(*moment.timetuple()[:6], moment.microsecond, tzinfo=UTC)
