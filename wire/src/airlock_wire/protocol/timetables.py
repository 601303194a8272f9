"""
Messages of a runner in timetable mode: what a scheduler wants to know of the author's own classes. Airlock's own.

Airflow calls an author's timetable and partition mapper in its scheduler, which holds the installation's keys. Here
each question goes to a process of the author's, behind a sidecar, which has no right to ask the server for anything.
"""

from typing import Any, TypeAlias

import msgspec

from airlock_wire.dags.moments import Moment
from airlock_wire.protocol.messages import Message


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The time whose data a run works on."""

    start: Moment
    end: Moment


class PlannedRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that a timetable plans. The scheduler's question about the next run has no ``run_id``, the answer does."""

    run_after: Moment
    interval: Interval | None = None
    partition_date: Moment | None = None
    partition_key: str | None = None
    run_id: str = ""


class _Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="about"):
    """What tells the questions apart."""


class NextRun(_Question, frozen=True, kw_only=True, tag="next_run"):
    """
    Asks which run comes after the last automated one. ``earliest`` and ``latest`` limit the DAG's runs, both
    included. With ``catchup`` also runs that were missed are made.
    """

    last: PlannedRun | None = None
    earliest: Moment | None = None
    latest: Moment | None = None
    catchup: bool = False


class ManualRun(_Question, frozen=True, kw_only=True, tag="manual_run"):
    """Asks which data interval and id a run has that somebody starts at a moment."""

    run_after: Moment
    run_type: str = "manual"


class NewRunId(_Question, frozen=True, kw_only=True, tag="run_id"):
    """Asks which id a run of this type, moment and data interval has."""

    run_type: str
    run_after: Moment
    interval: Interval | None = None


class Describe(_Question, frozen=True, kw_only=True, tag="describe"):
    """Asks what people read about the timetable."""


class MapKeys(_Question, frozen=True, kw_only=True, tag="map_keys"):
    """
    Asks to which keys of the DAG's partitions these keys of an asset lead. ``classpath`` and ``data``, as it was
    serialized, make the author's partition mapper.
    """

    classpath: str
    data: dict[str, Any] = {}
    keys: list[str]


class KeyValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a key stands for, for a window to count by: a ``moment`` in ISO's form, which may lack a time zone, or a text.
    """

    moment: str = ""
    text: str = ""


class DecodeKeys(_Question, frozen=True, kw_only=True, tag="decode_keys"):
    """
    Asks what keys of the DAG's partitions stand for. A rollup's window lists the values that make up each, and
    ``EncodeKeys`` gives their keys. The mapper is named as in ``MapKeys``.
    """

    classpath: str
    data: dict[str, Any] = {}
    keys: list[str]


class EncodeKeys(_Question, frozen=True, kw_only=True, tag="encode_keys"):
    """Asks which key of an asset stands for each of these values."""

    classpath: str
    data: dict[str, Any] = {}
    values: list[KeyValue]


Question: TypeAlias = NextRun | ManualRun | NewRunId | Describe | MapKeys | DecodeKeys | EncodeKeys


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A few words about a timetable for a list, and a sentence."""

    summary: str
    description: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The answer to one question, or in ``error`` why the author's code has none: file, line, and what was raised.

    ``run`` None without an error: no run comes any more. ``keys`` has the keys to which each key leads, or the one of
    each value. ``values`` has what each key stands for.
    """

    run: PlannedRun | None = None
    run_id: str = ""
    description: Description | None = None
    keys: list[list[str]] = []
    values: list[KeyValue] = []
    error: str = ""


class TimetableRequest(Message, frozen=True, kw_only=True):
    """
    The message that starts a runner in timetable mode; it answers with ``TimetableResult``.

    With ``dag_id`` the timetable is that of the DAG in ``file``, a path below the bundle's root. Otherwise
    ``classpath`` and ``data``, as it was serialized, make it; ``file`` may be empty if no DAG file has the class.
    """

    questions: list[Question]
    bundle_name: str
    file: str = ""
    dag_id: str = ""
    classpath: str = ""
    data: dict[str, Any] = {}  # noqa: RUF012 - msgspec copies it


class TimetableResult(Message, frozen=True, kw_only=True):
    """The answers, in the order of the questions."""

    answers: list[Answer]
