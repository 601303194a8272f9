"""
Messages that change something beside the runner's own XComs and state, and their answers.
"""

from datetime import datetime
from typing import Any

from airlock_wire.protocol.messages import Message


class DeleteXCom(Message, frozen=True, kw_only=True):
    """Removes an XCom; an empty answer, also if the XCom did not exist."""

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
    """Removes a variable; OKResponse, also if the variable did not exist."""

    key: str


class SetRenderedMapIndex(Message, frozen=True, kw_only=True):
    """Names this map index for people; an empty answer."""

    rendered_map_index: str


class SkipDownstreamTasks(Message, frozen=True, kw_only=True):
    """Skips tasks of this DAG run that have not begun: task ids, or pairs of one and a map index; an empty answer."""

    tasks: list[Any]


class TriggerDagRun(Message, frozen=True, kw_only=True):
    """
    Makes a DAG run; OKResponse, or DAGRUN_ALREADY_EXISTS in the body slot. ``reset_dag_run`` clears an existing one.
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
    """The question to the person, as the server keeps it."""

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
    """The descriptors' numbers on the sending side; only their count says something: how many come with this frame."""

    fds: list[int]
