"""
What a runner may change beside its own XComs and its own state, and what it is answered.
"""

from datetime import datetime
from typing import Any

from airlock_wire.protocol.messages import Message


class DeleteXCom(Message, frozen=True, kw_only=True):
    """Removes an XCom; an empty answer, also where there was none."""

    key: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int | None = None


class PutVariable(Message, frozen=True, kw_only=True):
    """Sets a variable; an empty answer."""

    key: str
    value: str | None
    description: str | None


class DeleteVariable(Message, frozen=True, kw_only=True):
    """Removes a variable; OKResponse, also where there was none."""

    key: str


class SetRenderedMapIndex(Message, frozen=True, kw_only=True):
    """Names this map index for people; an empty answer."""

    rendered_map_index: str


class SkipDownstreamTasks(Message, frozen=True, kw_only=True):
    """Skips tasks of this DAG run that have not begun: task ids, or pairs of one and a map index; an empty answer."""

    tasks: list[Any]


class TriggerDagRun(Message, frozen=True, kw_only=True):
    """
    Makes a DAG run; OKResponse, or DAGRUN_ALREADY_EXISTS in the body slot. ``reset_dag_run`` clears one that is there.
    """

    dag_id: str
    run_id: str
    logical_date: datetime | None = None
    run_after: datetime | None = None
    conf: dict[str, Any] | None = None
    reset_dag_run: bool | None = False
    partition_key: str | None = None
    note: str | None = None


class CreateHITLDetailPayload(Message, frozen=True, kw_only=True):
    """Asks a person to choose; HITLDetailRequestResult."""

    ti_id: str
    options: list[str]
    subject: str
    body: str | None = None
    defaults: list[str] | None = None
    multiple: bool | None = False
    params: dict[str, Any] | None = None
    assigned_users: list[dict[str, Any]] | None = None


class HITLDetailRequestResult(Message, frozen=True, kw_only=True):
    """What was asked, as the server keeps it."""

    ti_id: str
    options: list[str]
    subject: str
    body: str | None = None
    defaults: list[str] | None = None
    multiple: bool | None = False
    params: dict[str, Any] | None = None
    assigned_users: list[dict[str, Any]] | None = None


class UpdateHITLDetail(Message, frozen=True, kw_only=True):
    """Answers in a person's place: a triggerer's message, which no task is served."""

    ti_id: str
    chosen_options: list[str]
    params_input: dict[str, Any] | None = None


class GetHITLDetailResponse(Message, frozen=True, kw_only=True):
    """Asks for a person's answer: a triggerer's message, which no task is served."""

    ti_id: str


class ResendLoggingFD(Message, frozen=True, kw_only=True):
    """Asks for another channel for log lines; SentFDs, with the descriptor beside the frame."""


class SentFDs(Message, frozen=True, kw_only=True):
    """The descriptor's number on the sending side, which says only how many come with this frame."""

    fds: list[int]
