"""Writes deadlines of DAG runs as plain data."""

from datetime import UTC, datetime
from typing import Any

from airlock.sdk.definitions import deadline
from airlock.sdk.definitions.callback import AsyncCallback
from airlock_runner.json_values import serialized
from airlock_wire.dags.deadlines import DeadlineCallback, Reference, SerializedDeadline


def deadline_of(alert: Any) -> SerializedDeadline:
    """Returns a deadline as plain data."""
    by_variable = isinstance(alert.interval, deadline.VariableInterval)
    return SerializedDeadline(
        reference=_reference(alert.reference),
        callback=_callback(alert.callback),
        interval_seconds=0.0 if by_variable else alert.interval.total_seconds(),
        interval_variable=alert.interval.key if by_variable else None,
        name=alert.name,
    )


def _reference(reference: Any) -> Reference:
    kind = type(reference)
    if kind is deadline.DagRunLogicalDateDeadline:
        return Reference(kind="logical_date")
    if kind is deadline.DagRunQueuedAtDeadline:
        return Reference(kind="queued_at")
    if kind is deadline.FixedDatetimeDeadline:
        moment: datetime = reference._datetime  # noqa: SLF001 - Airflow's name of the field
        return Reference(
            kind="fixed", moment=moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        )
    if kind is deadline.AverageRuntimeDeadline:
        return Reference(kind="average_runtime", max_runs=reference.max_runs, min_runs=reference.min_runs)
    place = f"deadline {kind.__qualname__}"
    data = reference.serialize_reference() if hasattr(reference, "serialize_reference") else {}
    queued = kind in deadline.DeadlineReference.TYPES.DAGRUN_QUEUED
    return Reference(
        kind="custom",
        classpath=f"{kind.__module__}.{kind.__qualname__}",
        data=serialized(data, place),
        at="queued" if queued else "created",
    )


def _callback(callback: Any) -> DeadlineCallback:
    return DeadlineCallback(
        kind="async" if isinstance(callback, AsyncCallback) else "sync",
        path=str(callback.path),
        kwargs=serialized(dict(callback.kwargs or {}), "the arguments of the deadline's callback"),
        executor=getattr(callback, "executor", None),
    )
