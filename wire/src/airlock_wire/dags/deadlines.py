"""
Deadlines of a DAG's runs: from which moment a span counts, and what is called when it has passed.
"""

from typing import Any, Literal

import msgspec

from airlock_wire.dags.moments import Moment


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The moment from which a deadline counts.

    ``moment`` belongs to ``fixed``, and the numbers of runs to ``average_runtime``. ``classpath`` and ``data`` belong
    to a class of the author's, which a runner has to load.
    """

    kind: Literal["logical_date", "queued_at", "fixed", "average_runtime", "custom"]
    moment: Moment | None = None
    max_runs: int = 10
    min_runs: int = 10
    classpath: str = ""
    data: dict[str, Any] = {}
    #: When a row of a custom reference is made: with the run, or when the run is queued.
    at: Literal["created", "queued"] = "created"


class DeadlineCallback(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A function by its path. The async one runs beside the triggers, the sync one as a task does."""

    kind: Literal["async", "sync"]
    path: str
    kwargs: dict[str, Any] = {}
    executor: str | None = None


class SerializedDeadline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One deadline. The span is of seconds, or the value of a variable if ``interval_variable`` names one."""

    reference: Reference
    callback: DeadlineCallback
    interval_seconds: float = 0.0
    interval_variable: str | None = None
    name: str | None = None
